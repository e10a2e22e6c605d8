"""COSEM date, time and date-time (Blue Book 4.1.6.1).

Any field may be "not specified" (``None`` here). Beside numbers, month, day and day of week have
wildcards that stand for a rule (last day of month, daylight savings begin), kept as the raw octet.

The deviation is *local time to UTC in minutes*: UTC = local time + deviation. Great Britain in
winter is 0, in summer -60; Central Europe in winter is -60. It has the opposite sign of the usual
UTC offset, which is the classic interoperability trap.
"""

from __future__ import annotations

import datetime as dt
import struct
from dataclasses import dataclass
from enum import IntFlag

from dlms.errors import CodecError

_DATE_TIME = struct.Struct(">HBBBBBBBhB")
_NO_YEAR = 0xFFFF
_NONE = 0xFF
_NO_DEVIATION = -0x8000
_MINUTE = dt.timedelta(minutes=1)


class ClockStatus(IntFlag):
    """The clock_status octet. ``0xFF`` as a whole means: not specified."""

    INVALID_VALUE = 0x01
    DOUBTFUL_VALUE = 0x02
    DIFFERENT_CLOCK_BASE = 0x04
    INVALID_CLOCK_STATUS = 0x08
    DAYLIGHT_SAVING_ACTIVE = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class CosemDateTime:
    """Twelve octets of date, time, deviation and clock status.

    ``month`` may be 0xFD (daylight savings end) or 0xFE (begin); ``day`` 0xFD (second last day of
    month) or 0xFE (last). ``day_of_week`` is 1 for Monday. ``deviation`` is in minutes.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    day_of_week: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    hundredths: int | None = None
    deviation: int | None = None
    status: int | None = None

    @classmethod
    def from_octets(cls, octets: bytes) -> CosemDateTime:
        """Decode 12 octets. :class:`CodecError` if the length or a field is out of range."""
        if len(octets) != 12:
            raise CodecError(f"12 octets needed, not {len(octets)}", field="date-time")
        year, month, day, weekday, hour, minute, second, hundredths, deviation, status = (
            _DATE_TIME.unpack(octets)
        )
        result = cls(
            year=None if year == _NO_YEAR else year,
            month=_optional(month),
            day=_optional(day),
            day_of_week=_optional(weekday),
            hour=_optional(hour),
            minute=_optional(minute),
            second=_optional(second),
            hundredths=_optional(hundredths),
            deviation=None if deviation == _NO_DEVIATION else deviation,
            status=_optional(status),
        )
        result._check()
        return result

    @classmethod
    def from_datetime(cls, moment: dt.datetime, *, status: int = 0) -> CosemDateTime:
        """Take over a ``datetime``; without ``tzinfo`` the deviation is not specified."""
        offset = moment.utcoffset()
        return cls(
            year=moment.year,
            month=moment.month,
            day=moment.day,
            day_of_week=moment.isoweekday(),
            hour=moment.hour,
            minute=moment.minute,
            second=moment.second,
            hundredths=moment.microsecond // 10_000,
            deviation=None if offset is None else -int(offset.total_seconds() // 60),
            status=status,
        )

    def to_octets(self) -> bytes:
        """Encode to 12 octets. :class:`CodecError` if a field is out of range."""
        self._check()
        return _DATE_TIME.pack(
            _NO_YEAR if self.year is None else self.year,
            _octet(self.month),
            _octet(self.day),
            _octet(self.day_of_week),
            _octet(self.hour),
            _octet(self.minute),
            _octet(self.second),
            _octet(self.hundredths),
            _NO_DEVIATION if self.deviation is None else self.deviation,
            _octet(self.status),
        )

    def to_datetime(self) -> dt.datetime:
        """Give the moment as ``datetime``, aware if the deviation is specified.

        ``ValueError`` if a field needed for a moment is not specified or is a rule.
        """
        if self.year is None or self.month is None or self.day is None:
            raise ValueError("date is not fully specified")
        if self.hour is None or self.minute is None:
            raise ValueError("time is not fully specified")
        zone = None
        if self.deviation is not None:
            zone = dt.timezone(dt.timedelta(minutes=-self.deviation))
        return dt.datetime(
            self.year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second or 0,
            (self.hundredths or 0) * 10_000,
            tzinfo=zone,
        )

    def _check(self) -> None:
        _in("year", self.year, 0, 0xFFFE)
        _in("month", self.month, 1, 12, (0xFD, 0xFE))
        _in("day", self.day, 1, 31, tuple(range(0xE0, 0xFF)))
        _in("day of week", self.day_of_week, 1, 7)
        _in("hour", self.hour, 0, 23)
        _in("minute", self.minute, 0, 59)
        _in("second", self.second, 0, 59)
        _in("hundredths", self.hundredths, 0, 99)
        _in("deviation", self.deviation, -840, 840)
        _in("clock status", self.status, 0, 0xFE)

    def __str__(self) -> str:
        if self.year is None or self.month is None or self.day is None:
            date = "-".join(
                "*" if part is None else f"{part:02}" for part in (self.year, self.month, self.day)
            )
        else:
            date = f"{self.year:04}-{self.month:02}-{self.day:02}"
        time = ":".join(
            "*" if part is None else f"{part:02}" for part in (self.hour, self.minute, self.second)
        )
        if self.deviation is None:
            return f"{date} {time}"
        sign = "-" if self.deviation > 0 else "+"
        hours, minutes = divmod(abs(self.deviation), 60)
        return f"{date} {time}{sign}{hours:02}:{minutes:02}"


def octets_of(moment: dt.datetime, *, status: int = 0) -> bytes:
    """The 12 octets of an aware ``datetime``, as :meth:`CosemDateTime.from_datetime` has them: for
    those who need many.
    """
    offset = moment.utcoffset()
    assert offset is not None
    return _DATE_TIME.pack(
        moment.year,
        moment.month,
        moment.day,
        moment.isoweekday(),
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond // 10_000,
        -(offset // _MINUTE),
        status,
    )


def _optional(octet: int) -> int | None:
    return None if octet == _NONE else octet


def _octet(value: int | None) -> int:
    return _NONE if value is None else value


def _in(name: str, value: int | None, low: int, high: int, also: tuple[int, ...] = ()) -> None:
    if value is not None and not low <= value <= high and value not in also:
        raise CodecError(f"{name} {value} is not in {low}..{high}", field="date-time")
