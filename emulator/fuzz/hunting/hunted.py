"""What a search comes to, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from emulator.fuzz.findings.extent import Extent, per_second
from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.findings.summary import Summary
from emulator.fuzz.setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """By now. ``shrinking`` are findings that are being made smaller. ``left`` are the seconds
    until the end, if the time is what ends it; ``steps_left`` likewise.
    """

    steps: int
    seconds: float
    runs: int = 0
    states: int = 0
    transitions: int = 0
    findings: int = 0
    shrinking: int = 0
    left: float | None = None
    steps_left: int | None = None

    @property
    def steps_per_second(self) -> float:
        return per_second(self.steps, self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted(Extent):
    """``steps`` are those of the search, in ``runs``; what shrinking has played is not counted.
    ``seconds_to_first`` is when the first finding broke, before it was shrunk. ``covered`` are the
    transitions that were gone: a state of the model, and what happened to it.
    """

    findings: tuple[Finding, ...]
    steps: int
    runs: int
    seconds: float
    seconds_to_first: float | None
    seed: int
    processes: int
    covered: frozenset[tuple[str, str]] = frozenset()
    was_interrupted: bool = False

    def summary(self, setting: Setting, target: str) -> Summary:
        """As a file has it; of several settings any, whose profile and defects are the same."""
        return Summary(
            target=target,
            profile=setting.profile,
            seed=self.seed,
            processes=self.processes,
            steps=self.steps,
            runs=self.runs,
            seconds=round(self.seconds, 3),
            cosemlab=version("cosemlab"),
            plants=tuple(str(one) for one in setting.plants),
            seconds_to_first=None
            if self.seconds_to_first is None
            else round(self.seconds_to_first, 3),
            was_interrupted=self.was_interrupted,
            findings=tuple(one.name for one in self.findings),
            covered=tuple(sorted(self.covered)),
        )
