"""The time of a sandbox: real, frozen, or some times faster; and stepped forward in any mode.

It begins at a moment and never goes back. A change of mode keeps the moment that it is: real means
that it goes on as fast as real time from there, not that it jumps to the time of this machine. Real
time is that of a monotonic clock, so nothing that sets the machine's clock is noticed.

Whoever lives by it can hold it: time that goes by itself then waits at a moment, however fast it
goes, and goes on from there. A step does not wait.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import time
from collections.abc import Awaitable, Callable
from enum import Enum

EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""Before it no certificate of a fleet is good, and no meter was made."""

LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
"""There time ends, in any mode: the fastest clock is there after less than an hour."""

MAX_STEP = dt.timedelta(days=400)
"""Of one step: what the meters live through in some minutes, and more than they keep."""

MAX_FACTOR = 1_000_000
"""More than eleven days in a second."""

_SHORTEST_SLEEP = 1e-4
_LONGEST_SLEEP = 3600.0
"""Seconds: no timer is more exact, and none has to be trusted longer."""

_SECOND = dt.timedelta(seconds=1)


class Mode(Enum):
    """How time goes."""

    REAL = "real"
    FROZEN = "frozen"
    FACTOR = "factor"


class ClockError(ValueError):
    """What time does not do; the text says it in one line."""


class VirtualClock:
    """``at`` is the moment at which it begins (aware), by default that of this machine; ``factor``
    how many seconds go by in one real second, 0 if it is frozen.

    ``monotonic`` gives real seconds that never go back; ``sleep`` waits so many of them.
    """

    def __init__(
        self,
        at: dt.datetime | None = None,
        *,
        factor: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._factor = checked_factor(factor) if factor else 0.0
        self._origin = _checked_moment(dt.datetime.now(dt.UTC) if at is None else at)
        self._since = monotonic()
        self._limit = LATEST
        self._waiters: dict[asyncio.Future[None], dt.datetime | None] = {}
        self._listeners: dict[object, Callable[[], None]] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.now().isoformat()} {self.mode.value}>"

    # What time it is ----------------------------------------------------------------------------

    def now(self) -> dt.datetime:
        """The virtual time, aware, in UTC. Never earlier than it was before."""
        if not self._factor:
            return self._origin
        gone = (self._monotonic() - self._since) * self._factor
        if gone >= (self._limit - self._origin) / _SECOND:
            return self._limit
        return self._origin + dt.timedelta(seconds=gone)

    @property
    def mode(self) -> Mode:
        if not self._factor:
            return Mode.FROZEN
        return Mode.REAL if self._factor == 1 else Mode.FACTOR

    @property
    def factor(self) -> float:
        """Seconds that go by in one real second: 0 if frozen, 1 if real."""
        return self._factor

    # Changing it --------------------------------------------------------------------------------

    def freeze(self) -> None:
        """Let time stand still at the moment that it is."""
        self._settle(self.now())
        self._factor = 0.0
        self.changed()

    def run(self, factor: float = 1.0) -> None:
        """Let it go on, ``factor`` times as fast as real time. :class:`ClockError` if that is not
        above 0 and at most :data:`MAX_FACTOR`.
        """
        factor = checked_factor(factor)
        self._settle(self.now())
        self._factor = factor
        self.changed()

    def advance(self, by: dt.timedelta) -> None:
        """Step forward at once, whatever the mode; it goes on from there as before."""
        self.advance_to(self.reach(by=by))

    def advance_to(self, moment: dt.datetime) -> None:
        """Step forward to ``moment`` (aware). :class:`ClockError` as :meth:`reach` has it."""
        self._settle(self.reach(moment))
        self.changed()

    def lift(self, moment: dt.datetime) -> None:
        """A part of a step: it is ``moment`` at least. Those who wait for it are woken; those who
        wait for later ones and those who listen are not before :meth:`changed`.
        """
        self._settle(max(self.now(), min(moment, LATEST)))
        self._wake_until(self._origin)

    def reach(
        self, moment: dt.datetime | None = None, *, by: dt.timedelta | None = None
    ) -> dt.datetime:
        """Where a step to ``moment``, or by ``by``, would lead; nothing is changed.

        :class:`ClockError` if that is earlier than now, more than :data:`MAX_STEP` away or later
        than :data:`LATEST`.
        """
        now = self.now()
        if by is not None and by < dt.timedelta():
            raise ClockError("time does not go back: a step is forward")
        if by is not None and by > MAX_STEP:
            raise ClockError(_too_far())
        target = now + by if by is not None else _checked_moment(moment or now)
        if target < now:
            raise ClockError(
                f"time does not go back: it is {now.isoformat()}, later than {target.isoformat()}"
            )
        if target - now > MAX_STEP:
            raise ClockError(_too_far())
        return _checked_moment(target)

    def hold(self, until: dt.datetime | None) -> None:
        """Time that goes by itself does not pass ``until`` (or the present, if that is later)
        before this is called again; ``None``: it is held no more. What it was held is not made up.
        """
        now = self.now()
        held = now >= self._limit
        if held:
            self._settle(now)
        self._limit = LATEST if until is None else min(max(until, now), LATEST)
        if held:
            self.wake()  # those who wait have more real time before them than they thought

    # Waiting for it -----------------------------------------------------------------------------

    async def wait_until(self, moment: dt.datetime) -> None:
        """Return once it is ``moment`` (aware) or later; at once if it is so already."""
        while self.now() < moment:
            await self.pause(moment)

    async def pause(self, moment: dt.datetime | None) -> None:
        """Wait for ``moment``, or for ever, or until anything about the clock changes or somebody
        calls :meth:`wake`, whichever comes first. It may return early without reason.
        """
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = moment
        sleeping: asyncio.Future[object] | None = None
        try:
            if self._factor and moment is not None and self.now() < self._limit:
                left = (moment - self.now()) / _SECOND / self._factor
                seconds = min(max(left, _SHORTEST_SLEEP), _LONGEST_SLEEP)
                sleeping = asyncio.ensure_future(self._sleep(seconds))
                await asyncio.wait((waiter, sleeping), return_when=asyncio.FIRST_COMPLETED)
            else:
                await waiter
        finally:
            del self._waiters[waiter]
            waiter.cancel()
            if sleeping is not None:
                sleeping.cancel()

    def awaited(self) -> dt.datetime | None:
        """The earliest moment for which somebody waits."""
        return min((moment for moment in self._waiters.values() if moment), default=None)

    def wake(self) -> None:
        """Let everybody who pauses look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def changed(self) -> None:
        """Wake everybody, and tell those who listen."""
        self.wake()
        for listener in tuple(self._listeners.values()):
            listener()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """``listener`` is called after each change of mode and each step, until what this returns
        is called.
        """
        ticket = object()
        self._listeners[ticket] = listener
        return lambda: self._listeners.pop(ticket, None) and None

    def _wake_until(self, now: dt.datetime) -> None:
        for waiter, moment in self._waiters.items():
            if moment is not None and moment <= now and not waiter.done():
                waiter.set_result(None)

    def _settle(self, moment: dt.datetime) -> None:
        """From now on time is counted from ``moment``."""
        self._origin = moment
        self._since = self._monotonic()
        self._limit = max(self._limit, moment)


def checked_factor(factor: float) -> float:
    """:class:`ClockError` if it is none at which time goes."""
    if not math.isfinite(factor) or not 0 < factor <= MAX_FACTOR:
        raise ClockError(f"{factor} is no factor: it is above 0 and at most {MAX_FACTOR}")
    return float(factor)


def _checked_moment(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ClockError(f"{moment.isoformat()} has no time zone")
    moment = moment.astimezone(dt.UTC)
    if not EARLIEST <= moment <= LATEST:
        raise ClockError(
            f"{moment.isoformat()} is out of range: time is between {EARLIEST.year} and the"
            f" beginning of {LATEST.year}"
        )
    return moment


def _too_far() -> str:
    return f"a step is {MAX_STEP.days} days at most: take several"
