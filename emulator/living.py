"""The meters of a sandbox live: one task wakes each of them when something happens at it by itself.

In the order of the moments, whatever the pace of the clock, and one moment of one meter at a time:
between two the event loop has its turn. Time that goes by itself waits for meters that do not keep
up with it (:meth:`~emulator.virtual_clock.VirtualClock.hold`), so a clock that is too fast for this
machine is slower, and no meter misses anything.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from heapq import heappop, heappush
from typing import Protocol

from emulator.events import MeterEvent, OnMeterEvent
from emulator.journal import StoreError
from emulator.virtual_clock import ClockError, VirtualClock

MAX_AHEAD = dt.timedelta(hours=1)
"""What time that goes by itself may be ahead of the meter that is furthest behind."""


class Being(Protocol):
    """A meter, as far as time concerns it."""

    @property
    def name(self) -> str: ...

    def due(self) -> dt.datetime | None:
        """When something happens next by itself, in true time; ``None`` if nothing does."""
        ...

    def live(self, moment: dt.datetime) -> None:
        """Live on until ``moment``, which is not later than now."""
        ...


class Living:
    """A meter at which something goes wrong is told of (``life-failed``) and left alone until it is
    looked at again; the others live on.
    """

    def __init__(self, clock: VirtualClock, on_event: OnMeterEvent) -> None:
        self._clock = clock
        self._on_event = on_event
        self._due: dict[Being, dt.datetime] = {}
        self._heap: list[tuple[dt.datetime, int, Being]] = []
        self._numbers = itertools.count()
        self._one_at_a_time = asyncio.Lock()
        self._destination: dt.datetime | None = None

    def look_again(self, being: Being) -> None:
        """What is due at a meter may be earlier than it was; the meter may be a new one."""
        due, known = being.due(), self._due.get(being)
        if due is None or (known is not None and known <= due):
            return  # if it is later now, it is looked at in vain once
        self._schedule(being, due)
        self._clock.wake()

    def leave(self, being: Being) -> None:
        """The meter is no more."""
        self._due.pop(being, None)

    def next(self) -> dt.datetime | None:
        """When something happens next at any meter."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)  # looked at again since, or gone
        return self._heap[0][0] if self._heap else None

    async def run(self) -> None:
        """Live, until it is cancelled."""
        while True:
            async with self._one_at_a_time:
                await self._catch_up()
            await self._clock.pause(self.next())

    async def advance(self, moment: dt.datetime) -> None:
        """Step forward to ``moment``, by way of all that is due before and all that somebody waits
        for, and return when the meters have lived through it. Seen from outside, time is never
        later than what they have.

        :class:`~emulator.virtual_clock.ClockError` as a step of the clock, and while another one is
        under way. Cancelled, time stays where it has come to.
        """
        clock = self._clock
        target = clock.reach(moment)
        if self._destination is not None:
            raise ClockError(f"time is on its way to {self._destination.isoformat()} already")
        self._destination = target
        try:
            async with self._one_at_a_time:
                await self._catch_up()
                while (now := clock.now()) < target:
                    coming = (one for one in (self.next(), clock.awaited()) if one and one > now)
                    clock.lift(min((target, *coming)))
                    await asyncio.sleep(0)  # for those who have waited for this moment
                    await self._catch_up()
        finally:
            self._destination = None
            clock.changed()

    async def _catch_up(self) -> None:
        while True:
            due = self.next()
            self._clock.hold(None if due is None else due + MAX_AHEAD)
            if due is None or due > self._clock.now():
                return
            self._live(due, heappop(self._heap)[2])
            await asyncio.sleep(0)

    def _live(self, moment: dt.datetime, being: Being) -> None:
        del self._due[being]
        try:
            being.live(moment)
            due = being.due()
        except StoreError as error:
            self._tell(being, str(error))
        except Exception as error:
            context = {"message": f"meter {being.name} does not live", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            self._tell(being, type(error).__name__)
        else:
            if due is not None and due <= moment:
                self._tell(being, f"does not get beyond {moment.isoformat()}")
            elif due is not None:
                self._schedule(being, due)

    def _schedule(self, being: Being, due: dt.datetime) -> None:
        self._due[being] = due
        heappush(self._heap, (due, next(self._numbers), being))

    def _tell(self, being: Being, text: str) -> None:
        self._on_event(MeterEvent(meter=being.name, kind="life-failed", text=text))
