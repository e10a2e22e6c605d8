"""Every vector of every file, cut off at each octet: refused, and by nothing but the right error.

The octets of an APDU or frame are refused with ``CodecError``. What has no layout of its own, a
wrapped key, a tag, a signature, a point, is for the module, and refused with
``VerificationFailed``. What becomes of whole vectors is in the tests of each file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlms.acse import Aare, Aarq, Rlre, Rlrq
from dlms.axdr import CosemDateTime, decode
from dlms.errors import CodecError
from dlms.framing import Wpdu, WrapperReceiver
from dlms.framing.datagram import decode_datagram
from dlms.framing.hdlc.address import read_address
from dlms.framing.hdlc.frame import decode_frame
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.octets import Reader
from dlms.security.ciphered import decode_ciphered
from dlms.security.drive import run
from dlms.security.general_ciphering import decode_general_ciphering
from dlms.security.general_signing import decode_general_signing
from dlms.security.key_agreement import Parties, Place, conclude
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import (
    Agree,
    Curve,
    Open,
    Unwrap,
    Use,
    VerificationFailed,
    Verify,
)
from dlms.xdlms import registry
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

FOLDER = Path(__file__).parents[2] / "fixtures" / "vectors"
HOLDER = b"MTR\0\0\0\0\1"
KEY, INTO, PRIVATE = (
    KeyRef(HOLDER, "vector", kind) for kind in (KeyKind.KEK, KeyKind.GUEK, KeyKind.AGREEMENT_KEY)
)

Entry = dict[str, Any]
Take = Callable[[bytes], object]


def octets_of(entry: Entry, name: str) -> bytes:
    return bytes.fromhex(entry[name])


def module(entry: Entry, ref: KeyRef, name: str) -> SoftwareModule:
    ring = KeyRing()
    ring.keep(ref, octets_of(entry, name))
    return SoftwareModule(ring)


def by_apdu(entry: Entry) -> tuple[bytes, Take]:
    acse: dict[str, Take] = {
        "AARQ": Aarq.decode, "AARE": Aare.decode, "RLRQ": Rlrq.decode, "RLRE": Rlre.decode,
    }  # fmt: skip
    return octets_of(entry, "hex"), acse.get(entry["apdu"], registry.decode)


def layout(take: Take) -> Callable[[Entry], tuple[bytes, Take]]:
    return lambda entry: (octets_of(entry, "hex"), take)


def frame(entry: Entry) -> tuple[bytes, Take]:
    return octets_of(entry, "hex")[1:-1], decode_frame


def wrapped(entry: Entry) -> tuple[bytes, Take]:
    execute = module(entry, KEY, "kek").execute
    return octets_of(entry, "wrapped"), lambda cut: execute(
        Unwrap(Use.TRANSFER_KEY, KEY, cut, INTO)
    )


def sealed(entry: Entry) -> tuple[bytes, Take]:
    """GCM with additional data that begins with an octet that says "both kinds of protection"."""
    guek = KEY._replace(kind=KeyKind.GUEK)
    execute = module(entry, guek, "key").execute
    iv, aad = octets_of(entry, "iv"), octets_of(entry, "aad")
    common = (Use.OPEN_REQUEST, guek, None, aad[0], iv[:8], int.from_bytes(iv[8:], "big"))
    whole = octets_of(entry, "ciphertext") + octets_of(entry, "tag")[:12]
    return whole, lambda cut: execute(Open(*common, cut, extra=aad[1:]))


def point(entry: Entry) -> tuple[bytes, Take]:
    execute = module(entry, PRIVATE, "private").execute
    return octets_of(entry, "public"), lambda cut: execute(
        Agree(Use.AGREE_KEY, PRIVATE, cut, b"info", INTO, 16)
    )


def signature(entry: Entry) -> tuple[bytes, Take]:
    execute = SoftwareModule(KeyRing()).execute
    public, message = octets_of(entry, "public"), octets_of(entry, "message")
    curve = Curve[entry["curve"]]
    return octets_of(entry, "signature"), lambda cut: execute(
        Verify(Use.OPEN_REQUEST, curve, public, message, cut)
    )


WHERE = {"test_cut": (CodecError, {
    ("acse", None): by_apdu,
    ("xdlms", None): by_apdu,
    ("blocks", None): by_apdu,
    ("services", None): by_apdu,
    ("gbt", None): by_apdu,
    ("axdr", "data"): layout(decode),
    ("axdr", "compact-array"): layout(decode),
    ("axdr", "date-time"): layout(CosemDateTime.from_octets),
    ("ciphered", None): layout(decode_ciphered),
    ("suites", "glo"): layout(decode_ciphered),
    ("agreement", "general-ciphering"): layout(decode_general_ciphering),
    ("agreement", "worked"): layout(decode_general_ciphering),
    ("signing", "general-signing"): layout(decode_general_signing),
    ("wrapper", None): layout(decode_datagram),
    ("hdlc", "frame"): frame,
    ("hdlc", "address"): layout(lambda cut: read_address(Reader(cut))),
}), "test_cut_in_the_module": (VerificationFailed, {
    ("primitives", "wrap"): wrapped,
    ("suites", "wrap"): wrapped,
    ("primitives", "gcm"): sealed,
    ("suites", "gcm"): sealed,
    ("agreement", "ecdh"): point,
    ("agreement", "kdf"): point,
    ("agreement", "agree"): point,
    ("signing", "ecdsa"): signature,
})}  # fmt: skip
APART = {
    ("axdr", "refused"): "refused whole already: tests/dlms/axdr/test_axdr_vectors.py",
    ("hls", None): "f(challenge) needs two parties: tests/dlms/security/test_hls_vectors.py",
    ("agreement", "key_data"): "needs two parties: test_key_data_cut_anywhere below",
    ("suites", "digest"): "a hash has no layout",
    ("signing", "pair"): "a number",
    ("hdlc", "fcs"): "a check sequence is of any octets",
}
"""What is not cut here, and why."""


def entries() -> list[tuple[str, Entry]]:
    return [
        (path.stem, entry)
        for path in sorted(FOLDER.glob("*.json"))
        for entry in json.loads(path.read_text("utf-8"))
    ]


def kind_of(file: str, entry: Entry) -> tuple[str, str | None]:
    return file, entry.get("kind")


def cases(test: str) -> Any:
    _, table = WHERE[test]
    found = [(file, entry) for file, entry in entries() if kind_of(file, entry) in table]
    return pytest.mark.parametrize(
        ("file", "entry"), found, ids=[f"{file}: {entry['name']}" for file, entry in found]
    )


def cut_everywhere(test: str, file: str, entry: Entry) -> None:
    error, table = WHERE[test]
    octets, take = table[kind_of(file, entry)](entry)
    assert octets
    for length in range(len(octets)):
        with pytest.raises(error):
            pytest.fail(f"{length} octets of {len(octets)} were taken: {take(octets[:length])}")
    take(octets)


@cases("test_cut")
def test_cut(file: str, entry: Entry) -> None:
    cut_everywhere("test_cut", file, entry)


@cases("test_cut_in_the_module")
def test_cut_in_the_module(file: str, entry: Entry) -> None:
    cut_everywhere("test_cut_in_the_module", file, entry)


def test_nothing_is_left_out() -> None:
    """At least 150, each with its source, of every kind that the protocol has."""
    tables = [kind for _, table in WHERE.values() for kind in table]
    assert len(set(tables) | APART.keys()) == len(tables) + len(APART)
    found = [kind_of(file, entry) for file, entry in entries()]
    assert set(found) == set(tables) | APART.keys()
    assert all(entry["source"] for _, entry in entries())
    assert len([kind for kind in found if kind not in APART]) >= 300
    assert len({(file, entry["name"]) for file, entry in entries()}) == len(found)
    for suite in (0, 1, 2):
        assert sum(entry.get("suite") == suite for _, entry in entries()) >= 5
    mechanisms = {entry["mechanism"] for file, entry in entries() if file == "hls"}
    assert mechanisms == {3, 4, 5, 6, 7}


# Streams ------------------------------------------------------------------------------------------


def in_pieces(octets: bytes, size: int) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


APDUS = [
    octets_of(entry, "hex")
    for file, entry in entries()
    if file in ("acse", "xdlms", "blocks", "services", "gbt", "ciphered")
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
def test_wpdus_in_pieces(size: int) -> None:
    wanted = [Wpdu(16, 1, apdu) for apdu in APDUS]
    receiver = WrapperReceiver()
    found = []
    for piece in in_pieces(b"".join(wpdu.encode() for wpdu in wanted), size):
        receiver.receive(piece)
        found += iter(receiver.next_wpdu, None)
    assert found == wanted
    assert receiver.pending == 0


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
def test_frames_in_pieces(size: int) -> None:
    frames = [octets_of(e, "hex") for f, e in entries() if kind_of(f, e) == ("hdlc", "frame")]
    wanted = [decode_frame(octets[1:-1]) for octets in frames]
    receiver = FrameReceiver()
    found: list[Any] = []
    for piece in in_pieces(b"".join(frames), size):
        found += receiver.receive(piece, 0.0)
    assert found == wanted
    assert receiver.dropped == 0


@pytest.mark.parametrize("apdu", APDUS[::9], ids=lambda apdu: apdu[:6].hex())
def test_a_wpdu_that_ends_early_is_none(apdu: bytes) -> None:
    octets = Wpdu(16, 1, apdu).encode()
    for length in range(len(octets)):
        receiver = WrapperReceiver()
        receiver.receive(octets[:length])
        assert receiver.next_wpdu() is None
        assert receiver.pending == length


def test_key_data_cut_anywhere() -> None:
    """The public key and its signature, of the book's example: no beginning of them is taken."""
    (entry,) = (e for f, e in entries() if kind_of(f, e) == ("agreement", "key_data"))
    execute = SoftwareModule(KeyRing()).execute
    parties = Parties(
        suite=1,
        client_title=b"MMM\0\0\0\0\1",
        server_title=HOLDER,
        signing_key=KeyRef(HOLDER, "vector", KeyKind.SIGNING_KEY),
        peer_signing_public=octets_of(entry, "signer"),
    )
    octets = octets_of(entry, "hex")
    for length in range(len(octets)):
        step = conclude(parties, entry["key_id"], Place(PRIVATE, INTO), octets[:length])
        with pytest.raises((CodecError, VerificationFailed)):
            run(step, execute)
