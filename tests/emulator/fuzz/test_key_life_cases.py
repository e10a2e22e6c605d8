"""The cases of the life of keys: all there, all played, each as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dlms.association.knobs import Knobs
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import play
from emulator.fuzz.scenario.reading import read_all

FOLDER = Path(__file__).parents[3] / "fixtures" / "scenarios"
EVERY = read_all(sorted(FOLDER.glob("*.json")))
SCENARIOS = [one for one in EVERY if one.found is None]
"""The cases; what a search has found stands beside them."""
FAMILIES = {"IC": 22, "KT": 34, "HL": 18, "PR": 19, "BC": 5, "PK": 12, "TL": 13, "PP": 7}
NOT_HERE = {
    "KL-HL-10",
    "KL-TL-03",
    "KL-TL-04",
    "KL-TL-07",
    "KL-TL-08",
    "KL-TL-12",
    "KL-TL-13",
}


def test_every_case_is_there_once_or_in_variants() -> None:
    wanted = {
        f"KL-{family}-{n:02}" for family, most in FAMILIES.items() for n in range(1, most + 1)
    }
    assert len(wanted) == 130
    assert {one.name for one in SCENARIOS} == wanted


def test_few_cannot_be_played_and_say_why() -> None:
    without = {one.name: one.not_here for one in SCENARIOS if not one.courses}
    assert set(without) == NOT_HERE
    assert all(len(why) > 40 for why in without.values())


def test_a_knob_is_one_that_there_is_and_is_turned() -> None:
    marked = [one for one in SCENARIOS if one.knob is not None]
    assert len(marked) >= 20
    for one in marked:
        assert one.knob is not None
        if not one.knob.field:
            assert one.knob.value
            continue
        assert one.knob.field in Knobs.__dataclass_fields__
        turned = [knobs.get(one.knob.field) for knobs in one.knobs.values()]
        assert one.knob.value in turned


def test_rules_are_named_as_elsewhere() -> None:
    for one in SCENARIOS:
        assert all(re.fullmatch(r"R-[A-Z]+-\d+|I\d", rule) for rule in one.rules), one.id


@pytest.mark.parametrize("scenario", [one for one in EVERY if one.courses], ids=lambda one: one.id)
def test_a_case_comes_out_as_it_says(scenario: Scenario) -> None:
    problems = [
        f"{result.course.binding if result.course else ''}: {problem}"
        for result in play(scenario)
        for problem in result.problems
    ]
    assert problems == []


@pytest.mark.parametrize(
    "scenario", [one for one in SCENARIOS if one.courses], ids=lambda one: one.id
)
def test_a_case_expects_something_of_each_course(scenario: Scenario) -> None:
    """One that expects nothing could not fail."""
    for course in scenario.courses:
        assert any(step.expected.outcomes or step.expected.state for step in course.steps)
        assert course.steps
