"""What a finding shows when it is played once more: octets, counters, and the keys it had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version

from emulator.fuzz.breach import Breach
from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.findings.insight import Insight
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Course, Make
from emulator.fuzz.scenario.found import Found, Witnessed
from emulator.fuzz.target import Facts, Passed

MOST_APDUS = 64
"""Of one step: a storm has thousands of them, all alike."""

IN_THE_END = "in the end"
"""The outcome of what is looked at when all is quiet."""


def found(finding: Finding, make: Make = in_process) -> Found:
    """The evidence of ``finding``. It is played once more for that, on a fresh target."""
    course = Course(finding.trail.setting, make)
    insight = Insight(course.target)
    seen: list[Witnessed] = []
    passed: list[tuple[Passed, ...]] = []
    for action in finding.actions:
        done = course.do(action)
        if done is None:
            continue
        seen.append(
            _witnessed(done.seen.outcome.value, done.seen.says, done.breaches, course.facts)
        )
        passed.append(done.seen.line)
        insight.look()
    words = insight.words()
    lines = [_line(one, insight.octets, words) for one in passed]
    seen = [
        replace(one, line=line, left_out=max(len(all_of_it) - MOST_APDUS, 0))
        for one, line, all_of_it in zip(seen, lines, passed, strict=True)
    ]
    if not finding.step:
        breaches = course.end()
        seen.append(_witnessed(IN_THE_END, "", breaches, course.facts))
    return Found(
        invariant=finding.breach.invariant,
        words=finding.breach.words,
        shape=finding.breach.shape,
        step=finding.step,
        target=finding.target,
        version=version("cosemlab"),
        seed=finding.seed,
        process=finding.process,
        steps=finding.steps,
        seconds=round(finding.seconds, 3),
        was=finding.was,
        seen=tuple(seen),
        keys=insight.keys,
    )


def _line(
    passed: tuple[Passed, ...], octets: Callable[[bytes], str], words: Callable[[bytes], str]
) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (one.direction.value, one.client, octets(one.octets), words(one.octets))
        for one in passed[:MOST_APDUS]
    )


def _not_zero(counters: Mapping[str, int]) -> dict[str, int]:
    """Of some twenty associations most have done nothing."""
    return {name: number for name, number in counters.items() if number}


def _witnessed(
    outcome: str,
    says: str,
    breaches: tuple[Breach, ...],
    facts: Facts,
) -> Witnessed:
    return Witnessed(
        outcome=outcome,
        says=says,
        breaks=tuple(str(one) for one in breaches),
        floors=_not_zero(facts.floors),
        sends=_not_zero(facts.sends),
        versions=_not_zero(facts.versions),
        agree=dict(facts.agree),
        open=tuple(sorted(facts.open)),
    )
