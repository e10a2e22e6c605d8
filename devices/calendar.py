"""Activity calendars: which script is in force when (Blue Book 4.5.5), all in local time.

A season gives a week, a week a day for each weekday, a day its switching times; a special day has
the day of the Special days table instead (4.5.4).
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from dlms.axdr.data import Data
from dlms.cosem.fitting import elements_of

_ANY_YEAR, _ANY = 0xFFFF, 0xFF
_SECOND_LAST_DAY, _LAST_DAY = 0xFD, 0xFE
_LOOK_BACK = 8
"""Days to look back for the last switch: a week may have one only."""


class Switch(NamedTuple):
    """From ``second`` of the day on ``selector`` is in force."""

    second: int
    selector: int


class Season(NamedTuple):
    """``start`` is month and day; ``None`` if it has always begun."""

    year: int | None
    start: tuple[int, int] | None
    week: bytes


def matches(date: dt.date, pattern: bytes) -> bool:
    """Whether a date is one of those that five octets of a COSEM date stand for (4.1.6.1)."""
    if len(pattern) != 5:
        return False
    year, month, day, weekday = int.from_bytes(pattern[:2], "big"), *pattern[2:]
    last = calendar.monthrange(date.year, date.month)[1]
    return (
        year in (_ANY_YEAR, date.year)
        and month in (_ANY, date.month)
        and {_LAST_DAY: last, _SECOND_LAST_DAY: last - 1, _ANY: date.day}.get(day, day) == date.day
        and weekday in (_ANY, date.isoweekday())
    )


class Calendar:
    """One calendar with its special days. What does not hang together switches nothing."""

    def __init__(
        self, seasons: Data | None, weeks: Data | None, days: Data | None, special: Data | None
    ) -> None:
        self._seasons = tuple(_seasons(seasons))
        self._weeks = dict(_weeks(weeks))
        self._days = dict(_days(days))
        self._special = tuple(_special(special))
        self._known: dict[dt.date, tuple[Switch, ...]] = {}

    @property
    def selectors(self) -> frozenset[int]:
        """All that may be in force, 0 if at some time nothing is."""
        used = {switch.selector for day in self._days.values() for switch in day}
        return frozenset(used or {0})

    def day(self, date: dt.date) -> tuple[Switch, ...]:
        """What switches on a date, in order."""
        known = self._known.get(date)
        if known is None:
            if len(self._known) > 1024:
                self._known.clear()
            known = self._known[date] = self._days.get(self._day_id(date), ())
        return known

    def selector(self, local: dt.datetime) -> int:
        """What is in force at a local time; 0 if nothing has been switched on."""
        second = (local.hour * 60 + local.minute) * 60 + local.second
        for back in range(_LOOK_BACK):
            switches = self.day(local.date() - dt.timedelta(back))
            begun = [switch for switch in switches if back or switch.second <= second]
            if begun:
                return begun[-1].selector
        return 0

    def _day_id(self, date: dt.date) -> int:
        for pattern, day in self._special:
            if matches(date, pattern):
                return day
        week = self._weeks.get(self._week(date))
        return -1 if week is None else week[date.weekday()]

    def _week(self, date: dt.date) -> bytes:
        """That of the season which began last, in this year or before."""
        begun: list[tuple[tuple[int, int, int], bytes]] = []
        for year, start, week in self._seasons:
            if start is None:
                begun.append(((0, 0, 0), week))
                continue
            for candidate in (date.year, date.year - 1) if year is None else (year,):
                if (candidate, *start) <= date.timetuple()[:3]:
                    begun.append(((candidate, *start), week))
                    break
        return max(begun, key=lambda one: one[0])[1] if begun else b""


def _seasons(value: Data | None) -> Iterable[Season]:
    for row in _rows(value):
        _, start, week = (part.value for part in row)
        if isinstance(start, bytes) and len(start) == 12 and isinstance(week, bytes):
            year, month, day = int.from_bytes(start[:2], "big"), start[2], start[3]
            fixed = month <= 12 and day <= 31
            yield Season(None if year == _ANY_YEAR else year, (month, day) if fixed else None, week)


def _weeks(value: Data | None) -> Iterable[tuple[bytes, tuple[int, ...]]]:
    for row in _rows(value):
        name, *days = (part.value for part in row)
        if isinstance(name, bytes):
            yield name, tuple(day for day in days if isinstance(day, int))


def _days(value: Data | None) -> Iterable[tuple[int, tuple[Switch, ...]]]:
    for row in _rows(value):
        number, schedule = row
        switches = []
        for one in _rows(schedule):
            time, _, selector = (part.value for part in one)
            if (
                isinstance(time, bytes)
                and isinstance(selector, int)
                and isinstance(number.value, int)
            ):
                switches.append(Switch(seconds_of(time), selector))
        if isinstance(number.value, int):
            yield number.value, tuple(sorted(switches))


def _special(value: Data | None) -> Iterable[tuple[bytes, int]]:
    for row in _rows(value):
        _, date, day = (part.value for part in row)
        if isinstance(date, bytes) and isinstance(day, int):
            yield date, day


def _rows(value: Data | None) -> Iterable[tuple[Data, ...]]:
    return [] if value is None else [elements_of(row) or () for row in elements_of(value) or ()]


def seconds_of(time: bytes) -> int:
    """Seconds since midnight of the four octets of a COSEM time; what is not specified is 0."""
    hour, minute, second = (0 if octet == _ANY else octet for octet in time[:3])
    return (hour * 60 + minute) * 60 + second
