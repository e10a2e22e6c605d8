"""What the machine draws besides what every client says: each comes, and to what it should."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.judge.course import Course
from emulator.fuzz.judge.history import is_export, is_removal
from emulator.fuzz.machine.families import moves
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.machine.settings import settings
from emulator.fuzz.machine.watcher import Unwatched
from emulator.fuzz.target import Outcome
from emulator.fuzz.trail import Done

A, R = Outcome.ACCEPTED, Outcome.REFUSED


def reflected(action: Action) -> bool:
    change = getattr(action, "change", None)
    return isinstance(change, actions.AarqChange) and bool(change.reflect)


def heard(action: Action) -> bool:
    return isinstance(action, actions.Replay) and action.heard


def told(action: Action) -> bool:
    return isinstance(action, actions.Announce)


def moved(action: Action) -> bool:
    return isinstance(action, actions.SetMeterCounter)


def exported(action: Action) -> bool:
    return isinstance(action, actions.Act) and is_export(action.method)


def removed(action: Action) -> bool:
    return isinstance(action, actions.Act) and is_removal(action.method)


def sent(action: Action) -> bool:
    return isinstance(action, actions.Send)


def proof(action: Action) -> bool:
    twist = getattr(action, "twist", None)
    return isinstance(action, actions.Authenticate) and twist is not None and bool(twist.mac)


def rotated(action: Action) -> bool:
    return isinstance(action, actions.Rotate)


def played(setting: str, name: str) -> list[Done]:
    """All that comes of a move, with each of its values, each on a meter of its own."""
    there = settings()[setting]
    palette = Palette(there)
    (move,) = (one for one in moves(palette) if one.name == name)
    done: list[Done] = []
    for number in range(_count(move)):
        plot = Plot(Course(there), palette, Unwatched())
        move.play(plot, **move.drawn(number))
        plot.end()
        assert plot.course.trail().all_breaches == ()
        done += plot.course.steps
    return done


def _count(move: Move) -> int:
    count = 1
    for values in move.draws.values():
        count *= len(values)
    return count


CASES: list[tuple[str, str, Callable[[Action], bool], set[Outcome]]] = [
    ("two hands", "reflect a challenge", reflected, {A}),
    ("secrets", "reflect a challenge", reflected, {A}),
    ("two hands", "prove as the meter", proof, {R}),
    ("two hands", "prove own challenge", proof, {R}),
    ("two hands", "send back", heard, {R}),
    ("short names", "send back", heard, {R}),
    ("two hands", "send any back", heard, {R}),
    ("two hands", "tell", told, {A, Outcome.DONE}),
    ("short names", "tell", told, {A, Outcome.DONE}),
    ("two hands", "tell under new keys", told, {A, Outcome.DONE, Outcome.DISTRUSTED}),
    ("two hands", "moved on", moved, {Outcome.DONE}),
    ("two hands", "worn", rotated, {A, Outcome.HUNG_UP}),
    ("suites 1 and 2", "export a certificate", exported, {A}),
    ("suites 1 and 2", "remove a certificate", removed, {A, Outcome.SILENCE}),
    ("suites 1 and 2", "remove a certificate", exported, {A, R}),
    ("short names", "ask by short name", sent, {A, R}),
    ("short names", "again by short name", sent, {A, Outcome.SILENCE}),
]


@pytest.mark.parametrize(
    ("setting", "name", "is_it", "comes"), CASES, ids=[f"{one[0]}: {one[1]}" for one in CASES]
)
def test_a_move_does_what_it_is_for_and_breaks_nothing(
    setting: str, name: str, is_it: Callable[[Action], bool], comes: set[Outcome]
) -> None:
    found = [one.seen.outcome for one in played(setting, name) if is_it(one.action)]
    assert found
    assert set(found) == comes


def test_a_counter_that_was_moved_on_is_kept_over_a_loss_of_power() -> None:
    target = InProcess(seed="1")
    target.do(actions.SetMeterCounter(association="dco", send=100_000))
    assert target.look().sends["dco/GUEK"] == 100_000
    target.do(actions.PowerCycle())
    assert target.look().sends["dco/GUEK"] >= 100_000
    assert target.look().breaches == ()
