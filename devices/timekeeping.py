"""The meter's own time: true time plus what its clock is off, in its zone (Blue Book 4.5.1).

Daylight saving begins at a moment of normal time and ends at one of summer time, both local; their
deviation fields add nothing and are not looked at.
"""

from __future__ import annotations

import calendar
import datetime as dt
from functools import lru_cache
from typing import NamedTuple

from devices.meter import Meter
from dlms.axdr.data import Data
from dlms.axdr.datetimes import ClockStatus, CosemDateTime, octets_of
from dlms.errors import CodecError

CLOCK = bytes((0, 0, 1, 0, 0, 255))
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
_DAY = 86_400
_MONDAY = dt.datetime(1970, 1, 5)
_WHOLE_DAY = dt.timedelta(days=1)
_SECOND_LAST_DAY, _LAST_DAY = 0xFD, 0xFE

INVALID = "clock invalid"
"""Figure: 1 while the clock has lost the time and nobody has set it."""


def stamp(moment: dt.datetime) -> int:
    """A moment as a figure: microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(figure: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=figure)


class Zone(NamedTuple):
    """Local time: ``normal`` and, between ``begin`` and ``end`` of each year, ``summer`` time.
    ``begin`` and ``end`` are date-times with rules in them, empty where there is no summer time.
    """

    normal: dt.timedelta = dt.timedelta()
    summer: dt.timedelta = dt.timedelta()
    begin: bytes = b""
    end: bytes = b""

    def is_summer(self, moment: dt.datetime) -> bool:
        """Whether daylight saving is active at a moment (aware)."""
        if not self.begin:
            return False
        year = (moment + self.normal).year
        begin, end = _moment_in(self.begin, year), _moment_in(self.end, year)
        if begin is None or end is None:
            return False
        naive = moment.astimezone(dt.UTC).replace(tzinfo=None)
        begun, ended = naive >= begin - self.normal, naive >= end - self.normal - self.summer
        return (begun and not ended) if begin < end else (begun or not ended)

    def local(self, moment: dt.datetime) -> dt.datetime:
        """A moment (aware) in local time (aware)."""
        return self.shifted(moment, self.is_summer(moment))

    def shifted(self, moment: dt.datetime, is_summer: bool) -> dt.datetime:
        """The same, where it is known already whether daylight saving is active."""
        offset = self.normal + self.summer if is_summer else self.normal
        return moment.astimezone(dt.timezone(offset) if offset else dt.UTC)

    def moment(self, local: dt.datetime) -> dt.datetime:
        """The moment of a local time (naive): the first of two, and where there is none, what there
        would be without the change.
        """
        aware = local.replace(tzinfo=dt.UTC)
        if self.begin and self.is_summer(early := aware - self.normal - self.summer):
            return early
        return aware - self.normal

    def first(self, local: dt.datetime) -> dt.datetime:
        """The first moment at which a clock shows ``local`` (naive) or later: where there is none,
        the change that leaves it out.
        """
        moment = self.moment(local)
        if self.begin and self.local(moment).replace(tzinfo=None) > local:
            change = _moment_in(self.begin, local.year)
            assert change is not None
            return change.replace(tzinfo=dt.UTC) - self.normal
        return moment

    def reached(self, moment: dt.datetime) -> dt.datetime:
        """The latest local time (naive) that a clock has shown by then: in an hour that comes again
        all is over that was in it, or it would happen twice.
        """
        local = self.local(moment).replace(tzinfo=None)
        if not self.begin or self.moment(local) >= moment:
            return local
        end = _moment_in(self.end, local.year)
        assert end is not None
        return end - MICROSECOND


@lru_cache(maxsize=1024)
def _moment_in(octets: bytes, year: int) -> dt.datetime | None:
    """When a date-time with rules is in ``year`` (naive); ``None`` if it is not."""
    try:
        rule = CosemDateTime.from_octets(octets)
    except CodecError:
        return None
    if rule.year not in (None, year) or rule.month not in range(1, 13):
        return None
    assert rule.month is not None
    last = calendar.monthrange(year, rule.month)[1]
    first = {_LAST_DAY: last, _SECOND_LAST_DAY: last - 1, None: 1}.get(rule.day, rule.day)
    assert first is not None
    if not 1 <= first <= last:
        return None
    date = dt.date(year, rule.month, first)
    if rule.day_of_week is not None:
        # With a weekday: the last, or second last, such day of the month, or the first from a date.
        if rule.day in (_LAST_DAY, _SECOND_LAST_DAY):
            date = dt.date(year, rule.month, last)
            date -= dt.timedelta((date.isoweekday() - rule.day_of_week) % 7)
            date -= dt.timedelta(7 if rule.day == _SECOND_LAST_DAY else 0)
        else:
            date += dt.timedelta((rule.day_of_week - date.isoweekday()) % 7)
    time = dt.time(rule.hour or 0, rule.minute or 0, rule.second or 0)
    return dt.datetime.combine(date, time)


_UTC = Zone()


def zone(meter: Meter) -> Zone:
    """The local time of a meter, as its Clock object has it."""
    row = meter.profile.objects.get(CLOCK)
    if row is None:
        return _UTC
    normal = dt.timedelta(minutes=-meter.number(row, 3))
    enabled = meter.value(row, 8)
    if enabled is None or not enabled.value:
        return Zone(normal) if normal else _UTC
    summer = dt.timedelta(minutes=meter.number(row, 7))
    return Zone(normal, summer, _octets(meter.value(row, 5)), _octets(meter.value(row, 6)))


def device_time(meter: Meter, now: dt.datetime) -> dt.datetime:
    """The meter's own idea of the time, local (aware)."""
    return zone(meter).local(now + meter.state.clock_offset)


def true_time(meter: Meter, local: dt.datetime) -> dt.datetime:
    """The true time at which the meter's clock first shows ``local`` (naive) or later, as it goes
    now.
    """
    return zone(meter).first(local) - meter.state.clock_offset


def reached(meter: Meter, now: dt.datetime) -> dt.datetime:
    """How far local time has got by the meter's clock (naive): what calendars go by."""
    return zone(meter).reached(now + meter.state.clock_offset)


def aware(meter: Meter, moment: dt.datetime) -> dt.datetime:
    """A moment whose deviation was not specified is one of the meter's local time."""
    return moment if moment.tzinfo is not None else zone(meter).moment(moment)


def clock_status(meter: Meter, now: dt.datetime) -> int:
    """Attribute 4 of the Clock."""
    return _status(meter, zone(meter).is_summer(now + meter.state.clock_offset))


def _status(meter: Meter, is_summer: bool) -> int:
    status = int(ClockStatus.INVALID_VALUE) if meter.state.figures.get(INVALID) else 0
    return status | int(ClockStatus.DAYLIGHT_SAVING_ACTIVE) if is_summer else status


def clock_octets(meter: Meter, now: dt.datetime) -> bytes:
    """Device time as 12 octets."""
    here, shown = zone(meter), now + meter.state.clock_offset
    is_summer = here.is_summer(shown)
    return octets_of(here.shifted(shown, is_summer), status=_status(meter, is_summer))


class Turn(NamedTuple):
    """The beginning of a period, as the meter's clock shows it (naive), and when that is."""

    shown: dt.datetime
    moment: dt.datetime


def last_turn(meter: Meter, now: dt.datetime, period: int) -> dt.datetime:
    """What the meter's clock showed (naive) when the present period of so many seconds began.

    Periods of days begin at a local midnight, weeks on Mondays; shorter ones count in the meter's
    time without summer time, so that a change of it makes none longer.
    """
    if period % _DAY:
        shown = (now + meter.state.clock_offset).astimezone(dt.UTC).replace(tzinfo=None)
    else:
        shown = device_time(meter, now).replace(tzinfo=None)
    return _begin(shown, period)


def next_turn(meter: Meter, after: dt.datetime, period: int) -> Turn:
    """When the next of periods of so many seconds begins."""
    step = dt.timedelta(seconds=period)
    shown = last_turn(meter, after, period) + step
    while (moment := _moment_of_turn(meter, shown, period)) <= after:
        shown += step  # the midnight of an hour that comes again
    return Turn(shown, moment)


def turn_after(meter: Meter, last: dt.datetime, after: dt.datetime, period: int) -> Turn:
    """The same for what is to be done once for each period, where ``last`` was done last.

    A clock set back by less than a day makes none come again; one set forward leaves none out: it
    is due at once. A clock that was farther off begins anew, for nobody knows how long it was so.
    """
    step = dt.timedelta(seconds=period)
    due = _begin(last, period) + step
    moment = _moment_of_turn(meter, due, period)
    if after - moment >= _WHOLE_DAY:
        return next_turn(meter, after, period)
    # If the last one is a day ahead, so is the next one: nearly always that is all to be asked.
    far = moment - after > _WHOLE_DAY
    if far and _moment_of_turn(meter, last, period) - after >= _WHOLE_DAY:
        return next_turn(meter, after, period)
    return Turn(due, max(moment, after))


def _begin(shown: dt.datetime, period: int) -> dt.datetime:
    return shown - (shown - _MONDAY) % dt.timedelta(seconds=period)


def _moment_of_turn(meter: Meter, shown: dt.datetime, period: int) -> dt.datetime:
    if period % _DAY:
        return shown.replace(tzinfo=dt.UTC) - meter.state.clock_offset
    return true_time(meter, shown)


def _octets(value: Data | None) -> bytes:
    return value.value if value is not None and isinstance(value.value, bytes) else b""
