"""COSEM date-time: wildcards, rules, ranges, and the sign of the deviation."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dlms.axdr import ClockStatus, CosemDateTime
from dlms.axdr.datetimes import octets_of
from dlms.errors import CodecError

WILD = "FFFFFFFFFFFFFFFFFF8000FF"


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def test_all_wildcards() -> None:
    assert CosemDateTime.from_octets(octets(WILD)) == CosemDateTime()
    assert CosemDateTime().to_octets() == octets(WILD)


FIELDS: list[tuple[str, dict[str, Any]]] = [
    (
        "07E8 0B 15 04 08 1E 0F 17 0000 00",
        {
            "year": 2024,
            "month": 11,
            "day": 21,
            "day_of_week": 4,
            "hour": 8,
            "minute": 30,
            "second": 15,
            "hundredths": 23,
            "deviation": 0,
            "status": 0,
        },
    ),
    (
        "FFFF FD FE 07 FF FF FF FF 8000 FF",
        {"month": 0xFD, "day": 0xFE, "day_of_week": 7},
    ),
    (
        "FFFF FE FD FF 02 00 00 FF 8000 FF",
        {"month": 0xFE, "day": 0xFD, "hour": 2, "minute": 0, "second": 0},
    ),
    ("FFFF FF E0 FF FF FF FF FF 8000 FF", {"day": 0xE0}),
    ("FFFF FF FF FF FF FF FF FF FF88 80", {"deviation": -120, "status": 0x80}),
    ("0000 FF FF FF FF FF FF FF 0348 FE", {"year": 0, "deviation": 840, "status": 0xFE}),
    ("FFFE FF FF FF FF FF FF FF FCB8 FF", {"year": 0xFFFE, "deviation": -840}),
]


@pytest.mark.parametrize(("text", "fields"), FIELDS, ids=lambda value: str(value)[:35])
def test_fields_both_ways(text: str, fields: dict[str, Any]) -> None:
    value = CosemDateTime(**fields)
    assert CosemDateTime.from_octets(octets(text)) == value
    assert value.to_octets() == octets(text)


OUT_OF_RANGE = [
    ("month", 0),
    ("month", 13),
    ("month", 0xFC),
    ("day", 0),
    ("day", 32),
    ("day", 0xDF),
    ("day_of_week", 0),
    ("day_of_week", 8),
    ("hour", 24),
    ("minute", 60),
    ("second", 60),
    ("hundredths", 100),
    ("deviation", 841),
    ("deviation", -841),
    ("year", -1),
    ("year", 0xFFFF),
    ("status", 256),
]


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE)
def test_out_of_range(name: str, value: int) -> None:
    with pytest.raises(CodecError):
        CosemDateTime(**{name: value}).to_octets()


@pytest.mark.parametrize(
    "text",
    [
        "FFFF 00 FF FF FF FF FF FF 8000 FF",
        "FFFF FF 20 FF FF FF FF FF 8000 FF",
        "FFFF FF FF 08 FF FF FF FF 8000 FF",
        "FFFF FF FF FF 18 FF FF FF 8000 FF",
        "FFFF FF FF FF FF 3C FF FF 8000 FF",
        "FFFF FF FF FF FF FF 3C FF 8000 FF",
        "FFFF FF FF FF FF FF FF 64 8000 FF",
        "FFFF FF FF FF FF FF FF FF 0349 FF",
        "FFFF FF FF FF FF FF FF FF 8001 FF",
    ],
)
def test_octets_out_of_range(text: str) -> None:
    with pytest.raises(CodecError):
        CosemDateTime.from_octets(octets(text))


@pytest.mark.parametrize("length", [0, 5, 11, 13])
def test_wrong_length(length: int) -> None:
    with pytest.raises(CodecError):
        CosemDateTime.from_octets(bytes(length))


# UTC = local time + deviation: the opposite of the usual offset.
MOMENTS = [
    ("07E4 01 01 FF 00 03 00 00 FF88 00", "2020-01-01T00:03:00+02:00"),
    ("07E4 01 01 FF 00 03 00 00 003C 00", "2020-01-01T00:03:00-01:00"),
    ("07E4 07 01 FF 00 03 00 00 FFC4 80", "2020-07-01T00:03:00+01:00"),
    ("07E4 07 01 FF 00 03 00 00 0000 00", "2020-07-01T00:03:00+00:00"),
    ("07E2 02 0C FF 00 00 00 00 8000 00", "2018-02-12T00:00:00"),
    ("07E4 01 01 FF 00 03 00 32 FEB6 00", "2020-01-01T00:03:00.500000+05:30"),
]


@pytest.mark.parametrize(("text", "iso"), MOMENTS)
def test_moment(text: str, iso: str) -> None:
    moment = dt.datetime.fromisoformat(iso)
    value = CosemDateTime.from_octets(octets(text))
    assert value.to_datetime() == moment
    assert value.to_datetime().utcoffset() == moment.utcoffset()
    back = CosemDateTime.from_datetime(moment)
    assert back.deviation == value.deviation
    assert back.to_datetime() == moment
    assert back.day_of_week == moment.isoweekday()


def test_unspecified_seconds_count_as_0() -> None:
    value = CosemDateTime(year=2020, month=1, day=1, hour=2, minute=3)
    assert value.to_datetime() == dt.datetime(2020, 1, 1, 2, 3)


@pytest.mark.parametrize("lacking", ["year", "month", "day", "hour", "minute"])
def test_no_moment(lacking: str) -> None:
    fields = {"year": 2020, "month": 1, "day": 1, "hour": 2, "minute": 3, lacking: None}
    with pytest.raises(ValueError, match="not fully specified"):
        CosemDateTime(**fields).to_datetime()


@pytest.mark.parametrize("fields", [{"month": 0xFE, "day": 1}, {"month": 1, "day": 0xFE}])
def test_a_rule_is_no_moment(fields: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must be in|out of range"):
        CosemDateTime(year=2020, hour=0, minute=0, **fields).to_datetime()


def test_status() -> None:
    value = CosemDateTime.from_datetime(
        dt.datetime(2020, 7, 1),
        status=ClockStatus.DAYLIGHT_SAVING_ACTIVE | ClockStatus.DOUBTFUL_VALUE,
    )
    assert value.to_octets()[-1] == 0x82


def test_text() -> None:
    assert str(CosemDateTime()) == "*-*-* *:*:*"
    moment = dt.datetime.fromisoformat("2020-01-02T03:04:05+05:30")
    assert str(CosemDateTime.from_datetime(moment)) == "2020-01-02 03:04:05+05:30"
    winter = dt.datetime.fromisoformat("2020-01-02T03:04:05-01:00")
    assert str(CosemDateTime.from_datetime(winter)).endswith("-01:00")


@pytest.mark.parametrize("minutes", [-840, -60, 0, 60, 345, 840])
def test_octets_of_a_moment(minutes: int) -> None:
    """The short way gives what the long way gives."""
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    moment = dt.datetime(2024, 11, 21, 8, 30, 15, 239_999, zone)
    for status in (0, 0x80):
        long_way = CosemDateTime.from_datetime(moment, status=status)
        assert octets_of(moment, status=status) == long_way.to_octets()
