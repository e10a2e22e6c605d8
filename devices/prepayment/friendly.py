"""Friendly hours: when the supply is not interrupted for want of credit.

They are an activity calendar of their own, of which selector 1 says so. GBCS has a non-disablement
calendar for this; that SMETS1 meters show it as such an object is assumed.
"""

from __future__ import annotations

import datetime as dt

from devices.calendar import Calendar
from devices.meter import Meter
from devices.timekeeping import device_time, reached, true_time
from dlms.axdr.data import Data

FRIENDLY_HOURS = "friendly-hours"
"""Role of the calendar."""

_NO_DISABLEMENT = 1
_SEARCHED = 8
"""Days: a week has all its switches in it."""


def is_friendly(meter: Meter, now: dt.datetime) -> bool:
    """Whether the supply is not interrupted now for want of credit."""
    calendar = _calendar(meter)
    return calendar is not None and calendar.selector(reached(meter, now)) == _NO_DISABLEMENT


def next_change(meter: Meter, after: dt.datetime) -> dt.datetime | None:
    """When friendly hours begin or end next, in true time; ``None`` if not within some days."""
    calendar = _calendar(meter)
    if calendar is None:
        return None
    today = device_time(meter, after).date()
    for number in range(_SEARCHED):
        day = today + dt.timedelta(number)
        for second, _ in calendar.day(day):
            local = dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=second)
            moment = true_time(meter, local)
            if moment > after:
                return moment
    return None


def _calendar(meter: Meter) -> Calendar | None:
    row = next(iter(meter.profile.of_role(FRIENDLY_HOURS)), None)
    if row is None:
        return None
    values = [meter.value(row, attribute) for attribute in (3, 4, 5)]
    kept = meter.derived.get(_Friendly)
    if not isinstance(kept, _Friendly) or kept.values != values:
        kept = meter.derived[_Friendly] = _Friendly(values)
    return kept.calendar


class _Friendly:
    """The calendar of friendly hours, taken apart once."""

    def __init__(self, values: list[Data | None]) -> None:
        self.values = values
        seasons, weeks, days = values
        self.calendar = Calendar(seasons, weeks, days, None)
