"""Runs that are drawn: the same from the same seed, none breaks a right meter, and defects show."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as budget
from hypothesis.stateful import run_state_machine_as_test

from dlms.association import authenticating
from dlms.cosem.security_setup import Policy
from dlms.security.counters import InvocationCounters
from emulator.fuzz.actions import Plant
from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.machine.machine import machine
from emulator.fuzz.machine.settings import settings
from emulator.fuzz.machine.watcher import Broken
from emulator.fuzz.scenario.reading import parse
from emulator.fuzz.scenario.writing import document, scenario
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Outcome
from emulator.fuzz.trail import Done, Trail

LABORATORY = settings()
PLAIN = LABORATORY["two hands"]
SEED = 3


class Notes:
    """What a watcher is told."""

    def __init__(self, known: bool = False) -> None:
        self.known = known
        self.steps: list[tuple[str, str]] = []
        self.trails: list[Trail] = []
        self.runs = 0

    def began(self) -> None:
        self.runs += 1

    def did(self, done: Done, state: str, event: str) -> None:
        self.steps.append((state, event))

    def ended(self, trail: Trail) -> None:
        self.trails.append(trail)

    def knows(self, breach: Breach) -> bool:
        return self.known


def draw(setting: Setting, notes: Notes, *, runs: int = 4, stretches: int = 6) -> None:
    run_state_machine_as_test(
        seed(SEED)(machine(setting, notes)),
        settings=budget(
            max_examples=runs,
            stateful_step_count=1 + stretches,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("name", LABORATORY)
def test_no_run_breaks_a_right_meter(name: str) -> None:
    notes = Notes()
    draw(LABORATORY[name], notes)
    assert notes.runs == len(notes.trails) >= 4
    assert len(notes.steps) > 50


@pytest.mark.parametrize("profile", ["secure", "itron"])
def test_nor_that_of_a_manufacturer(profile: str) -> None:
    for setting in settings(profile).values():
        notes = Notes()
        draw(setting, notes)
        assert notes.trails


def test_most_of_what_is_drawn_makes_sense() -> None:
    """Where nearly all is refused, nothing is found."""
    notes = Notes()
    draw(PLAIN, notes, runs=8)
    done = [step.seen.outcome for trail in notes.trails for step in trail.steps]
    assert done.count(Outcome.ACCEPTED) > len(done) // 3
    assert done.count(Outcome.REFUSED) > len(done) // 10


def test_the_same_seed_draws_the_same() -> None:
    first, second = Notes(), Notes()
    draw(PLAIN, first)
    draw(PLAIN, second)
    assert first.steps == second.steps
    assert first.trails == second.trails


def test_a_trail_can_be_played_again() -> None:
    notes = Notes()
    draw(LABORATORY["shared"], notes)
    for trail in notes.trails:
        again = judged(trail.setting, [done.action for done in trail.steps])
        assert [done.seen for done in again.steps] == [done.seen for done in trail.steps]


@pytest.mark.parametrize("name", ["two hands", "suites 1 and 2", "strict", "channels"])
def test_what_is_drawn_can_be_written_and_read(name: str) -> None:
    """Or a finding could not be filed."""
    notes = Notes()
    draw(LABORATORY[name], notes)
    for trail in notes.trails:
        actions = [done.action for done in trail.steps]
        written = document([scenario("DRAWN", "drawn", trail.setting, actions)])
        (read,) = parse(json.loads(json.dumps(written)))
        assert [step.action for step in read.courses[0].steps] == actions
        assert (read.clients, read.knobs) == (trail.setting.clients, trail.setting.knobs)


def test_states_and_events_are_words_without_numbers() -> None:
    notes = Notes()
    draw(PLAIN, notes)
    states = {state for state, _ in notes.steps}
    assert "dco: associated" in states
    assert not any(character.isdigit() for _, event in notes.steps for character in event)


def policies_weaken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Policy, "weakens", lambda self, present: False)


def any_action_is_pass_3(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        authenticating, "is_pass_3", lambda request: type(request).__name__ == "ActionRequest"
    )


def counters_wrap(patch: pytest.MonkeyPatch) -> None:
    def check(self: Any, ek: Any, received: int, max_jump: int | None = None) -> None:
        """Any counter will do."""

    patch.setattr(InvocationCounters, "check", check)
    patch.setattr(
        InvocationCounters,
        "accept",
        lambda self, ek, received: self._floor.__setitem__(ek, max(received + 1, self.floor(ek))),
    )


PLANTS = [
    Plant(fault="careless", parameters=(("how", "any-tag"),)),
    Plant(fault="careless", parameters=(("how", "any-secret"),)),
    Plant(fault="careless", parameters=(("how", "stale-random"),)),
    Plant(fault="careless", parameters=(("how", "any-wrapping"),)),
]


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_planted_fault_is_found(plant: Plant) -> None:
    found = _found(replace(PLAIN, plants=(plant,)))
    again = judged(found.trail.setting, [done.action for done in found.trail.steps])
    assert found.breach in again.all_breaches


@pytest.mark.parametrize(
    "defect", [policies_weaken, any_action_is_pass_3, counters_wrap], ids=lambda one: one.__name__
)
def test_a_defect_of_code_is_found(
    defect: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    defect(monkeypatch)
    assert _found(PLAIN).trail.steps


def test_what_is_known_just_ends_the_run() -> None:
    notes = Notes(known=True)
    draw(replace(PLAIN, plants=(PLANTS[2],)), notes, runs=2)
    assert any(trail.all_breaches for trail in notes.trails)
    for trail in notes.trails:
        assert not any(done.breaches for done in trail.steps[:-1])


def _found(setting: Setting) -> Broken:
    notes = Notes()
    with pytest.raises(Broken) as caught:
        draw(setting, notes, runs=60)
    assert notes.trails[-1] == caught.value.trail
    assert caught.value.breach in caught.value.trail.all_breaches
    return caught.value


def test_without_hypothesis_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "emulator.fuzz.machine.hypothesis_needed")
    with pytest.raises(ImportError, match=r"install the extra, cosemlab\[fuzz\]"):
        importlib.import_module("emulator.fuzz.machine.hypothesis_needed")
