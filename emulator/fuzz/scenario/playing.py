"""Scenarios played on a target, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dlms.errors import DlmsError
from emulator.fuzz.actions import Plant
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Make
from emulator.fuzz.judge.ending import Ending
from emulator.fuzz.judge.judge import Judge
from emulator.fuzz.scenario.expecting import problems
from emulator.fuzz.scenario.model import Course, Scenario, Step
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Facts, Outcome, Seen, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One step, from 1, and what was not as expected."""

    number: int
    step: Step
    seen: Seen
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A course of a scenario. ``problems`` names the step; empty is well."""

    scenario: Scenario
    course: Course | None
    played: tuple[Played, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems


def play(
    scenario: Scenario, plants: Sequence[Plant] = (), make: Make = in_process
) -> tuple[Result, ...]:
    """Every course of ``scenario``, each from the beginning, with defects planted in the meter."""
    return tuple(play_course(scenario, course, plants, make=make) for course in scenario.courses)


def play_course(
    scenario: Scenario,
    course: Course,
    plants: Sequence[Plant] = (),
    on_step: Callable[[Played], None] = lambda played: None,
    *,
    make: Make = in_process,
) -> Result:
    """One course. What a search has found is played until the first step that breaks something,
    and all invariants that the search has looked after are looked after.
    """
    setting = replace(scenario.setting, plants=(*scenario.plants, *plants))
    target = make(setting)
    judge = None if scenario.found is None else Judge(setting)
    played: list[Played] = []
    found: list[str] = []
    after = target.look()
    for number, step in enumerate(course.steps, 1):
        before = after
        try:
            seen = target.do(step.action)
        except (ValueError, DlmsError) as error:
            found.append(f"step {number}: it cannot be done: {error}")
            break
        after = target.look()
        wrong = [*problems(step.expected, seen, before, after), *_differs(step, seen)]
        breaches = () if judge is None else judge.watch(step.action, seen, before, after)
        wrong += [str(one) for one in breaches if str(one) not in wrong]
        played.append(Played(number=number, step=step, seen=seen, problems=tuple(wrong)))
        on_step(played[-1])
        found += [f"step {number}: {one}" for one in wrong]
        if breaches:
            break
    else:
        found += [f"in the end: {one}" for one in _in_the_end(setting, target, judge, after)]
    return Result(scenario=scenario, course=course, played=tuple(played), problems=tuple(found))


def _in_the_end(setting: Setting, target: Target, judge: Judge | None, before: Facts) -> list[str]:
    if judge is None and not setting.alive:
        return []
    if judge is not None:
        return [str(one) for one in Ending(target, judge, before).come()]
    last = target.alive()
    if last.outcome is Outcome.ACCEPTED:
        return []
    return [f"I6: no legitimate association: {last.says}"]


def _differs(step: Step, seen: Seen) -> list[str]:
    """Whether other octets passed than were recorded."""
    if not step.recorded:
        return []
    line = [(one.direction, one.client, one.octets) for one in seen.line]
    recorded = [(one.direction, one.client, one.octets) for one in step.recorded]
    return [] if line == recorded else ["other octets passed than were recorded"]


def failed(results: Iterable[Result]) -> tuple[Result, ...]:
    return tuple(result for result in results if not result.passed)
