"""Octets of before, once more."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.machine.drawing import SELDOM
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot


def moves(palette: Palette) -> Iterator[Move]:
    def replay(plot: Plot, back: int, other: str, is_other: bool, raw: bool) -> None:
        """One step, counted back from the last; by another client if it ``is_other``."""
        steps = plot.spoken()
        step = steps[-1 - back % len(steps)]
        speaker = getattr(plot.course.steps[step - 1].action, "client", "") or other
        client = other if is_other else speaker
        if plot.ready(client, raw):
            plot.do(actions.Replay(client=client, step=step))

    def replay_first(plot: Plot, back: int) -> None:
        """The first APDU of a step alone, an AARQ for example, on a connection that has none."""
        steps = plot.spoken()
        step = steps[-1 - back % len(steps)]
        client = getattr(plot.course.steps[step - 1].action, "client", "") or palette.clients[0]
        plot.do(actions.Hang(client=client))
        plot.do(actions.Replay(client=client, step=step, apdu=0))

    back = tuple(range(13))
    draws = {"back": back, "other": palette.clients, "is_other": SELDOM, "raw": SELDOM}
    yield Move(
        "replay",
        replay,
        draws,
        weight=3,
        when=lambda plot: bool(plot.course.steps) and bool(plot.spoken()),
    )
    yield Move(
        "replay first",
        replay_first,
        {"back": back},
        when=lambda plot: bool(plot.course.steps) and bool(plot.spoken()),
    )
