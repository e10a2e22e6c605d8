"""Encounters drawn by lot, and smaller ones of one that was too large."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from emulator.fuzz.head_ends.mischief import (
    KINDS,
    METERS,
    TASKS,
    Bound,
    Encounter,
    Errand,
    Mischief,
)

LAST_EXCHANGE = 6
"""An association that is opened again and does its task has not many more."""

_WRONG_THROUGHOUT = 0.08
_IN_PEACE = 0.2
_POWER = 0.15


_WHERE = {Bound.ENDS: (1, 2), Bound.REFUSED: (2, 3, 4), Bound.HARMLESS: (1, 2, 3, 4)}
"""Exchanges of a reading association at which a mischief has something to act on."""

_CHANGING = {"rotate-keys": (3,), "top-up": (3, 4)}
"""Exchanges at which our head end asks for the change; another may look at nothing before."""
_DOUBT = ("lost-answer", "lost-request", "power")
"""After which nobody knows whether a change was made."""


def encounters(
    rng: random.Random, tasks: Sequence[str] = TASKS, most: int = 3
) -> Iterator[Encounter]:
    """Without end: each mischief by itself first, in an order that is drawn, and then several."""
    yield from _simple(rng, tasks)
    while True:
        yield drawn(rng, tasks, most)


def _simple(rng: random.Random, tasks: Sequence[str]) -> list[Encounter]:
    found = [
        _with_one(kind, at, task)
        for task in tasks
        if task in _CHANGING
        for kind in _DOUBT
        for at in _CHANGING[task]
    ]
    if "read" in tasks:
        found += [
            _with_one(kind, at, "read") for kind, bound in KINDS.items() for at in _WHERE[bound]
        ]
        found += [Encounter(errands=(Errand(task="read"),), meter=meter) for meter in METERS[1:]]
    rng.shuffle(found)
    return found


def _with_one(kind: str, at: int, task: str) -> Encounter:
    errand = Errand(task=task, mischiefs=(Mischief(at=at, kind=kind),))
    return Encounter(errands=(errand,), seed=f"{at}")


def drawn(rng: random.Random, tasks: Sequence[str] = TASKS, most: int = 3) -> Encounter:
    """One to ``most`` errands, each with up to three mischiefs."""
    seed = f"{rng.getrandbits(32):08x}"
    if rng.random() < _WRONG_THROUGHOUT and "read" in tasks:
        return Encounter(errands=(Errand(task="read"),), meter=rng.choice(METERS[1:]), seed=seed)
    errands = tuple(_errand(rng, tasks) for _ in range(rng.randint(1, most)))
    return Encounter(errands=errands, seed=seed)


def _errand(rng: random.Random, tasks: Sequence[str]) -> Errand:
    count = 0 if rng.random() < _IN_PEACE else rng.randint(1, 3)
    drawn_at = sorted(rng.sample(range(1, LAST_EXCHANGE + 1), count))
    kinds = tuple(KINDS)
    return Errand(
        task=rng.choice(tuple(tasks)),
        mischiefs=tuple(Mischief(at=at, kind=rng.choice(kinds)) for at in drawn_at),
        power=rng.random() < _POWER,
    )


def smaller(encounter: Encounter) -> Iterator[Encounter]:
    """The same with one thing less, the largest first."""
    errands = encounter.errands
    if len(errands) > 1:
        for number in range(len(errands)):
            yield replace(encounter, errands=errands[:number] + errands[number + 1 :])
    for number, errand in enumerate(errands):
        for one in range(len(errand.mischiefs)):
            fewer = errand.mischiefs[:one] + errand.mischiefs[one + 1 :]
            yield _with(encounter, number, replace(errand, mischiefs=fewer))
        if errand.power:
            yield _with(encounter, number, replace(errand, power=False))
        if errand.task != "read":
            yield _with(encounter, number, replace(errand, task="read"))


def _with(encounter: Encounter, number: int, errand: Errand) -> Encounter:
    errands = list(encounter.errands)
    errands[number] = errand
    return replace(encounter, errands=tuple(errands))
