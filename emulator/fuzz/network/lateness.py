"""Octets that are late by the meter's time, which is virtual: they come when somebody waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable


class Late:
    """Something that is to happen at ``due``, unless it is cancelled."""

    __slots__ = ("callback", "due")

    def __init__(self, due: dt.datetime, callback: Callable[[], None] | None) -> None:
        self.due = due
        self.callback = callback

    def cancel(self) -> None:
        self.callback = None


class Lateness:
    """``now`` gives the meter's true time."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self._late: list[Late] = []

    def later(self, delay: float, callback: Callable[[], None]) -> Late:
        """:data:`~emulator.serving.taps.Later`."""
        self._late.append(Late(self._now() + dt.timedelta(seconds=delay), callback))
        return self._late[-1]

    def let_come(self) -> None:
        """All that is due by now, in the order in which it is due."""
        now = self._now()
        while ripe := [one for one in self._late if one.due <= now]:
            first = min(ripe, key=lambda one: one.due)
            self._late.remove(first)
            if first.callback is not None:
                first.callback()
