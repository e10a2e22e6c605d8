"""Looks on while runs are drawn: counts, knows what was found, and ends what has to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from emulator.fuzz.breach import Breach
from emulator.fuzz.findings.finding import Finding, Key
from emulator.fuzz.hunting.plan import AFTERWARDS, Plan
from emulator.fuzz.trail import Done, Trail

EVERY = 0.2
"""Seconds between two looks at what the other processes say, and words about how far it is."""


class Enough(BaseException):
    """The search, or a round of it, ends here. Not an :class:`Exception`: it must
    pass through Hypothesis, which takes those for a failure of what is tried.
    """


class Post(Protocol):
    """Between one process and the whole search."""

    def counted(
        self, steps: int, runs: int, covered: frozenset[tuple[str, str]], shrinking: int
    ) -> None:
        """How much was done, and what was covered since the last time."""
        ...

    def broke(self, finding: Finding) -> None:
        """Something is broken for the first time; it is not shrunk yet."""
        ...

    def found(self, finding: Finding) -> None:
        """The same, shrunk."""
        ...

    def known(self) -> frozenset[Key]:
        """What others have found."""
        ...

    def is_stopped(self) -> bool: ...


class LookingOn:
    """The :class:`~emulator.fuzz.machine.watcher.Watcher` of one process."""

    def __init__(self, plan: Plan, post: Post, now: Callable[[], float] = time.monotonic) -> None:
        self.plan = plan
        self.steps = 0
        self.runs = 0
        self.known: set[Key] = set()
        self.finding: Finding | None = None
        """What is broken, and not shrunk yet."""
        self.is_over = False
        self._post = post
        self._now = now
        self._is_ending = False
        self._is_stopped = False
        self._last: Trail | None = None
        self._covered: set[tuple[str, str]] = set()
        self._fresh: set[tuple[str, str]] = set()
        self._next_look = 0.0

    # As the machine sees it -----------------------------------------------------------------------

    def began(self) -> None:
        if self.finding is not None:
            self._end()  # Hypothesis would play once more what is broken: it is shrunk elsewhere
        self.runs += 1
        self._look()

    def did(self, done: Done, state: str, event: str) -> None:
        self.steps += 1
        if (state, event) not in self._covered:
            self._covered.add((state, event))
            self._fresh.add((state, event))
        self._look()

    def ended(self, trail: Trail) -> None:
        self._last = trail

    def knows(self, breach: Breach) -> bool:
        if self._is_ending or self.finding is not None or Key.of(breach) in self.known:
            return True
        self._breaks(breach)
        return False

    def _breaks(self, breach: Breach) -> None:
        """It is new, and is to be shrunk."""
        plan = self.plan
        assert self._last is not None
        self.finding = Finding(
            breach=breach,
            trail=self._last,
            seed=plan.seed,
            process=plan.process,
            steps=self.steps,
            seconds=self._now() - plan.began,
            was=len(self._last.steps),
            target=plan.target,
        )
        self._post.broke(self.finding)

    # As the search sees it ------------------------------------------------------------------------

    def begin_round(self) -> None:
        self._is_ending = False

    def is_shrunk(self, finding: Finding) -> None:
        """That is all that comes of it."""
        self.known.add(finding.key)
        self.finding = None
        self._post.found(finding)
        if self.plan.stop_at_first:
            self.is_over = True

    def time_is_over(self) -> bool:
        """Whether what is being shrunk must be left as it is."""
        self._tell_and_hear()
        deadline = self.plan.deadline
        late = deadline is not None and self._now() > deadline + AFTERWARDS
        return late or self._is_stopped

    def tell(self) -> None:
        fresh, self._fresh = frozenset(self._fresh), set()
        self._post.counted(self.steps, self.runs, fresh, int(self.finding is not None))

    def _look(self) -> None:
        plan = self.plan
        self._tell_and_hear()
        late = plan.deadline is not None and self._now() >= plan.deadline
        done = plan.steps is not None and self.steps >= plan.steps
        if late or done or self._is_stopped:
            self.is_over = True
        if self.is_over:
            self._end()

    def _end(self) -> None:
        self._is_ending = True
        raise Enough

    def _tell_and_hear(self) -> None:
        now = self._now()
        if now < self._next_look:
            return
        self._next_look = now + EVERY
        self.tell()
        self._is_stopped = self._post.is_stopped()
        if self.finding is None:  # shrinking what has become known would end in nothing
            self.known |= self._post.known()
