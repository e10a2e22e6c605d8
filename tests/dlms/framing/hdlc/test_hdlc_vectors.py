"""Frames with a source, whole, octet by octet, cut and damaged (fixtures/vectors/SOURCES.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.errors import CodecError
from dlms.framing.hdlc.address import Address, read_address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.fcs import check_sequence
from dlms.framing.hdlc.frame import Frame, NotUnderstood, decode_frame
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.octets import Reader

FILE = Path(__file__).parents[4] / "fixtures" / "vectors" / "hdlc.json"
ENTRIES: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))


def of(kind: str) -> Any:
    entries = [entry for entry in ENTRIES if entry["kind"] == kind]
    return pytest.mark.parametrize("entry", entries, ids=[entry["name"] for entry in entries])


def expected(entry: dict[str, Any]) -> Frame:
    fields = entry["expected"]
    return Frame(
        Address(*fields["destination"]),
        Address(*fields["source"]),
        Control(Kind[fields["kind"]], fields["poll"], fields["receive"], fields["send"]),
        bytes.fromhex(fields["information"]),
        fields["segmented"],
    )


@of("frame")
def test_frame_whole(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    assert decode_frame(octets[1:-1]) == expected(entry)
    assert expected(entry).encode() == octets


@of("frame")
def test_frame_octet_by_octet(entry: dict[str, Any]) -> None:
    receiver = FrameReceiver()
    octets = bytes.fromhex(entry["hex"])
    for octet in octets[:-1]:
        assert receiver.receive(bytes((octet,)), 0.0) == []
    assert receiver.receive(octets[-1:], 0.0) == [expected(entry)]
    assert receiver.dropped == 0


@of("frame")
def test_frame_cut(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    for length in range(1, len(octets) - 2):
        with pytest.raises(CodecError):
            decode_frame(octets[1 : 1 + length])


@of("frame")
def test_frame_with_one_bit_wrong(entry: dict[str, Any]) -> None:
    """The check sequence finds every single bit."""
    octets = bytearray.fromhex(entry["hex"])[1:-1]
    for position in range(len(octets)):
        for bit in range(8):
            octets[position] ^= 1 << bit
            with pytest.raises(CodecError):
                decode_frame(bytes(octets))
            octets[position] ^= 1 << bit


@of("address")
def test_address(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    address = Address(*entry["expected"])
    assert read_address(Reader(octets)) == address
    assert address.encode() == octets
    for length in range(len(octets)):
        with pytest.raises(CodecError):
            read_address(Reader(octets[:length]))


@of("fcs")
def test_check_sequence(entry: dict[str, Any]) -> None:
    assert check_sequence(bytes.fromhex(entry["hex"])).hex().upper() == entry["expected"]


def bitwise(octets: bytes) -> bytes:
    """The definition: a shift register of 16 bits, least significant bit first."""
    register = 0xFFFF
    for octet in octets:
        for shift in range(8):
            bit = (octet >> shift ^ register) & 1
            register = register >> 1 ^ (0x8408 if bit else 0)
    return (register ^ 0xFFFF).to_bytes(2, "little")


@given(st.binary(max_size=64))
def test_check_sequence_is_the_definition(octets: bytes) -> None:
    assert check_sequence(octets) == bitwise(octets)


@pytest.mark.parametrize("octets", ["", "02", "0202", "020201", "02020202", "0202020203"])
def test_no_address(octets: str) -> None:
    with pytest.raises(CodecError):
        read_address(Reader(bytes.fromhex(octets)))


@pytest.mark.parametrize(
    "address",
    [Address(128), Address(1, 1), Address(1, 128, 2), Address(0x4000, 0, 4), Address(1, 1, 3)],
)
def test_address_that_cannot_be(address: Address) -> None:
    with pytest.raises(CodecError):
        address.encode()


@given(st.binary(max_size=64))
def test_no_octets_surprise_the_decoder(octets: bytes) -> None:
    """Also with check sequences that are right, so that what is behind them is reached."""
    word = (0xA000 | len(octets) + 4).to_bytes(2, "big")
    sealed = word + octets + bitwise(word + octets)
    for candidate in (octets, sealed):
        try:
            found = decode_frame(candidate)
        except CodecError:
            continue
        assert isinstance(found, Frame | NotUnderstood)


@given(st.sampled_from(Kind), st.booleans(), st.integers(0, 7), st.integers(0, 7), st.booleans())
def test_frames_round_trip(kind: Kind, poll: bool, receive: int, send: int, more: bool) -> None:
    control = Control(kind, poll, receive if kind.is_numbered else 0, send if kind is Kind.I else 0)
    frame = Frame(Address(1, 17, 4), Address(16), control, b"\x7e\x7e\x7d", more)
    assert decode_frame(frame.encode()[1:-1]) == frame


@given(st.lists(st.binary(max_size=12), max_size=12), st.integers(1, 7))
def test_frames_are_found_in_noise(noise: list[bytes], step: int) -> None:
    """Whatever stands before, a frame after enough silence is found; nothing is kept for long."""
    receiver = FrameReceiver(max_length=64)
    for octets in noise:
        receiver.receive(octets, 0.0)
    assert receiver.pending <= 64 + 2
    frame = Frame(Address(1), Address(16), Control(Kind.RR, True, 5))
    octets = frame.encode()
    found = []
    for start in range(0, len(octets), step):
        found += receiver.receive(octets[start : start + step], 10.0)
    assert found == [frame]


def test_frames_longer_than_wanted_are_not_waited_for() -> None:
    receiver = FrameReceiver(max_length=64)
    assert receiver.receive(bytes.fromhex("7EA041"), 0.0) == []
    assert receiver.pending == 0
    assert receiver.dropped == 1
    longest = Frame(Address(1), Address(16), Control(Kind.UI), bytes(64 - 9))
    assert receiver.receive(longest.encode(), 0.0) == [longest]


def test_a_frame_ends_with_a_flag() -> None:
    """Right by its check sequence, but what follows is none."""
    receiver = FrameReceiver()
    frame = Frame(Address(1), Address(16), Control(Kind.RR, True, 1))
    assert receiver.receive(frame.encode()[:-1] + b"\x00", 0.0) == []
    assert receiver.receive(frame.encode(), 0.0) == [frame]


def test_shared_and_repeated_flags() -> None:
    one = Frame(Address(1), Address(16), Control(Kind.RR, True, 1))
    two = Frame(Address(1), Address(16), Control(Kind.RR, True, 2))
    receiver = FrameReceiver()
    stream = b"\x7e\x7e\x7e" + one.encode() + two.encode()[1:] + b"\x7e\x7e" + one.encode()
    assert receiver.receive(stream, 0.0) == [one, two, one]
    assert receiver.dropped == 0
