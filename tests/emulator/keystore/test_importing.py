"""Keys that come in a file: all of them, or none and one line that says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from dlms.security.keys import KeyKind, KeyRef
from emulator.journal import StoreError
from emulator.keystore.importing import KeyFile, import_keys, read_key_file
from emulator.keystore.states import KeyState
from emulator.keystore.store import KeyStore

TITLE = "4C475A1000000001"
KEY = bytes(range(16))
GOOD: dict[str, Any] = {
    "holder": TITLE,
    "scope": "s1sp",
    "kind": "GUEK",
    "version": 3,
    "wrapped": "00" * 24,
}
REF = KeyRef(bytes.fromhex(TITLE), "s1sp", KeyKind.GUEK, version=3)


def written(path: Path, document: object) -> Path:
    file = path / "keys.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return file


def document(hand: Any, *rows: dict[str, Any], kek: bytes | None = None) -> dict[str, Any]:
    root = hand.ring.get(hand.wrapping.root)
    wrapped = aes_key_wrap(root if kek is None else kek, KEY).hex()
    return {"kek": "store of S1SP", "keys": [GOOD | {"wrapped": wrapped} | row for row in rows]}


async def taken(hand: Any, file: KeyFile) -> int:
    return await import_keys(hand.wrapping, file, hand.wrapping.root, hand.run)


async def test_all_come_in_force(
    hands: Callable[..., Any], store: KeyStore, tmp_path: Path
) -> None:
    hand = hands()
    await hand.wrapping.renew(hand.run)
    file = written(tmp_path, document(hand, {}, {"kind": "KEK", "version": 1}))
    assert await taken(hand, read_key_file(file, ("s1sp",))) == 2
    other = hands()
    await other.known.recall(REF.holder, "s1sp", other.run)
    assert other.known.key(REF.holder, "s1sp", KeyKind.GUEK) == REF
    assert other.ring.get(REF) == KEY
    row = store.row(REF)
    assert row is not None
    assert row.kek == "5331500000000001/store of S1SP/STORAGE v1"
    assert other.known.successor(REF.holder, "s1sp", KeyKind.GUEK).version == 4


async def test_one_that_is_there_is_none(
    hands: Callable[..., Any], store: KeyStore, tmp_path: Path
) -> None:
    hand = hands()
    await taken(hand, read_key_file(written(tmp_path, document(hand, {})), ("s1sp",)))
    file = read_key_file(written(tmp_path, document(hand, {"kind": "GAK"}, {})), ("s1sp",))
    with pytest.raises(StoreError, match="there is a key"):
        await taken(hand, file)
    assert [row.ref for row in store.rows(holder=REF.holder)] == [REF]


async def test_what_does_not_unwrap(
    hands: Callable[..., Any], store: KeyStore, tmp_path: Path
) -> None:
    hand = hands()
    file = read_key_file(written(tmp_path, document(hand, {}, kek=bytes(16))), ("s1sp",))
    with pytest.raises(StoreError, match="GUEK v3 does not unwrap under store of S1SP"):
        await taken(hand, file)
    assert store.rows(states=(KeyState.IN_FORCE, KeyState.PENDING)) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "no JSON"),
        ([], "'kek' and 'keys' are wanted"),
        ({"kek": 5, "keys": []}, "'kek' is a name"),
        ({"kek": "k", "keys": [{}]}, "key 1: holder, scope"),
        ({"kek": "k", "keys": [GOOD | {"version": True}]}, "version is no int"),
        ({"kek": "k", "keys": [GOOD | {"version": 0}]}, "count from 1"),
        ({"kek": "k", "keys": [GOOD | {"holder": "xx"}]}, "holder is not hexadecimal"),
        ({"kek": "k", "keys": [GOOD | {"holder": "00"}]}, "a title has 8 octets"),
        ({"kek": "k", "keys": [GOOD | {"wrapped": "00" * 16}]}, "24, 40 or 48"),
        ({"kek": "k", "keys": [GOOD | {"kind": "SIGNING_KEY"}]}, "no kind of key"),
        ({"kek": "k", "keys": [GOOD | {"kind": "guek"}]}, "no kind of key"),
        ({"kek": "k", "keys": [GOOD | {"scope": "dco"}]}, "scope 'dco' is none of s1sp"),
        ({"kek": "k", "keys": [GOOD, GOOD]}, "there twice"),
    ],
)
def test_what_is_no_such_file(document: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        read_key_file(written(tmp_path, document), ("s1sp",))
    assert "keys.json" in str(caught.value)
    assert "\n" not in str(caught.value)
