"""How a row is measured: contestants in interleaved rounds, the median of the rounds.

The machine is shared and its speed wanders. So within a row every round lets each contestant run
once, in an order that moves on by one; two of them are compared round by round, and only the median
of these ratios says anything. What only computes is measured in processor time.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

OURS = "ours"
GURUX = "gurux"
COSEM = "dlms-cosem"
FLOOR = "floor"
PEERS = (GURUX, COSEM)

Batch: TypeAlias = Callable[[int], None]
"""Does so many operations, one after the other or however it likes."""


@runtime_checkable
class Clocked(Protocol):
    """A batch that gets ready for so many operations before the clock starts, and brings the clock:
    the processor time of another process, for one.
    """

    def prepare(self, count: int) -> None: ...

    def clock(self) -> float:
        """Seconds."""
        ...

    def __call__(self, count: int) -> None: ...


FASTER = {GURUX: 1.0, COSEM: 1.0}
"""Faster than the peers: what is promised unless a row says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is compared. The floor does the same errand without any of our code.

    ``least`` is the promise: by contestant, the least ratio of our rate to theirs. It is empty
    where more differs than the protocol code, for the peers wait in another way than we do, and
    where no promise can be kept on every machine. ``aim`` is the ratio that is wanted, in the same
    way, where that is more than what is promised.
    """

    group: str
    name: str
    contestants: dict[str, Batch]
    least: dict[str, float] = field(default_factory=FASTER.copy)
    aim: dict[str, float] = field(default_factory=dict)


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
        """Our rate over that of ``contestant``, median of the rounds: above 1 we are faster."""
        ours, theirs = self.rounds.get(OURS), self.rounds.get(contestant)
        if not ours or not theirs:
            return None
        return statistics.median(our / their for our, their in zip(ours, theirs, strict=True))

    @property
    def lost_to(self) -> list[str]:
        """The peers that are as fast as we are, or faster."""
        return [peer for peer in PEERS if (ratio := self.ratio(peer)) is not None and ratio <= 1]

    @property
    def missed(self) -> dict[str, float]:
        """The promises that are not kept: by contestant, what was promised."""
        return self._not_reached(self.row.least)

    @property
    def short_of(self) -> dict[str, float]:
        """The aims that are not reached: by contestant, what was aimed at."""
        return self._not_reached(self.row.aim)

    def _not_reached(self, wanted: dict[str, float]) -> dict[str, float]:
        return {
            who: least
            for who, least in wanted.items()
            if (ratio := self.ratio(who)) is not None and ratio <= least
        }


def repeat(operation: Callable[[], object]) -> Batch:
    """A batch that calls ``operation`` so many times."""

    def batch(count: int) -> None:
        for _ in range(count):
            operation()

    return batch


class Computing:
    """A batch that calls ``operation`` so many times, which waits for nothing.

    So its time is that of the processor: nobody pays for what else the machine does meanwhile.
    """

    def __init__(self, operation: Callable[[], object]) -> None:
        self._repeated = repeat(operation)

    def prepare(self, count: int) -> None:
        """Nothing to do."""

    def clock(self) -> float:
        """Seconds."""
        return time.process_time()

    def __call__(self, count: int) -> None:
        self._repeated(count)


def shares(count: int, workers: int) -> list[int]:
    """``count`` operations shared out."""
    share, rest = divmod(count, workers)
    return [share + (number < rest) for number in range(workers)]


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
    """Seconds, of wall time unless the batch has a clock; without the garbage collector, as timeit
    does it.
    """
    clock = time.perf_counter
    if isinstance(batch, Clocked):
        batch.prepare(count)
        clock = batch.clock
    gc.collect()
    gc.disable()
    try:
        start = clock()
        batch(count)
        return clock() - start
    finally:
        gc.enable()
