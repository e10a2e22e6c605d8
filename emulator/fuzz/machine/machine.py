"""Runs drawn by lot: actions as rules of a state machine of Hypothesis."""

from __future__ import annotations

from typing import Any

from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Course, Make
from emulator.fuzz.machine.families import moves
from emulator.fuzz.machine.hypothesis_needed import (
    RuleBasedStateMachine,
    initialize,
    rule,
    strategies,
)
from emulator.fuzz.machine.lot import STRETCH, WIDTH, Lot
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.machine.watcher import Watcher
from emulator.fuzz.setting import Setting

SELECTIONS = (1 << 24) - 1
"""The highest number of a selection of moves: Hypothesis draws evenly up to there, and mostly small
ones beyond.
"""


def machine(
    setting: Setting, watcher: Watcher, make: Make = in_process
) -> type[RuleBasedStateMachine]:
    """A machine whose every example is one run of ``setting``, and every step a stretch of
    :data:`~emulator.fuzz.machine.lot.STRETCH` moves. A run that breaks something that
    ``watcher`` does not know ends with :class:`~emulator.fuzz.machine.watcher.Broken`.
    """
    palette = Palette(setting)
    there = moves(palette)
    length = STRETCH * WIDTH
    selections: Any = strategies.integers(0, SELECTIONS)
    stretches: Any = strategies.binary(min_size=length, max_size=length)

    class Drawn(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.plot = Plot(Course(setting, make), palette, watcher)
            self.lot = Lot(there, 0)

        def teardown(self) -> None:
            self.plot.end()

        @initialize(selection=selections)
        def begin(self, selection: int) -> None:
            self.lot = Lot(there, selection)

        @rule(octets=stretches)
        def step(self, octets: bytes) -> None:
            self.lot.play(octets, self.plot)

    return Drawn
