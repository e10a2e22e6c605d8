"""Opening by trying keys: which one fits, whether it verifies, and what stays closed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.client.keys import Keys
from emulator.decoding.keys import KeyChain
from emulator.decoding.opening import Closed, Opened, dedicate, opened

FOLDER = Path(__file__).parents[3] / "fixtures" / "vectors"
VECTORS = {one["name"]: one for one in json.loads((FOLDER / "ciphered.json").read_text("utf-8"))}
BOTH = VECTORS["glo-get-request, authenticated and encrypted"]
TITLE = bytes.fromhex(BOTH["title"])
WRONG = bytes(16)


def _keys(**changed: bytes) -> Keys:
    fields = {"guek": bytes.fromhex(BOTH["ek"]), "gak": bytes.fromhex(BOTH["ak"])}
    return Keys(**{**fields, **changed})


def _open(name: str, keys: dict[str, Keys], *titles: bytes) -> Opened | Closed:
    return opened(KeyChain(keys), bytes.fromhex(VECTORS[name]["hex"]), titles)


@pytest.mark.parametrize("vector", [one for one in VECTORS.values() if "ek" in one])
def test_vectors(vector: dict[str, Any]) -> None:
    keys = {"a": Keys(guek=WRONG, gak=WRONG), "b": Keys(
        guek=bytes.fromhex(vector["ek"]), gak=bytes.fromhex(vector["ak"])
    )}  # fmt: skip
    titles = (b"12345678", bytes.fromhex(vector["title"]))
    found = opened(KeyChain(keys), bytes.fromhex(vector["hex"]), titles)
    assert isinstance(found, Opened)
    assert found.plaintext.hex().upper() == vector["plaintext"]
    assert found.key == "b guek"
    assert found.title == titles[1]
    assert found.verified is (True if int(vector["control"], 16) & 0x10 else None)


def test_the_right_encryption_key_and_the_wrong_authentication_key() -> None:
    found = _open(BOTH["name"], {"the": _keys(gak=WRONG)}, TITLE)
    assert isinstance(found, Opened)
    assert (found.key, found.verified) == ("the guek", False)
    assert found.plaintext.hex().upper() == BOTH["plaintext"]


def test_no_key_fits() -> None:
    found = _open(BOTH["name"], {"the": _keys(guek=WRONG)}, TITLE)
    assert found == Closed("no key fits: tried the guek")


def test_no_key_and_no_title() -> None:
    assert _open(BOTH["name"], {}, TITLE) == Closed("no key for it")
    found = _open(BOTH["name"], {"the": _keys()})
    assert found == Closed("the system title of its originator is not known")


def test_authenticated_in_clear_is_read_without_a_key() -> None:
    found = _open("glo-get-request, authenticated", {}, TITLE)
    assert isinstance(found, Opened)
    assert (found.key, found.verified) == ("", False)
    assert found.plaintext.hex().upper() == BOTH["plaintext"]


def test_an_entry_with_the_name_of_a_title_is_for_that_party_alone() -> None:
    other = "0123456789ABCDEF"
    assert _open(BOTH["name"], {other: _keys()}, TITLE) == Closed("no key for it")
    found = _open(BOTH["name"], {TITLE.hex(): _keys()}, TITLE)
    assert isinstance(found, Opened)
    assert found.verified


def test_a_dedicated_key_is_learned_from_its_initiate_request() -> None:
    chain = KeyChain({"the": _keys()})
    first = VECTORS["glo-initiate-request with dedicated key"]
    found = opened(chain, bytes.fromhex(first["hex"]), [TITLE])
    assert isinstance(found, Opened)
    assert not list(chain.dedicated_pairs())
    dedicate(chain, found)
    (pair,) = chain.dedicated_pairs()
    key = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    assert key in set(chain.secrets)
    assert pair.ak is not None
    dedicate(chain, found)
    assert len(list(chain.dedicated_pairs())) == 1


def test_titles_and_keys_of_other_lengths() -> None:
    found = _open(BOTH["name"], {"the": _keys()}, b"", b"1234567", b"123456789")
    assert found == Closed("the system title of its originator is not known")
    with pytest.raises(ValueError, match="the: guek has 15 octets, not 16 or 32"):
        KeyChain({"the": _keys(guek=bytes(15))})


def test_nothing_says_a_key() -> None:
    chain = KeyChain({"the": _keys()})
    found = opened(chain, bytes.fromhex(BOTH["hex"]), [TITLE])
    assert isinstance(found, Opened)
    assert repr(found.plaintext) not in repr(found)
    for text in (repr(chain), repr(found), str(found)):
        assert BOTH["ek"].lower() not in text.lower()
        assert BOTH["ak"].lower() not in text.lower()
