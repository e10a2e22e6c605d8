"""Each bug of the gallery by hand: a good meter passes the scenario, and one with the bug not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emulator.fuzz.actions import Plant
from emulator.fuzz.gallery.bug import bugs
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import play
from emulator.fuzz.scenario.reading import read_all
from emulator.fuzz.setting import Setting

FOLDER = Path(__file__).parents[4] / "fixtures" / "gallery"
WITNESSES = {one.name: one for one in read_all(sorted(FOLDER.glob("*.json")))}


def problems(scenario: Scenario, *plants: Plant) -> list[str]:
    return [problem for result in play(scenario, plants) for problem in result.problems]


def test_every_bug_has_one_and_no_other_is_there() -> None:
    assert WITNESSES.keys() == bugs().keys()


@pytest.mark.parametrize("witness", WITNESSES.values(), ids=WITNESSES)
def test_a_good_meter_passes(witness: Scenario) -> None:
    assert problems(witness) == []


@pytest.mark.parametrize("witness", WITNESSES.values(), ids=WITNESSES)
def test_a_meter_with_the_bug_does_not(witness: Scenario) -> None:
    found = problems(witness, Plant(fault=witness.name))
    assert found
    assert not any("cannot be done" in problem for problem in found)


@pytest.mark.parametrize("witness", WITNESSES.values(), ids=WITNESSES)
def test_a_witness_is_short(witness: Scenario) -> None:
    assert 1 <= len(witness.courses[0].steps) <= 5
    assert len(witness.courses) == 1


@pytest.mark.parametrize("witness", WITNESSES.values(), ids=WITNESSES)
def test_the_judge_sees_it_and_nothing_on_a_good_meter(witness: Scenario) -> None:
    setting = Setting(
        profile=witness.profile, clients=witness.clients, seed=witness.seed, alive=witness.alive
    )
    steps = [step.action for step in witness.courses[0].steps]
    assert judged(setting, steps).all_breaches == ()
    with_it = replace(setting, plants=(Plant(fault=witness.name),))
    seen = {one.invariant for one in judged(with_it, steps).all_breaches}
    assert seen & set(bugs()[witness.name].invariants)


def test_a_bug_is_that_of_one_meter() -> None:
    """Another in the same process is as it was, before and after."""
    witness = WITNESSES["counter-equal"]
    assert problems(witness, Plant(fault="counter-equal"))
    assert problems(witness) == []


def test_a_bug_may_be_that_of_one_association() -> None:
    only = (("association", "s1sp"),)
    for name in ("half-array", "counter-equal", "outlives-release", "short-tag"):
        assert problems(WITNESSES[name], Plant(fault=name, parameters=only)) == [], name
        dco = Plant(fault=name, parameters=(("association", "dco"),))
        assert problems(WITNESSES[name], dco), name
