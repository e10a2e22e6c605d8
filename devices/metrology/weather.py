"""Days and their weather, which all meters have in common.

Days are counted from :data:`FIRST_DAY`. After a :data:`CYCLE` the weather comes again: in 28 years
of the Julian calendar every date falls on its weekday again, so the tables end somewhere although
time does not.
"""

from __future__ import annotations

import calendar
import datetime as dt
from functools import cache

from devices.metrology.chance import chance

FIRST_DAY = dt.date(2015, 1, 1)
YEARS = 28
CYCLE = 10_227
"""Days in :data:`YEARS` years of 365.25 days; 1461 weeks."""

_TEMPERATURES, _CLOUDS = 1, 2
"""Streams of chance. Those of meters are hashed, and not these."""

FIRST_OF_MONTH = (45, 42, 55, 75, 102, 132, 158, 168, 153, 122, 88, 58)
"""Outside temperature at the first of each month, in tenths of a degree Celsius."""


@cache
def temperature(number: int) -> int:
    """The mean outside temperature of a day, in tenths of a degree Celsius."""
    date = day(number)
    here, ahead = FIRST_OF_MONTH[date.month - 1], FIRST_OF_MONTH[date.month % 12]
    length = calendar.monthrange(date.year, date.month)[1]
    season = here + (ahead - here) * (date.day - 1) // length
    # Three days together: warm days come in spells.
    return season + sum(chance(_TEMPERATURES, number - back) % 61 - 30 for back in range(3))


def clearness(number: int) -> int:
    """How much of the sun of a day comes through the clouds, in per cent: 20 to 100."""
    return 20 + chance(_CLOUDS, number) % 81


def day(number: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(days=number)
