"""Frames out of a line, and APDUs out of frames; nothing is passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.frame import Frame
from dlms.framing.wrapper import Wpdu
from emulator.decoding.chunks import Chunk, Line
from emulator.decoding.frames import Unit, units

GET = bytes.fromhex("C001C100080000010000FF0200")
GOT = bytes.fromhex("C401C10009060000010000FF")
CLIENT, METER = Address(16), Address(1, 17, 4)


def _units(*chunks: Chunk, whole: bool = False) -> list[Unit]:
    return list(units(Line("caller", "called", chunks, whole)))


def _frame(information: bytes, *, segmented: bool = False, send: int = 0) -> bytes:
    control = Control(Kind.I, not segmented, 0, send)
    return Frame(METER, CLIENT, control, information, segmented).encode()


@pytest.mark.parametrize("size", [1, 3, 8, 1000])
def test_wpdus_however_they_are_cut(size: int) -> None:
    stream = Wpdu(16, 1, GET).encode() * 3
    chunks = [Chunk(stream[at : at + size], True) for at in range(0, len(stream), size)]
    found = _units(*chunks)
    assert [one.apdu for one in found] == [GET] * 3
    assert {one.head for one in found} == {"wPort 16 -> 1"}
    assert not any(one.problems for one in found)


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_segments_of_hdlc(size: int) -> None:
    whole = bytes.fromhex("E6E600") + GET
    stream = _frame(whole[:6], segmented=True) + _frame(whole[6:], send=1)[1:]
    found = _units(*(Chunk(stream[at : at + size]) for at in range(0, len(stream), size)))
    assert [one.apdu for one in found] == [b"", GET]
    assert found[1].forward
    assert len(found[1].frames) == 2
    assert "segment 1" in found[0].head
    assert not any(one.problems for one in found)


def test_segments_without_an_end() -> None:
    found = _units(Chunk(_frame(bytes.fromhex("E6E600C001"), segmented=True), True))
    assert found[-1].problems == ("segments of an APDU whose last one never came",)


def test_a_wrong_check_sequence() -> None:
    octets = bytearray(_frame(bytes.fromhex("E6E600") + GET))
    octets[-3] ^= 1
    (found,) = _units(Chunk(bytes(octets), True))
    assert found.problems == (f"FCS: does not match at octet {len(octets) - 4}",)
    assert not found.apdu


def test_noise_before_and_between() -> None:
    frame = _frame(bytes.fromhex("E6E600") + GET)
    found = _units(Chunk(b"\x55\xaa" + frame + b"\x99" + frame, True))
    assert [bool(one.apdu) for one in found] == [False, True, False, True]
    assert found[0].problems[0].startswith("2 octets that begin no frame")
    assert b"".join(b"".join(one.frames) for one in found).count(b"\x55\xaa") == 1


def test_a_wpdu_that_is_cut_short() -> None:
    octets = Wpdu(16, 1, GET).encode()[:-1]
    (found,) = _units(Chunk(octets, True))
    assert found.problems == ("the rest of it never came: 21 octets expected, 20 there",)
    assert found.frames == (octets,)
    (datagram,) = _units(Chunk(octets, True), whole=True)
    assert datagram.problems == ("cut short: 21 octets expected, 20 there",)


def test_what_was_lost_ends_what_was_there() -> None:
    octets = Wpdu(16, 1, GET).encode()
    found = _units(Chunk(octets[:10], True), Chunk(octets, True, lost=5))
    assert "5 octets after it were lost" in found[0].problems[0]
    assert found[1].apdu == GET


def test_the_opening_of_an_optical_port() -> None:
    frame = _frame(bytes.fromhex("E6E600") + GET)
    found = _units(
        Chunk(b"/?!\r\n", True), Chunk(b"/ABC5\\2meter\r\n", False), Chunk(b"\x06252\r\n", True),
        Chunk(frame, True),
    )  # fmt: skip
    assert [one.head.startswith("mode E") for one in found] == [True, True, True, False]
    assert found[-1].apdu == GET


def test_apdus_that_stand_for_themselves() -> None:
    found = _units(Chunk(GET, True), Chunk(GOT, False), whole=True)
    assert [one.apdu for one in found] == [GET, GOT]


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.booleans()), max_size=6),
    st.booleans(),
)
def test_every_octet_is_in_a_frame(parts: list[tuple[bytes, bool]], whole: bool) -> None:
    chunks = tuple(Chunk(octets, forward) for octets, forward in parts)
    for forward in (True, False):
        came = b"".join(one.octets for one in chunks if one.forward is forward)
        seen = b"".join(
            b"".join(one.frames)
            for one in units(Line("", "", chunks, whole))
            if one.forward is forward and "whose last one never came" not in str(one.problems)
        )
        # A flag may end one frame and begin the next; nothing else is counted twice or not at all.
        assert seen.replace(b"\x7e", b"") == came.replace(b"\x7e", b"")
