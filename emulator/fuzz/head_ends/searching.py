"""A head end is met again and again, until it has done what it must not."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulator.fuzz.breach import Breach
from emulator.fuzz.head_ends.drawing import TASKS, encounters, smaller
from emulator.fuzz.head_ends.judging import breaches
from emulator.fuzz.head_ends.mischief import Encounter
from emulator.fuzz.head_ends.scene import HeadEndUnderTest, Ran

MOST_SHRINKS = 60
"""Encounters that are played to make one smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A head end has done ``breach`` in ``encounter``, which is as small as it was made. ``number``
    is in which encounter it was first seen, ``seconds`` after how long.
    """

    breach: Breach
    encounter: Encounter
    number: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """How often the head end was met, and what it was caught at."""

    caught: tuple[Caught, ...]
    encounters: int
    errands: int
    seconds: float


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
) -> Searched:
    """Until ``most`` encounters or ``seconds`` are over. Breaches of one invariant that are of
    one shape are one finding. ``OSError`` if the head end cannot be started.
    """
    if most is None and seconds is None:
        raise ValueError("a number of encounters or seconds: a search must end")
    began = time.monotonic()
    rng = random.Random(seed)
    caught: dict[str, Caught] = {}
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
            if any(one.breach.invariant == breach.invariant for one in caught.values()):
                continue  # one of each: what else there is shows when that is mended
            least, said = await shrunk(head_end, encounter, breach)
            caught.setdefault(
                said.shape,
                Caught(breach=said, encounter=least, number=number, seconds=since),
            )
        if caught and stop_at_first:
            break
    return Searched(
        caught=tuple(caught.values()),
        encounters=number,
        errands=errands,
        seconds=time.monotonic() - began,
    )


async def shrunk(
    head_end: HeadEndUnderTest, encounter: Encounter, breach: Breach
) -> tuple[Encounter, Breach]:
    """The smallest that could be found with a breach of the same invariant."""
    left = MOST_SHRINKS
    is_smaller = True
    while is_smaller and left > 0:
        is_smaller = False
        for one in smaller(encounter):
            left -= 1
            again = next(
                (
                    found
                    for found in breaches(one, await head_end.play(one))
                    if found.invariant == breach.invariant
                ),
                None,
            )
            if again is not None:
                encounter, breach, is_smaller = one, again, True
                break
            if left <= 0:
                break
    return encounter, breach
