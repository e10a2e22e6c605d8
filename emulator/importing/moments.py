"""Times as dumps have them: ``03/LASTDAY/* 01:00:00+01:00``, with ``*`` for what is not specified.

The text has no day of the week, no hundredths and no clock status: these are not specified then.
"""

from __future__ import annotations

import re

from dlms.axdr.datetimes import CosemDateTime
from dlms.errors import CodecError

_TEXT = re.compile(
    r"(?P<month>\*|BEGIN|END|\d{1,2})/(?P<day>\*|LASTDAY2?|\d{1,2})/(?P<year>\*|\d{1,4})"
    r"(?: (?P<hour>\*|\d{1,2}):(?P<minute>\*|\d{1,2})(?::(?P<second>\*|\d{1,2}))?)?"
    r" ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d|UTC[+-]\d\d:?\d\d)?"
)
_TIME = re.compile(r"[\d*]+:[\d*]+(:[\d*]+)?")
_SPECIAL = {"BEGIN": 0xFE, "END": 0xFD, "LASTDAY": 0xFE, "LASTDAY2": 0xFD}


def moment(text: str) -> CosemDateTime:
    """``ValueError`` if it is no such text."""
    said = text.strip()
    # A time of day alone has no date at all.
    match = _TEXT.fullmatch(f"*/*/* {said}" if _TIME.fullmatch(said) else said)
    if match is None:
        raise ValueError(f"{text!r} is no time as in 03/26/2019 12:34:56Z")
    parts = {name: _number(match[name]) for name in ("year", "month", "day")}
    times = {name: _number(match[name]) for name in ("hour", "minute", "second")}
    if all(part is None for part in (*parts.values(), *times.values())):
        return CosemDateTime()
    return CosemDateTime(**parts, **times, deviation=_deviation(match["zone"]))


def octets(text: str, count: int) -> bytes:
    """As 12 octets of a date-time, the 5 of its date or the 4 of its time. ``ValueError`` if it is
    no such text, or a part of it is out of range.
    """
    try:
        whole = moment(text).to_octets()
    except CodecError as error:
        raise ValueError(f"{text!r}: {error}") from None
    return {12: whole, 5: whole[:5], 4: whole[5:9]}[count]


def _number(text: str | None) -> int | None:
    if text is None or text == "*":
        return None
    return _SPECIAL[text] if text in _SPECIAL else int(text)


def _deviation(zone: str | None) -> int | None:
    """Minutes from local time to UTC: the other way round than the text has it."""
    if zone is None:
        return None
    zone = zone.removeprefix("UTC").replace(":", "")
    if zone in ("", "Z"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    return -minutes if zone[0] == "+" else minutes
