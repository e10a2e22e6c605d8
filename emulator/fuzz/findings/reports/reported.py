"""What a report is made of: findings from their files, and the search that brought them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emulator.fuzz.findings import summary
from emulator.fuzz.findings.summary import Summary
from emulator.fuzz.findings.words import in_words
from emulator.fuzz.scenario.found import Found
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.place import ScenarioError
from emulator.fuzz.scenario.reading import load, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A finding as its file has it."""

    path: Path
    scenario: Scenario
    found: Found

    @property
    def steps(self) -> tuple[str, ...]:
        """What was done, in words: actions, or the errands of an encounter with a head end."""
        if self.scenario.encounter is not None:
            return tuple(map(str, self.scenario.encounter.errands))
        (course,) = self.scenario.courses
        return tuple(in_words(step.action) for step in course.steps)

    @property
    def size(self) -> int:
        """What it was shrunk to, as ``found.was`` counts."""
        encounter = self.scenario.encounter
        return len(self.steps) if encounter is None else encounter.size

    @property
    def unit(self) -> str:
        """What a search has counted."""
        return "steps" if self.scenario.encounter is None else "encounters"

    @property
    def parts(self) -> str:
        """What is taken away when it is shrunk."""
        return "steps" if self.scenario.encounter is None else "errands and mischiefs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """``searches`` may be none: findings stand for themselves."""

    findings: tuple[Filed, ...]
    searches: tuple[Summary, ...] = ()


def reported(paths: Iterable[Path]) -> Reported:
    """What is in files: findings, and searches. :class:`ScenarioError` for anything else."""
    findings: list[Filed] = []
    searches: list[Summary] = []
    for path in paths:
        document = load(path)
        if summary.is_summary(document):
            searches.append(summary.parse(document, str(path)))
            continue
        for scenario in parse(document, str(path)):
            is_one = scenario.encounter is not None or len(scenario.courses) == 1
            if scenario.found is None or not is_one:
                raise ScenarioError(f"{path}: {scenario.id} was not found by a search")
            findings.append(Filed(path=path, scenario=scenario, found=scenario.found))
    return Reported(findings=tuple(findings), searches=tuple(searches))
