"""What all processes of a search have done together."""

from __future__ import annotations

import time
from dataclasses import replace

from emulator.fuzz.findings.finding import Finding, Key
from emulator.fuzz.hunting.hunted import Hunted, Progress
from emulator.fuzz.hunting.posts import Broke, Counted, Failed, FoundIt, Message


class Tally:
    """``began`` is of the monotonic clock."""

    def __init__(self, began: float, seconds: float | None, steps: int | None) -> None:
        self.began = began
        self.findings: dict[Key, Finding] = {}
        """The first that broke, in the shortest form that is known."""
        self.failure = ""
        self._seconds = seconds
        self._wanted = steps
        self._covered: set[tuple[str, str]] = set()
        self._counts: dict[int, Counted] = {}
        self._open: set[tuple[int, Key]] = set()

    @property
    def steps(self) -> int:
        return sum(one.steps for one in self._counts.values())

    @property
    def runs(self) -> int:
        return sum(one.runs for one in self._counts.values())

    def hear(self, process: int, message: Message) -> Finding | None:
        """Take down what a process says. A finding if it is new, or shorter than it was."""
        match message:
            case Counted():
                self._counts[process] = message
                self._covered |= message.fresh
            case Broke(finding=finding):
                self._open.add((process, finding.key))
                others = sum(one.steps for at, one in self._counts.items() if at != process)
                if finding.key not in self.findings:
                    self.findings[finding.key] = replace(finding, steps=finding.steps + others)
            case FoundIt(finding=finding):
                self._open.discard((process, finding.key))
                return self._shorter(finding)
            case Failed(why=why):
                self.failure = self.failure or why
        return None

    def _shorter(self, finding: Finding) -> Finding | None:
        first = self.findings.get(finding.key)
        if first is None:
            self.findings[finding.key] = finding
            return finding
        if len(finding.trail.steps) > len(first.trail.steps):
            return None
        found = first.shrunk(finding.trail, finding.breach)
        self.findings[finding.key] = found
        return found

    def progress(self) -> Progress:
        seconds = time.monotonic() - self.began
        left = None if self._seconds is None else max(self._seconds - seconds, 0.0)
        steps_left = None if self._wanted is None else max(self._wanted - self.steps, 0)
        return Progress(
            steps=self.steps,
            seconds=seconds,
            runs=self.runs,
            states=len({state for state, _ in self._covered}),
            transitions=len(self._covered),
            findings=len(self.findings),
            shrinking=len(self._open),
            left=left,
            steps_left=steps_left,
        )

    def hunted(self, seed: int, processes: int, *, was_interrupted: bool) -> Hunted:
        """All of it, the findings in the order in which they broke."""
        found = sorted(self.findings.values(), key=lambda one: one.seconds)
        return Hunted(
            findings=tuple(found),
            steps=self.steps,
            runs=self.runs,
            seconds=time.monotonic() - self.began,
            seconds_to_first=found[0].seconds if found else None,
            seed=seed,
            processes=processes,
            covered=frozenset(self._covered),
            was_interrupted=was_interrupted,
        )
