"""The way in and out of a connection, with a transport that is a list."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.serving.passage import MAX_WAITING, Passage
from emulator.serving.taps import Parcel, Place, Taps


class Transport:
    """Remembers what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.closing = False

    def write(self, octets: bytes) -> None:
        self.done.append(octets.decode())

    def close(self) -> None:
        self.done.append("close")
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.done.append("pause")

    def resume_reading(self) -> None:
        self.done.append("resume")


class Holder:
    is_over = False


class Line:
    """A passage with all that is around it."""

    def __init__(self, timer: Any) -> None:
        self.taps = Taps("tcp", timer)
        self.transport = Transport()
        self.read: list[bytes] = []
        self.passage = Passage(
            self.taps,
            "peer",
            self.read.append,
            self.transport.write,
            self.transport,  # type: ignore[arg-type]
        )


@pytest.fixture
def line(timer: Any) -> Line:
    return Line(timer)


def late(delay: float) -> Any:
    return lambda parcel: (parcel._replace(delay=delay),)


def test_with_nothing_in_the_way_there_is_no_way(line: Line) -> None:
    read, write = line.read.append, line.transport.write
    assert (line.passage.receive, line.passage.send) == (read, write)
    effect = late(1)
    line.taps.put(Place.OCTETS_OUT, effect)
    assert line.passage.receive == read
    assert line.passage.send != write
    line.taps.take(Place.OCTETS_OUT, effect)
    assert line.passage.send == write
    line.taps.put(Place.APDU_OUT, effect)
    assert (line.passage.receive, line.passage.send) == (read, write)


def test_what_is_late_keeps_its_order(line: Line, timer: Any) -> None:
    delays = iter((3.0, 1.0, 0.0))
    line.taps.put(Place.OCTETS_OUT, lambda parcel: (parcel._replace(delay=next(delays)),))
    for octets in (b"a", b"b", b"c"):
        line.passage.send(octets)
    assert timer.delays == [3.0, 1.0]
    timer.let_go(1)
    assert line.transport.done == []
    timer.let_go()
    assert line.transport.done == ["a", "b", "c"]


def test_what_is_late_stays_late_when_the_fault_is_over(line: Line, timer: Any) -> None:
    effect = late(1)
    line.taps.put(Place.OCTETS_OUT, effect)
    line.passage.send(b"a")
    line.taps.take(Place.OCTETS_OUT, effect)
    line.passage.send(b"b")
    assert line.transport.done == []
    timer.let_go()
    assert line.transport.done == ["a", "b"]
    assert line.passage.send == line.transport.write


def test_what_is_held_goes_when_its_holder_is_over(line: Line) -> None:
    holder = Holder()

    def hold(parcel: Parcel) -> tuple[Parcel, ...]:
        return (parcel._replace(held_by=holder),)

    line.taps.put(Place.OCTETS_IN, hold)
    line.passage.receive(b"a")
    line.passage.receive(b"b")
    assert line.read == []
    holder.is_over = True
    line.taps.take(Place.OCTETS_IN, hold)
    assert line.read == [b"a", b"b"]
    assert line.passage.receive == line.read.append


def test_effects_act_one_after_the_other(line: Line) -> None:
    line.taps.put(Place.OCTETS_OUT, lambda parcel: (parcel, parcel))
    line.taps.put(Place.OCTETS_OUT, lambda parcel: (parcel._replace(octets=parcel.octets + b"!"),))
    line.taps.put(Place.OCTETS_OUT, lambda parcel: () if parcel.octets == b"b!" else (parcel,))
    line.passage.send(b"a")
    line.passage.send(b"b")
    assert line.transport.done == ["a!", "a!"]


def test_the_connection_ends_behind_what_waits(line: Line, timer: Any) -> None:
    line.taps.put(Place.OCTETS_OUT, late(1))
    line.passage.send(b"a")
    line.passage.hang_up()
    assert line.transport.done == []
    timer.let_go()
    assert line.transport.done == ["a", "close"]


def test_hanging_up_waits_for_nothing_if_nothing_waits(line: Line) -> None:
    line.passage.hang_up()
    assert line.transport.done == ["close"]


def test_nothing_is_said_behind_the_last(line: Line) -> None:
    line.taps.put(Place.OCTETS_OUT, lambda parcel: (parcel._replace(last=True), parcel))
    line.passage.send(b"a")
    assert line.transport.done == ["a", "close"]


def test_a_connection_that_is_gone_gets_nothing_more(line: Line, timer: Any) -> None:
    line.taps.put(Place.OCTETS_OUT, late(1))
    line.taps.put(Place.OCTETS_IN, late(1))
    line.passage.send(b"a")
    line.passage.receive(b"b")
    line.passage.close()
    while timer.waiting:
        timer.let_go()
    assert (line.transport.done, line.read) == ([], [])
    line.taps.put(Place.OCTETS_OUT, late(2))  # nobody is told of it


@pytest.mark.parametrize("inward", [True, False])
def test_no_more_is_read_while_too_much_waits(line: Line, timer: Any, inward: bool) -> None:
    line.taps.put(Place.OCTETS_IN if inward else Place.OCTETS_OUT, late(1))
    put = line.passage.receive if inward else line.passage.send
    put(bytes(MAX_WAITING))
    assert line.transport.done == []
    put(b"x")
    assert line.transport.done == ["pause"]
    timer.let_go()
    assert line.transport.done[-1] == "resume"
    assert line.transport.done.count("resume") == 1


def test_who_does_not_read_is_not_read_though_room_is_made(line: Line, timer: Any) -> None:
    line.taps.put(Place.OCTETS_IN, late(1))
    line.passage.receive(bytes(MAX_WAITING + 1))
    line.passage.pause()
    assert line.transport.done == ["pause", "pause"]
    timer.let_go()
    assert line.transport.done == ["pause", "pause"]
    line.passage.resume()
    assert line.transport.done[-1] == "resume"


def test_reading_goes_on_only_when_there_is_room(line: Line, timer: Any) -> None:
    line.passage.pause()
    line.taps.put(Place.OCTETS_IN, late(1))
    line.passage.receive(bytes(MAX_WAITING + 1))
    line.passage.resume()
    assert line.transport.done == ["pause"]
    timer.let_go()
    assert line.transport.done == ["pause", "resume"]


def test_datagrams_that_are_too_many_are_lost(timer: Any) -> None:
    class Port:
        def is_closing(self) -> bool:
            return False

    taps, read = Taps("udp", timer), []
    passage = Passage(
        taps,
        "UDP",
        lambda *what: read.append(what),
        lambda *what: None,
        Port(),  # type: ignore
    )
    seen: list[str] = []

    def note(parcel: Parcel) -> tuple[Parcel, ...]:
        seen.append(parcel.peer)
        return (parcel._replace(delay=1),)

    taps.put(Place.OCTETS_IN, note)
    address = "127.0.0.1", 4059
    passage.receive(bytes(MAX_WAITING), address)
    passage.receive(b"x", address)
    assert seen == ["127.0.0.1:4059"] * 2
    assert timer.waiting == 1
    timer.let_go()
    assert read == [(bytes(MAX_WAITING), address)]
