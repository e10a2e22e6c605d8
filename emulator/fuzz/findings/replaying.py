"""Scenarios played again, and what may be shown of their APDUs."""

from __future__ import annotations

from typing import NamedTuple

from emulator.fuzz.findings.insight import Insight
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Make
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import Result, play_course
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Target


class Replayed(NamedTuple):
    """A course that was played, and what can be told of its octets."""

    result: Result
    insight: Insight


def replay(scenario: Scenario, make: Make = in_process) -> tuple[Replayed, ...]:
    """Every course of ``scenario``, each from the beginning."""
    found = []
    for course in scenario.courses:
        insights: list[Insight] = []

        def watched(setting: Setting, insights: list[Insight] = insights) -> Target:
            target = make(setting)
            insights.append(Insight(target))
            return target

        def look(_: object, insights: list[Insight] = insights) -> None:
            insights[-1].look()

        result = play_course(scenario, course, on_step=look, make=watched)
        found.append(Replayed(result, insights[-1]))
    return tuple(found)
