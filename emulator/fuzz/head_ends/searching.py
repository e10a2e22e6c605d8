"""A head end is met again and again, until it has done what it must not."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from emulator.fuzz.breach import Breach
from emulator.fuzz.head_ends.drawing import encounters, smaller
from emulator.fuzz.head_ends.judging import breaches
from emulator.fuzz.head_ends.mischief import TASKS, Encounter
from emulator.fuzz.head_ends.scene import HeadEndUnderTest, Ran

MOST_SHRINKS = 60
"""Encounters that are played to make one smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A head end has done ``breach`` in ``encounter``, which is as small as it was made; ``ran`` is
    how that went. ``number`` is in which encounter it was first seen, ``seconds`` after how long,
    and ``was`` how many errands and mischiefs that had. ``seed`` is the search's.
    """

    breach: Breach
    encounter: Encounter
    ran: tuple[Ran, ...]
    number: int = 0
    seconds: float = 0.0
    was: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """How often the head end was met, and what it was caught at. ``to_first`` are the seconds up to
    the first of that.
    """

    caught: tuple[Caught, ...]
    encounters: int
    errands: int
    seconds: float

    @property
    def to_first(self) -> float | None:
        return min((one.seconds for one in self.caught), default=None)


Watch = Callable[[int, Encounter, Sequence[Ran], Sequence[Breach]], None]


def _nobody(number: int, encounter: Encounter, ran: Sequence[Ran], found: Sequence[Breach]) -> None:
    """Nobody watches."""


async def search(
    head_end: HeadEndUnderTest,
    *,
    most: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    tasks: Sequence[str] = TASKS,
    most_errands: int = 3,
    stop_at_first: bool = False,
    on_encounter: Watch = _nobody,
    on_caught: Callable[[Caught], None] = lambda caught: None,
) -> Searched:
    """Until ``most`` encounters or ``seconds`` are over. Breaches of one invariant are one finding.
    ``OSError`` if the head end cannot be started.
    """
    if most is None and seconds is None:
        raise ValueError("a number of encounters or seconds: a search must end")
    began = time.monotonic()
    rng = random.Random(seed)
    caught: dict[str, Caught] = {}
    """By the invariant: one of each, what else there is shows when that is mended."""
    number = errands = 0
    for encounter in encounters(rng, tasks, most_errands if head_end.keeps else 1):
        if (most is not None and number >= most) or (
            seconds is not None and time.monotonic() - began >= seconds
        ):
            break
        number += 1
        ran = await head_end.play(encounter)
        errands += len(ran)
        found = breaches(encounter, ran)
        on_encounter(number, encounter, ran, found)
        since = time.monotonic() - began
        for breach in found:
            if breach.invariant in caught:
                continue
            smallest = await shrunk(head_end, encounter, breach, ran)
            one_more = replace(smallest, number=number, seconds=since, seed=seed)
            caught[breach.invariant] = one_more
            on_caught(one_more)
        if caught and stop_at_first:
            break
    return Searched(
        caught=tuple(caught.values()),
        encounters=number,
        errands=errands,
        seconds=time.monotonic() - began,
    )


async def shrunk(
    head_end: HeadEndUnderTest, encounter: Encounter, breach: Breach, ran: Sequence[Ran]
) -> Caught:
    """The smallest that could be found with a breach of the same invariant; ``ran`` is how
    ``encounter`` went.
    """
    left, was = MOST_SHRINKS, encounter.size
    is_smaller = True
    while is_smaller and left > 0:
        is_smaller = False
        for one in smaller(encounter):
            left -= 1
            went = await head_end.play(one)
            same = (each for each in breaches(one, went) if each.invariant == breach.invariant)
            again = next(same, None)
            if again is not None:
                encounter, breach, ran, is_smaller = one, again, went, True
                break
            if left <= 0:
                break
    return Caught(breach=breach, encounter=encounter, ran=tuple(ran), was=was)
