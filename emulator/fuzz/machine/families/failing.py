"""Power that fails between two writes, and a module that fails in the middle."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.machine.drawing import Base, bases, twisted
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.twist import Twist

_OPERATIONS = ("Unwrap", "Open", "Seal", "Mac", "RandomBytes", "Verify", "Sign", "Agree")
"""Of the meter's Cryptographic Module, by their names."""


def moves(palette: Palette) -> Iterator[Move]:
    proper = bases(palette)
    clients = palette.keyed or palette.clients

    def cut(plot: Plot, client: str, base: Base, at: int) -> None:
        if plot.ready(client):
            plot.do(twisted(base.make(client), Twist(cut=at)))

    def fail(plot: Plot, client: str, base: Base, name: str, at: int) -> None:
        if plot.ready(client):
            plot.do(twisted(base.make(client), Twist(fails=name, fails_at=at)))

    def fail_opening(plot: Plot, client: str, name: str, at: int) -> None:
        plot.open(client, Twist(fails=name, fails_at=at))

    def cycle(plot: Plot) -> None:
        plot.do(actions.PowerCycle())

    draws = {"client": clients, "base": proper}
    names, numbers = _OPERATIONS, (0, 1, 2)
    yield Move("cut", cut, {**draws, "at": (0, 1, 2, 3)}, weight=2)
    yield Move("fail", fail, {**draws, "name": names, "at": numbers})
    yield Move("fail opening", fail_opening, {"client": clients, "name": names, "at": numbers})
    yield Move("power cycle", cycle, {})
