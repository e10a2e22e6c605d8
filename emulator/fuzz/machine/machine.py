"""Runs drawn by lot: actions as rules of a state machine of Hypothesis."""

from __future__ import annotations

from typing import Any

from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Course, Make
from emulator.fuzz.machine.families import moves
from emulator.fuzz.machine.hypothesis_needed import RuleBasedStateMachine, precondition, rule
from emulator.fuzz.machine.move import Move, always
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.machine.watcher import Watcher
from emulator.fuzz.setting import Setting


def machine(
    setting: Setting, watcher: Watcher, make: Make = in_process
) -> type[RuleBasedStateMachine]:
    """A machine whose every example is one run of ``setting``. A run that breaks something that
    ``watcher`` does not know ends with :class:`~emulator.fuzz.machine.watcher.Broken`.
    """
    palette = Palette(setting)

    class Drawn(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.plot = Plot(Course(setting, make), palette, watcher)

        def teardown(self) -> None:
            self.plot.end()

    for move in moves(palette):
        for number in range(move.weight):
            name = move.name.replace(" ", "_")
            setattr(Drawn, f"{name}_{number}" if number else name, _rule(move, name))
    return Drawn


def _rule(move: Move, name: str) -> Any:
    """Each of a move's rules has the same name, so that a run has all of them or none."""

    def play(self: Any, **drawn: Any) -> None:
        if not self.plot.is_over:
            move.play(self.plot, **drawn)

    play.__name__ = name
    draws: dict[str, Any] = dict(move.draws)
    decorate: Any = rule(**draws)
    found: Any = decorate(play)
    if move.when is not always:
        found = precondition(lambda self: move.when(self.plot))(found)
    return found
