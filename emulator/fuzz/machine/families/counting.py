"""Counters that are not where they were: ahead, near their end, told wrong."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.target import Outcome
from emulator.fuzz.twist import STRAIGHT, Edit, EditKind, Twist

_LAST = 0xFFFFFFFF
_TOLD = (
    STRAIGHT,
    Twist(answer=(Edit(kind=EditKind.PUT, at=-4, octets=bytes(4)),)),
    Twist(answer=(Edit(kind=EditKind.PUT, at=-4, octets=b"\0\0\1\0"),)),
    Twist(answer=(Edit(kind=EditKind.PUT, at=-4, octets=b"\xff\xff\xff\xff"),)),
)
"""What the counter's object answers: as it is, lower, higher, the last of all."""


def moves(palette: Palette) -> Iterator[Move]:
    if not palette.keyed:
        return
    clients = palette.keyed

    def go_ahead(plot: Plot, client: str, by: int) -> None:
        """The client has used more counters elsewhere."""
        present = plot.course.facts.client_sends.get(f"{client}/GUEK")
        if present is not None and present + by < _LAST - 64:
            plot.do(actions.PutCounter(client=client, send=present + min(by, palette.jump(client))))

    def to_the_end(plot: Plot, client: str, left: int) -> None:
        """The meter or the client has little left, and a new key is the only way on."""
        present = plot.course.facts.client_sends.get(f"{client}/GUEK")
        if present is None or palette.jump(client) < _LAST or not plot.ready(client):
            return
        plot.do(actions.PutCounter(client=client, send=_LAST - left))
        seen = plot.do(actions.Rotate(client=client, kinds=("GUEK",)))
        if seen is not Outcome.ACCEPTED:
            plot.do(actions.PutCounter(client=client, send=present + 8))

    def ask(plot: Plot, client: str, twist: Twist) -> None:
        plot.do(actions.CatchUp(client=client, twist=twist))
        plot.ready(client)

    def worn(plot: Plot, client: str, left: int) -> None:
        """The meter has little left to say, and a new key is the only way on."""
        association = palette.scope(client)
        if plot.ready(client):
            key = f"{association}/GUEK"
            if plot.course.facts.sends.get(key, _LAST) < _LAST - 64:
                send = _LAST - left
                plot.do(actions.SetMeterCounter(association=association, send=send))
                plot.do(actions.Rotate(client=client, kinds=("GUEK",)))

    def moved_on(plot: Plot, client: str, by: int, is_floor: bool) -> None:
        """The meter has said or heard more meanwhile."""
        association = palette.scope(client)
        key, facts = f"{association}/GUEK", plot.course.facts
        present = (facts.floors if is_floor else facts.sends).get(key, _LAST)
        if present + by < _LAST - 64:
            value = present + by
            plot.do(
                actions.SetMeterCounter(association=association, floor=value)
                if is_floor
                else actions.SetMeterCounter(association=association, send=value)
            )

    draws = {"client": clients}
    yield Move("worn", worn, {**draws, "left": (4, 3, 2, 1, 0)})
    yield Move("moved on", moved_on, {**draws, "by": (1, 100), "is_floor": (False, True)})
    yield Move("go ahead", go_ahead, {**draws, "by": (1, 16, 100, 2000, 1 << 24)})
    yield Move("to the end", to_the_end, {**draws, "left": (3, 2, 1)})
    yield Move("ask for the counter", ask, {**draws, "twist": _TOLD})
