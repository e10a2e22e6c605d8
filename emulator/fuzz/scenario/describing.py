"""Scenarios and what came of them, for people and for programs.

All keys of a run are test keys, which whoever has the package can derive; octets are shown as
:mod:`emulator.trace` shows them all the same, so that nobody learns to print passwords. ``words``
say what an APDU is: by default what can be told without a key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.playing import Played, Result
from emulator.trace import described, shown

Words: TypeAlias = Callable[[bytes], str]


def step_lines(played: Played, words: Words = described) -> list[str]:
    """One step: what was done, what passed, and what came of it."""
    written = {name: one for name, one in played.step.written.items() if name not in _LEFT_OUT}
    lines = [f"{played.number}. {played.step.written['do']} {_short(written)}".rstrip()]
    for passed in played.seen.line:
        lines.append(f"   {passed.direction.value} {passed.client}: {shown(passed.octets)}")
        lines.append(f"      {words(passed.octets)}")
    said = f": {played.seen.says}" if played.seen.says else ""
    lines.append(f"   = {played.seen.outcome.value}{said}")
    return lines


_LEFT_OUT = ("do", "expect", "recorded")
_MOST = 160


def _short(written: dict[str, Any]) -> str:
    text = " ".join(f"{name}={value}" for name, value in written.items())
    return text if len(text) <= _MOST else f"{text[:_MOST]}..."


def scenario_json(scenario: Scenario, results: Sequence[Result]) -> dict[str, Any]:
    """A scenario, and what came of each of its courses."""
    found: dict[str, Any] = {
        "name": scenario.name,
        "variant": scenario.variant,
        "title": scenario.title,
        "rules": list(scenario.rules),
        "profile": scenario.profile,
    }
    if scenario.knob is not None:
        knob = scenario.knob
        found["knob"] = {"at": knob.at, "field": knob.field, "value": knob.value}
    if scenario.not_here:
        found["not_here"] = scenario.not_here
    if results:
        found["passed"] = all(result.passed for result in results)
        found["courses"] = [
            {
                "binding": "" if result.course is None else result.course.binding,
                "problems": list(result.problems),
            }
            for result in results
        ]
    return found


def result_json(result: Result, words: Words = described) -> dict[str, Any]:
    """One course, with every step and the octets that passed."""
    return {
        **scenario_json(result.scenario, ()),
        "binding": "" if result.course is None else result.course.binding,
        "passed": result.passed,
        "problems": list(result.problems),
        "steps": [
            {
                "number": played.number,
                "written": dict(played.step.written),
                "outcome": played.seen.outcome.value,
                "says": played.seen.says,
                "line": [
                    [one.direction.value, one.client, shown(one.octets), words(one.octets)]
                    for one in played.seen.line
                ],
                "problems": list(played.problems),
            }
            for played in result.played
        ],
    }
