"""Hunts for bugs that are planted, one after the other, and on a meter that has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median

from emulator.fuzz.findings.finding import Finding, Key
from emulator.fuzz.gallery.bug import Bug
from emulator.fuzz.hunting.hunt import hunt
from emulator.fuzz.judge.judged import judged
from emulator.fuzz.setting import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of one hunt: ``seconds``, or ``steps`` on all ``processes`` together."""

    seconds: float | None = None
    steps: int | None = None
    seed: int = 0
    processes: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What became of the hunt for one bug. ``invariant`` has noticed it, after ``steps`` and
    ``seconds``; ``length`` are the steps of the shrunk run. ``why`` says what is not well: empty if
    it was found.
    """

    name: str
    why: str = ""
    invariant: str = ""
    words: str = ""
    steps: int = 0
    seconds: float = 0.0
    length: int = 0

    @property
    def found(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """What was found on a meter without a bug: nothing, or the judge is wrong, or the meter."""

    place: str
    steps: int
    seconds: float
    found: tuple[str, ...] = ()


def measure(bug: Bug, bounds: Bounds) -> Measured:
    """Hunt for ``bug`` until something is found, and see whether that is it."""
    hunted = hunt(
        bug.setting,
        seconds=bounds.seconds,
        steps=bounds.steps,
        seed=bounds.seed,
        processes=bounds.processes,
        stop_at_first=True,
    )
    found = min(hunted.findings, key=lambda one: (one.seconds, one.steps), default=None)
    if found is None:
        return Measured(name=bug.name, why="not found", steps=hunted.steps, seconds=hunted.seconds)
    return Measured(
        name=bug.name,
        why=doubt(bug, found),
        invariant=found.breach.invariant,
        words=found.breach.words,
        steps=found.steps,
        seconds=found.seconds,
        length=len(found.trail.steps),
    )


def doubt(bug: Bug, found: Finding) -> str:
    """Why what was found is not the bug; empty if it is."""
    without = judged(replace(bug.setting, plants=()), found.actions)
    if any(Key.of(one) == found.key for one in without.all_breaches):
        return f"what was found is there without it: {found.breach}"
    if found.breach.invariant not in bug.invariants:
        return f"noticed by what should not: {found.breach}"
    return ""


def clean(places: Mapping[str, Setting], bounds: Bounds) -> Iterator[Clean]:
    """Hunt on a meter without any bug, in each place for its share of the bounds."""
    count = len(places)
    for place, setting in places.items():
        hunted = hunt(
            setting,
            seconds=None if bounds.seconds is None else bounds.seconds / count,
            steps=None if bounds.steps is None else max(bounds.steps // count, 1),
            seed=bounds.seed,
            processes=bounds.processes,
        )
        yield Clean(
            place=place,
            steps=hunted.steps,
            seconds=hunted.seconds,
            found=tuple(str(one.breach) for one in hunted.findings),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Medians:
    """Of those that were found."""

    steps: float
    seconds: float
    length: float


def medians(measured: Iterable[Measured]) -> Medians | None:
    """``None`` if none was found."""
    found = [one for one in measured if one.found]
    if not found:
        return None
    return Medians(
        steps=median(one.steps for one in found),
        seconds=median(one.seconds for one in found),
        length=median(one.length for one in found),
    )
