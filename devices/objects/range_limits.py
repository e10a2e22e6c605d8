"""From and to of a range_descriptor, where they are date-times (Blue Book 4.3.6, 4.1.6.1).

Fields that are not specified make the range wider: a day without a time is the whole day, and
nothing at all is no limit. What is specified must be the greater part of a moment: "every tenth of
a month" is none.
"""

from __future__ import annotations

import calendar
import datetime as dt

from devices.objects.behaviour import Call
from devices.timekeeping import aware
from dlms.axdr.datetimes import CosemDateTime

_LAST_DAY, _SECOND_LAST_DAY = 0xFE, 0xFD
_MONTHS, _RULES = range(1, 13), range(0xE0, 0xFF)
_LATEST = (12, None, 23, 59, 59, 99)
_EARLIEST = (1, 1, 0, 0, 0, 0)


def limits(here: Call, begin: object, end: object) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The first and the last moment of the range; ``None`` is no limit. ``ValueError`` or
    :class:`CodecError` if one is no moment. ``here`` is the call of the clock that is compared,
    whose zone is that of moments without a deviation.
    """
    return _limit(here, begin, latest=False), _limit(here, end, latest=True)


def _limit(here: Call, value: object, *, latest: bool) -> dt.datetime | None:
    if not isinstance(value, bytes):
        raise ValueError("date-time needed")
    given = CosemDateTime.from_octets(value)
    fields = (
        given.year, given.month, given.day,
        given.hour, given.minute, given.second, given.hundredths,
    )  # fmt: skip
    known = fields.index(None) if None in fields else len(fields)
    if any(field is not None for field in fields[known:]):
        raise ValueError("a moment is specified from its year on")
    if not known:
        return None
    rest = (_LATEST if latest else _EARLIEST)[known - 1 :]
    year, month, day, hour, minute, second, hundredths = (*fields[:known], *rest)
    assert year is not None
    assert month is not None
    if month not in _MONTHS:
        raise ValueError("the month of a moment is a number")
    length = calendar.monthrange(year, month)[1] if 1 <= year <= dt.MAXYEAR else 0
    if day is None or day == _LAST_DAY:
        day = length
    elif day == _SECOND_LAST_DAY:
        day = length - 1
    micros = (hundredths or 0) * 10_000
    moment = dt.datetime(year, month, day, hour or 0, minute or 0, second or 0, micros)
    if given.deviation is not None:
        zone = dt.timezone(dt.timedelta(minutes=-given.deviation))
        return moment.replace(tzinfo=zone)
    return aware(here.device, moment)
