"""Signatures of general-signing: shown, and verified with what the key file has."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import CertificateBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID

from devices.profile import ProfileError
from dlms.octets import encode_octet_string
from dlms.security.general_signing import decode_general_signing
from emulator.cli.main import main
from emulator.client import key_file
from emulator.client.keys import Keys
from emulator.decoding.keys import KeyChain
from emulator.decoding.layers import Layer, Means, layers_of

FOLDER = Path(__file__).parents[3] / "fixtures" / "vectors"
ALL = json.loads((FOLDER / "signing.json").read_text("utf-8"))
SIGNED = [one for one in ALL if one["kind"] == "general-signing"]
FIRST = SIGNED[0]
OCTETS = bytes.fromhex(FIRST["hex"])
PUBLIC = bytes.fromhex(FIRST["public"])
PRIVATE = next(one for one in ALL if one["kind"] == "pair" and one["public"] == FIRST["public"])
OTHER = next(one for one in ALL if one["kind"] == "pair" and one["public"] != FIRST["public"])


def said(octets: bytes, **keys: Keys) -> Layer:
    return layers_of(octets, Means(chain=KeyChain(keys)))[0]


@pytest.mark.parametrize("vector", SIGNED, ids=lambda one: one["name"])
def test_vectors_verify(vector: dict[str, Any]) -> None:
    layer = said(
        bytes.fromhex(vector["hex"]), meter=Keys(peer_public=bytes.fromhex(vector["public"]))
    )
    curve = {"1": "P256", "2": "P384"}[f"{vector['suite']}"]
    assert layer.notes == (
        f"signature of the APDU at octet 0, {curve}: verified with meter peer_public, of"
        f" originator {vector['originator']}",
    )
    assert not layer.problems


def test_it_is_shown_as_what_it_is() -> None:
    (field,) = [one for one in said(OCTETS).fields if one.name == "signature"]
    signature = OCTETS[-64:].hex()
    assert field.value == f"ECDSA, P-256: R {signature[:64]}, S {signature[64:]}"


def test_without_a_key_it_is_not_checked_and_no_problem() -> None:
    layer = said(OCTETS)
    assert layer.problems == ()
    (note,) = layer.notes
    assert note.endswith(f"not checked: no public key of its originator {FIRST['originator']}")
    other = said(OCTETS, meter=Keys(peer_public=bytes(96)))
    assert other.notes == layer.notes  # a key of the other curve is none for it


@pytest.mark.parametrize("at", [2, -70, -1], ids=["header", "content", "signature"])
def test_what_was_changed_does_not_verify(at: int) -> None:
    octets = bytearray(OCTETS)
    octets[at] ^= 1
    layer = said(bytes(octets), meter=Keys(peer_public=PUBLIC))
    assert any("does not verify: tried meter peer_public" in one for one in layer.problems)
    assert not any("verified" in one for one in layer.notes)


def test_ones_own_signature_by_the_private_key() -> None:
    own = Keys(signing_key=bytes.fromhex(PRIVATE["private"]))
    assert "verified with mine signing_key" in said(OCTETS, mine=own).notes[0]
    nonsense = Keys(signing_key=bytes(5))
    assert "not checked" in said(OCTETS, mine=nonsense).notes[0]


def test_the_right_one_of_several_and_titles() -> None:
    wrong, right = Keys(peer_public=bytes.fromhex(OTHER["public"])), Keys(peer_public=PUBLIC)
    assert "verified with b peer_public" in said(OCTETS, a=wrong, b=right).notes[0]
    assert "does not verify" in said(OCTETS, a=wrong).problems[0]
    elsewhere = {"0123456789ABCDEF": right}
    assert "not checked" in said(OCTETS, **elsewhere).notes[0]
    assert "verified with" in said(OCTETS, **{FIRST["originator"]: right}).notes[0]


def test_a_signature_in_a_signature() -> None:
    message = decode_general_signing(OCTETS)
    inner = OCTETS
    head = message.head[: -message.length_octets]
    key = ec.derive_private_key(int(PRIVATE["private"], 16), ec.SECP256R1())
    for with_length in (True, False):
        content = encode_octet_string(inner)
        r, s = decode_dss_signature(
            key.sign(head + (content if with_length else inner), ec.ECDSA(hashes.SHA256()))
        )
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        outer = b"\xdf" + head + content + encode_octet_string(raw)
        notes = said(outer, meter=Keys(peer_public=PUBLIC)).notes
        assert len(notes) == 2
        assert ("without the length" in notes[0]) is not with_length
        at = outer.index(inner)
        assert notes[1].startswith(f"signature of the APDU at octet {at}, P256: verified with")


def certificate() -> bytes:
    key = ec.derive_private_key(int(PRIVATE["private"], 16), ec.SECP256R1())
    name = Name([NameAttribute(NameOID.COMMON_NAME, FIRST["originator"])])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = CertificateBuilder(name, name, key.public_key(), 5, now, now + dt.timedelta(days=9))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def keys_in(folder: Path, octets: bytes) -> Path:
    path = folder / "keys.toml"
    path.touch(0o600)
    path.write_text(f'[meter]\npeer_public = "{octets.hex()}"\n')
    return path


def test_a_certificate_in_the_place_of_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = keys_in(tmp_path, certificate())
    assert key_file.load(path)["meter"].peer_public == PUBLIC
    assert main(["decode", FIRST["hex"], "--keys", str(path)]) == 0
    assert "verified with meter peer_public" in capsys.readouterr().out
    assert main(["decode", f"{FIRST['hex'][:-2]}00", "--keys", str(path)]) == 1
    assert "does not verify" in capsys.readouterr().out


def test_what_is_neither_is_refused_and_not_shown(tmp_path: Path) -> None:
    octets = b"\x30" + certificate()[1:200]
    path = keys_in(tmp_path, octets)
    with pytest.raises(ProfileError, match="no public key x ‖ y, and no certificate") as caught:
        key_file.load(path)
    assert octets.hex()[:12] not in str(caught.value)
