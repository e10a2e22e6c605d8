"""TCP connections put together again: both ways, whatever the order of their segments.

A retransmission is taken once. What never came is a gap, and what is behind it goes on after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from emulator.decoding.captures import Packet
from emulator.decoding.chunks import Chunk, Line

_MODULO = 2**32
_HALF = 2**31
PORT = 4059
"""Registered for DLMS/COSEM: whoever has it has been called, where nobody was seen to call."""


@dataclass(slots=True)
class _Way:
    """One direction. ``following`` is the sequence number that is expected next."""

    following: int | None = None
    early: dict[int, Packet] = field(default_factory=dict)


@dataclass(slots=True)
class _Connection:
    caller: tuple[str, int]
    called: tuple[str, int]
    ways: dict[tuple[str, int], _Way] = field(default_factory=dict)
    chunks: list[Chunk] = field(default_factory=list)
    again: int = 0
    reordered: int = 0
    over: bool = False


def lines(packets: Iterable[Packet]) -> list[Line]:
    """The connections and the datagrams between two ends, in the order in which they begin."""
    running: dict[tuple[bool, frozenset[tuple[str, int]]], _Connection] = {}
    order: list[tuple[bool, _Connection]] = []
    for one in packets:
        key = (one.tcp, frozenset((one.source, one.destination)))
        found = running.get(key)
        begins = one.tcp and "S" in one.flags and "A" not in one.flags
        if found is None or (begins and _is_new(found, one)):
            found = running[key] = _connection(one)
            order.append((one.tcp, found))
        if one.tcp:
            _segment(found, one)
        elif one.payload:
            forward = one.source == found.caller
            found.chunks.append(Chunk(one.payload, forward, one.at, one.number))
    return [_line(tcp, found) for tcp, found in order]


def _is_new(found: _Connection, one: Packet) -> bool:
    """Whether a SYN begins another connection between the same ends, and is none said again."""
    way = found.ways.get(one.source)
    following = None if way is None else way.following
    return following is not None and following != (one.sequence + 1) % _MODULO


def _connection(one: Packet) -> _Connection:
    back = one.tcp and "S" in one.flags and "A" in one.flags
    if not back and "S" not in one.flags:
        back = one.source[1] == PORT or (
            one.destination[1] != PORT and one.source[1] < one.destination[1]
        )
    ends = (one.destination, one.source) if back else (one.source, one.destination)
    return _Connection(*ends)


def _segment(found: _Connection, one: Packet) -> None:
    way = found.ways.setdefault(one.source, _Way())
    if "S" in one.flags:
        way.following = (one.sequence + 1) % _MODULO
        return
    if not one.payload:
        return
    if way.following is None:
        way.following = one.sequence
    if _behind(one.sequence, way.following) > 0:
        way.early.setdefault(one.sequence, one)
        found.reordered += 1
        return
    _take(found, way, one)
    for early in _now_due(way):
        _take(found, way, early)


def _behind(sequence: int, following: int) -> int:
    """How far a sequence number is behind the expected one; negative if it was before."""
    return (sequence - following + _HALF) % _MODULO - _HALF


def _now_due(way: _Way) -> Iterator[Packet]:
    assert way.following is not None
    while way.early:
        first = min(way.early, key=lambda sequence: _behind(sequence, way.following or 0))
        if _behind(first, way.following) > 0:
            return
        yield way.early.pop(first)


def _take(found: _Connection, way: _Way, one: Packet, lost: int = 0) -> None:
    assert way.following is not None
    old = -_behind(one.sequence, way.following)
    fresh = one.payload[max(old, 0) :]
    if old > 0:
        found.again += 1
    if fresh:
        forward = one.source == found.caller
        found.chunks.append(Chunk(fresh, forward, one.at, one.number, lost))
        way.following = (way.following + len(fresh)) % _MODULO


def _line(tcp: bool, found: _Connection) -> Line:
    for way in found.ways.values():
        while way.early:
            assert way.following is not None
            first = min(way.early, key=lambda sequence: _behind(sequence, way.following or 0))
            one = way.early.pop(first)
            lost = max(_behind(one.sequence, way.following), 0)
            way.following = (way.following + lost) % _MODULO
            _take(found, way, one, lost)
    notes = []
    if found.again:
        notes.append(f"{found.again} segments were sent again")
    if found.reordered:
        notes.append(f"{found.reordered} segments came before their turn")
    shown = ["{}:{}".format(*end) for end in (found.caller, found.called)]
    return Line(shown[0], shown[1], tuple(found.chunks), not tcp, tuple(notes))
