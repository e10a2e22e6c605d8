"""TCP put together again, and what is said of what was not as it should be."""

from __future__ import annotations

import itertools
import random

import pytest

from emulator.decoding.captures import Packet
from emulator.decoding.chunks import Line
from emulator.decoding.flows import lines

METER, CLIENT = ("192.0.2.2", 4059), ("192.0.2.1", 50000)
_numbers = itertools.count(1)


def _packet(
    octets: bytes, sequence: int, *, back: bool = False, flags: str = "PA", client: int = 50000
) -> Packet:
    ends = (METER, (CLIENT[0], client))
    source, destination = ends if back else ends[::-1]
    number = next(_numbers)
    return Packet(number, number / 10, True, source, destination, octets, flags, sequence % 2**32)


def _opening(client: int = 50000, start: int = 99) -> list[Packet]:
    return [
        _packet(b"", start, flags="S", client=client),
        _packet(b"", 499, flags="SA", back=True, client=client),
    ]


def _said(line: Line, *, forward: bool) -> bytes:
    return b"".join(one.octets for one in line.chunks if one.forward is forward)


@pytest.mark.parametrize("start", [99, 2**32 - 7, 2**32 - 1])
def test_whatever_the_order_of_the_segments(start: int) -> None:
    octets = bytes(range(40))
    parts = [_packet(octets[at : at + 4], start + 1 + at) for at in range(0, 40, 4)]
    for seed in range(10):
        random.Random(seed).shuffle(parts)
        (line,) = lines([*_opening(start=start), *parts, _packet(b"answer", 500, back=True)])
        assert (line.caller, line.called) == ("192.0.2.1:50000", "192.0.2.2:4059")
        assert _said(line, forward=True) == octets
        assert _said(line, forward=False) == b"answer"
        assert not any(one.lost for one in line.chunks)


def test_what_is_sent_again_counts_once() -> None:
    packets = [
        *_opening(), _packet(b"abcd", 100), _packet(b"abcd", 100), _packet(b"cdef", 102),
        _packet(b"ab", 100),
    ]  # fmt: skip
    (line,) = lines(packets)
    assert _said(line, forward=True) == b"abcdef"
    assert line.notes == ("3 segments were sent again",)


def test_what_never_came_is_a_gap() -> None:
    (line,) = lines([*_opening(), _packet(b"ab", 100), _packet(b"ef", 104), _packet(b"gh", 106)])
    assert [(one.octets, one.lost) for one in line.chunks] == [(b"ab", 0), (b"ef", 2), (b"gh", 0)]
    assert line.notes == ("2 segments came before their turn",)


def test_several_connections_and_one_more_on_the_same_ports() -> None:
    packets = [
        *_opening(), *_opening(50001), _packet(b"one", 100), _packet(b"two", 100, client=50001),
        *_opening(start=7000), _packet(b"three", 7001),
    ]  # fmt: skip
    assert [_said(line, forward=True) for line in lines(packets)] == [b"one", b"two", b"three"]


def test_a_syn_that_is_said_again_begins_no_other() -> None:
    (line,) = lines([*_opening(), *_opening(), _packet(b"one", 100)])
    assert _said(line, forward=True) == b"one"


def test_a_capture_that_begins_amid_a_connection() -> None:
    (line,) = lines([_packet(b"answer", 500, back=True), _packet(b"next", 100)])
    assert line.called == "192.0.2.2:4059"
    assert _said(line, forward=False) == b"answer"


def test_datagrams_stand_for_themselves() -> None:
    packets = [
        one._replace(tcp=False, flags="")
        for one in (_packet(b"ab", 0), _packet(b"c", 0, back=True))
    ]
    (line,) = lines(packets)
    assert line.whole
    assert [(one.octets, one.forward) for one in line.chunks] == [(b"ab", True), (b"c", False)]
