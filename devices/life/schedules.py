"""What the meter does at times that were set: Single action schedules, and passive values that
become active (Blue Book 4.5.5, 4.5.7, 4.6.4).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import NamedTuple

from devices.calendar import matches, seconds_of
from devices.happenings import Happening, happened
from devices.life.scripts import execute, run_agenda
from devices.meter import Meter
from devices.profile.model import ObjectRow
from devices.timekeeping import Zone, device_time, true_time, zone
from dlms.axdr.data import Data, integer, octet_string
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.errors import CodecError

_SEARCHED = 400
"""Days in which the next date of a schedule is looked for: one that comes each year is found."""

_LOOKED = dt.timedelta(days=30)
"""For so long it is not looked for again."""

_DAY = dt.timedelta(days=1)
_UNSET = octet_string(CosemDateTime().to_octets())


class Appointment(NamedTuple):
    """Something to be done at a true time."""

    moment: dt.datetime
    keep: Callable[[Meter, dt.datetime], None]


def appointments(meter: Meter, after: dt.datetime) -> Iterator[Appointment]:
    """The next one of each object, later than ``after``; schedules before what becomes active, so
    that a billing period ends with the tariff it had.
    """
    for row in meter.profile.of_class(classes.SINGLE_ACTION_SCHEDULE):
        moment = next_execution(meter, row, after)
        if moment is not None:
            yield Appointment(moment, _executing(row))
    for of, attribute, method in _ACTIVATIONS:
        for row in meter.profile.of_class(of):
            moment = activation(meter, row, attribute)
            if moment is not None:
                # One that is past when it is set is due at once.
                yield Appointment(max(moment, after), _activating(row, attribute, method))


def make_up(meter: Meter, change: dt.timedelta, now: dt.datetime) -> None:
    """The clock has been set by ``change``. Schedules whose time it was set over are run, each
    once; where it was set forward by a day or more they are not: nobody knows which time was true.
    One whose time comes again is run again.
    """
    if not dt.timedelta() < change < _DAY:
        return
    for row in meter.profile.of_class(classes.SINGLE_ACTION_SCHEDULE):
        moment = next_execution(meter, row, now - change)
        if moment is not None and moment <= now:
            _executing(row)(meter, now)


_ACTIVATIONS = ((classes.ACTIVITY_CALENDAR, 10, 1), (classes.CHARGE, 7, 2))
"""Which attribute of a class says when, and which method does it."""


def activation(meter: Meter, row: ObjectRow, attribute: int) -> dt.datetime | None:
    """A date-time that is set, in true time; ``None`` if it is not fully specified."""
    value = meter.value(row, attribute)
    if value is None or not isinstance(value.value, bytes) or value == _UNSET:
        return None
    try:
        moment = CosemDateTime.from_octets(value.value).to_datetime()
        if moment.tzinfo is None:
            return true_time(meter, moment)
        return moment - meter.state.clock_offset
    except (CodecError, ValueError, OverflowError):
        return None


def _activating(
    row: ObjectRow, attribute: int, method: int
) -> Callable[[Meter, dt.datetime], None]:
    def activate(meter: Meter, now: dt.datetime) -> None:
        meter.store(row, attribute, _UNSET)  # or it would be due for ever
        done = execute(meter, row, method, integer(0), now)
        told = Happening.FUTURE_DATED_DONE if done else Happening.FUTURE_DATED_REFUSED
        happened(meter, told, now, row.interface_class.class_id)

    return activate


def _executing(row: ObjectRow) -> Callable[[Meter, dt.datetime], None]:
    def run(meter: Meter, now: dt.datetime) -> None:
        value = meter.value(row, 2)
        parts = elements_of(value) if value is not None else None
        table, identifier = (part.value for part in parts) if parts else (None, None)
        if isinstance(table, bytes) and isinstance(identifier, int):
            meter.agenda.call_for(table, identifier)
            run_agenda(meter, now)

    return run


def next_execution(meter: Meter, row: ObjectRow, after: dt.datetime) -> dt.datetime | None:
    """When a Single action schedule is due next, in true time."""
    value = meter.value(row, 4)
    known = meter.derived.get(_Expected)
    if not isinstance(known, _Expected):
        known = meter.derived[_Expected] = _Expected()
    by = value, meter.state.clock_offset, zone(meter)
    found = known.get(row.instance)
    if found is None or found.by != by or not found.after <= after < found.until:
        moment = _next_of(meter, value, after)
        found = _Expectation(by, after, after + _LOOKED if moment is None else moment, moment)
        known[row.instance] = found
    return found.moment


class _Expectation(NamedTuple):
    """``moment`` is what comes next after any moment from ``after`` to before ``until``; ``by`` is
    what it was worked out from.
    """

    by: tuple[Data | None, dt.timedelta, Zone]
    after: dt.datetime
    until: dt.datetime
    moment: dt.datetime | None


class _Expected(dict[bytes, _Expectation]):
    """By Single action schedule."""


def _next_of(meter: Meter, value: Data | None, after: dt.datetime) -> dt.datetime | None:
    listed = elements_of(value) if value is not None else None
    entries = [elements_of(one) or () for one in listed or ()]
    found: list[dt.datetime] = []
    for time, date in entries:
        moment = _next(meter, time, date, after)
        if moment is not None:
            found.append(moment)
    return min(found, default=None)


def _next(meter: Meter, time: Data, date: Data, after: dt.datetime) -> dt.datetime | None:
    if not isinstance(time.value, bytes) or not isinstance(date.value, bytes):
        return None
    begin = device_time(meter, after).date()
    at = dt.timedelta(seconds=seconds_of(time.value))
    for number in range(_SEARCHED):
        day = begin + dt.timedelta(number)
        if matches(day, date.value):
            moment = true_time(meter, dt.datetime.combine(day, dt.time()) + at)
            if moment > after:
                return moment
    return None
