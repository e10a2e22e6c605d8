"""What holds back what would spoil another's meter, wherever it comes from."""

from __future__ import annotations

import pytest

from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Mac, Seal, Use
from emulator.fuzz.network.guarding import GuardedModule, NotAllowed, writes
from emulator.modules.keyring import KeyRing

TITLE, EK, AK = b"CLI\0\0\0\0\1", KeyRef(b"", "a", KeyKind.GUEK), KeyRef(b"", "a", KeyKind.GAK)
GET = bytes.fromhex("C001C100010000600109FF0200")
SET = bytes.fromhex("C101C100010000600109FF020009024142")
REPLY_TO_HLS = bytes.fromhex("C301C1000F0000280000FF010109020102")


@pytest.mark.parametrize(
    ("plain", "what"),
    [
        (GET, ""),
        (SET, "set"),
        (REPLY_TO_HLS, ""),
        (bytes.fromhex("C301C1000F0000280000FF0201"), "action"),
        (bytes.fromhex("C301C100400000280000FF0101"), "action"),
        (bytes.fromhex("C303C1000F0000280000FF0101"), "action"),
        (b"\xd9\x40", "access"),
        (b"\x06\x01", "write"),
        (b"\xe0\x80", "general block, whatever is in it"),
        (b"", ""),
    ],
)
def test_what_writes(plain: bytes, what: str) -> None:
    assert writes(plain) == what


def module(*, destructive: bool = False) -> GuardedModule:
    ring = KeyRing()
    ring.keep(EK, bytes(16))
    ring.keep(AK, bytes(16))
    made = GuardedModule(ring, TITLE, destructive=destructive)
    made.last = lambda ek: 7
    return made


def seal(payload: bytes = GET, counter: int = 7, title: bytes = TITLE) -> Seal:
    return Seal(Use.PROTECT_REQUEST, EK, AK, 0x30, title, counter, payload)


def test_what_asks_is_sealed() -> None:
    assert module().execute(seal())


@pytest.mark.parametrize(
    "op",
    [
        seal(SET),
        seal(counter=8),
        seal(counter=6),
        seal(counter=0xFFFFFFFE),
        Mac(Use.ASSOCIATION, EK, AK, 0x10, TITLE, 9, b"StoC"),
    ],
)
def test_what_is_held_back(op: Seal | Mac) -> None:
    with pytest.raises(NotAllowed):
        module().execute(op)
    assert module(destructive=True).execute(op)


def test_what_the_meter_would_say_is_computed_to_be_verified() -> None:
    assert module().execute(seal(counter=1, title=b"MET\0\0\0\0\1"))
