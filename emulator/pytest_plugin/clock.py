"""The time of the meters of a test: it stands still until it is moved."""

from __future__ import annotations

import datetime as dt

from emulator.living import Living
from emulator.pytest_plugin.in_loop import InLoop
from emulator.virtual_clock import VirtualClock


class BenchClock:
    """From a synchronous test :meth:`advance` and :meth:`to` go by ``live_sandbox.run()``, or by
    its own words of the same names.
    """

    def __init__(self, clock: VirtualClock, living: Living, in_loop: InLoop) -> None:
        self.clock = clock
        self._living = living
        self._in_loop = in_loop

    def now(self) -> dt.datetime:
        """Aware, in UTC."""
        return self._in_loop(self.clock.now)

    async def to(self, moment: dt.datetime) -> dt.datetime:
        """Step forward to ``moment`` (aware), by way of all that happens at the meters before, and
        return when they have lived through it.

        :class:`~emulator.virtual_clock.ClockError` if that is earlier than now, or more than 400
        days away.
        """
        await self._living.advance(moment)
        return self.clock.now()

    async def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> dt.datetime:
        """The same by a duration."""
        step = dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return await self.to(self.clock.reach(by=step))

    def run(self, factor: float = 1.0) -> None:
        """Let time go by itself, ``factor`` times as fast as in reality."""
        self._in_loop(lambda: self.clock.run(factor))

    def freeze(self) -> None:
        self._in_loop(self.clock.freeze)
