"""Windows of time between date-times with wildcards (Blue Book 4.1.6.1, 4.4.8: communication
window). A window opens at each moment that its start matches and closes at each that its end does.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dlms.axdr.data import Data
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem.fitting import elements_of
from dlms.errors import CodecError

_DAY = dt.timedelta(days=1)
_YEARS = 8
"""How far is looked for a match: the longest time between two 29ths of February."""
_SECOND_LAST_DAY, _LAST_DAY = 0xFD, 0xFE
_LAST = dt.time(23, 59, 59)


class Window(NamedTuple):
    """Rules for its start and its end, in the meter's local time."""

    start: CosemDateTime
    end: CosemDateTime


def windows(value: Data | None) -> tuple[Window, ...]:
    """The windows of an attribute; what is none is left out."""
    found = []
    for one in () if value is None else elements_of(value) or ():
        octets = [part.value for part in elements_of(one) or () if isinstance(part.value, bytes)]
        try:
            start, end = map(CosemDateTime.from_octets, octets)
        except (CodecError, ValueError):
            continue
        found.append(Window(start, end))
    return tuple(found)


def is_open(all_windows: Iterable[Window], local: dt.datetime) -> bool:
    """Whether one of them is open at ``local`` time (naive)."""
    return any(_is_open(window, local) for window in all_windows)


def next_opening(all_windows: Iterable[Window], local: dt.datetime) -> dt.datetime | None:
    """When one of them opens next after ``local`` time (naive); ``None`` if none does within years.

    One that is open already does not open before it has closed and opened again.
    """
    found = (_following(window.start, local) for window in all_windows)
    return min((moment for moment in found if moment is not None), default=None)


def _is_open(window: Window, local: dt.datetime) -> bool:
    opened = _preceding(window.start, local)
    if opened is None:
        return False
    closed = _preceding(window.end, local)
    return closed is None or closed < opened


def _preceding(rule: CosemDateTime, local: dt.datetime) -> dt.datetime | None:
    """The latest moment that matches, not after ``local``."""
    local = local.replace(microsecond=0)
    day = local.date()
    if rule.year is not None and rule.year < day.year:
        day = dt.date(max(rule.year, 1), 12, 31)
    for _ in range(366 if rule.year is not None else 366 * _YEARS):
        limit = local.time() if day == local.date() else _LAST
        if _matches(rule, day) and (time := max(_times(rule, limit), default=None)) is not None:
            return dt.datetime.combine(day, time)
        if day == dt.date.min:
            return None
        day -= _DAY
    return None


def _following(rule: CosemDateTime, local: dt.datetime) -> dt.datetime | None:
    """The earliest moment that matches, after ``local``."""
    local = local.replace(microsecond=0)
    day = local.date()
    if rule.year is not None and rule.year > day.year:
        day = dt.date(min(rule.year, dt.MAXYEAR), 1, 1)
    for _ in range(367 if rule.year is not None else 366 * _YEARS):
        if _matches(rule, day):
            later = (dt.datetime.combine(day, time) for time in _times(rule, _LAST))
            found = min((moment for moment in later if moment > local), default=None)
            if found is not None:
                return found
        if day == dt.date.max:
            return None
        day += _DAY
    return None


def _matches(rule: CosemDateTime, day: dt.date) -> bool:
    if rule.year not in (None, day.year) or rule.month not in (None, day.month):
        return False
    if rule.day_of_week not in (None, day.isoweekday()):
        return False
    last = calendar.monthrange(day.year, day.month)[1]
    wanted = {_LAST_DAY: last, _SECOND_LAST_DAY: last - 1}.get(rule.day or 0, rule.day)
    return wanted in (None, day.day)


def _times(rule: CosemDateTime, limit: dt.time) -> Iterator[dt.time]:
    """The times of a day that match, not after ``limit``."""
    hours = range(24) if rule.hour is None else (rule.hour,)
    minutes = range(60) if rule.minute is None else (rule.minute,)
    seconds = range(60) if rule.second is None else (rule.second,)
    for hour in hours:
        for minute in minutes:
            for second in seconds:
                time = dt.time(hour, minute, second)
                if time <= limit:
                    yield time
