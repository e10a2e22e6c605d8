"""How a row is measured: contestants in interleaved rounds, the median of the rounds.

The machine is shared and its speed wanders. So within a row every round lets each contestant run
once, in an order that moves on by one, and only the ratio of two medians of one row says anything.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

OURS = "ours"
GURUX = "gurux"
COSEM = "dlms-cosem"
FLOOR = "floor"
PEERS = (GURUX, COSEM)

Batch: TypeAlias = Callable[[int], None]
"""Does so many operations, one after the other or however it likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is compared. The floor does the same errand without any of our code.

    ``must_win`` is false where the peers wait in another way than we do, so that more differs than
    the protocol code.
    """

    group: str
    name: str
    contestants: dict[str, Batch]
    must_win: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """``seconds`` is what one contestant may take in one of the ``rounds``."""

    rounds: int
    seconds: float


FULL = Effort(rounds=7, seconds=0.1)
QUICK = Effort(rounds=3, seconds=0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Operations per second by contestant: the rounds, and their median."""

    row: Row
    rounds: dict[str, list[float]] = field(repr=False)

    def rate(self, contestant: str) -> float | None:
        rounds = self.rounds.get(contestant)
        return statistics.median(rounds) if rounds else None

    def ratio(self, contestant: str) -> float | None:
        """Our rate over that of ``contestant``: above 1 we are faster."""
        ours, theirs = self.rate(OURS), self.rate(contestant)
        return None if ours is None or theirs is None else ours / theirs

    @property
    def lost_to(self) -> list[str]:
        """The peers that are as fast as we are, or faster."""
        return [peer for peer in PEERS if (ratio := self.ratio(peer)) is not None and ratio <= 1]


def repeat(operation: Callable[[], object]) -> Batch:
    """A batch that calls ``operation`` so many times."""

    def batch(count: int) -> None:
        for _ in range(count):
            operation()

    return batch


def measure(row: Row, effort: Effort) -> Result:
    """Run ``row``. What a contestant raises comes out: a wrong answer is no speed."""
    counts = {name: _calibrate(batch, effort.seconds) for name, batch in row.contestants.items()}
    rounds: dict[str, list[float]] = {name: [] for name in counts}
    order = list(counts)
    for _ in range(effort.rounds):
        for name in order:
            count = counts[name]
            rounds[name].append(count / _time(row.contestants[name], count))
        order.append(order.pop(0))
    return Result(row=row, rounds=rounds)


def _calibrate(batch: Batch, seconds: float) -> int:
    """How many operations fill ``seconds``. Serves to warm up as well."""
    count = 1
    while True:
        elapsed = _time(batch, count)
        if elapsed >= seconds / 4:
            return max(1, round(count * seconds / elapsed))
        count *= 2


def _time(batch: Batch, count: int) -> float:
    """Seconds of wall time, with the garbage collector out of the way, as timeit does it."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        batch(count)
        return time.perf_counter() - start
    finally:
        gc.enable()
