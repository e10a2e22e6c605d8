"""Time that passes, clocks that jump, and crowds that want in."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot


def moves(palette: Palette) -> Iterator[Move]:
    def wait(plot: Plot, seconds: int) -> None:
        plot.do(actions.Wait(seconds=float(seconds)))

    def step(plot: Plot, seconds: int) -> None:
        plot.do(actions.ClockStep(seconds=float(seconds)))

    def storm(plot: Plot, client: str, times: int) -> None:
        if plot.ready(client):
            plot.do(actions.Storm(client=client, times=times))

    yield Move("wait", wait, {"seconds": (1, 60)})
    yield Move("clock step", step, {"seconds": (1, 3600, -3600)})
    if palette.guarded:
        draws = {"client": palette.guarded, "times": (1, 3)}
        yield Move("storm", storm, draws)
