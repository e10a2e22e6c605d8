"""Communication windows: when they are open, and when the next one opens."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.objects.windows import Window, is_open, next_opening, windows
from dlms.axdr.data import NULL, array, octet_string, structure, unsigned
from dlms.axdr.datetimes import CosemDateTime

At = CosemDateTime
MIDNIGHT = {"minute": 0, "second": 0}


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


DAILY = Window(At(hour=22, **MIDNIGHT), At(hour=6, **MIDNIGHT))
MONDAYS = Window(At(day_of_week=1, hour=0, **MIDNIGHT), At(day_of_week=2, hour=0, **MIDNIGHT))
LAST_DAYS = Window(At(day=0xFE, hour=12, **MIDNIGHT), At(day=0xFE, hour=13, **MIDNIGHT))
SECOND_LAST = Window(At(day=0xFD, hour=12, **MIDNIGHT), At(day=0xFE, hour=0, **MIDNIGHT))
HOURLY = Window(At(minute=10, second=0), At(minute=20, second=0))
LEAP = Window(At(month=2, day=29, hour=0, **MIDNIGHT), At(month=3, day=1, hour=0, **MIDNIGHT))
ONCE = Window(
    At(year=2019, month=5, day=1, hour=8, **MIDNIGHT),
    At(year=2030, month=1, day=1, hour=0, **MIDNIGHT),
)
NEVER_CLOSED = Window(
    At(year=2019, month=5, day=1, hour=8, **MIDNIGHT), At(month=2, day=30, hour=0, **MIDNIGHT)
)


@pytest.mark.parametrize(
    ("window", "now", "opened", "following"),
    [
        (DAILY, "2019-03-26T21:59:59", False, "2019-03-26T22:00:00"),
        (DAILY, "2019-03-26T22:00:00", True, "2019-03-27T22:00:00"),
        (DAILY, "2019-03-27T05:59:59", True, "2019-03-27T22:00:00"),
        (DAILY, "2019-03-27T06:00:00", False, "2019-03-27T22:00:00"),
        (MONDAYS, "2019-03-25T00:00:00", True, "2019-04-01T00:00:00"),
        (MONDAYS, "2019-03-24T23:59:59.999", False, "2019-03-25T00:00:00"),
        (MONDAYS, "2019-03-26T00:00:00", False, "2019-04-01T00:00:00"),
        (LAST_DAYS, "2020-02-29T12:30:00", True, "2020-03-31T12:00:00"),
        (LAST_DAYS, "2019-02-28T11:30:00", False, "2019-02-28T12:00:00"),
        (SECOND_LAST, "2019-04-29T12:00:00", True, "2019-05-30T12:00:00"),
        (SECOND_LAST, "2019-04-30T12:00:00", False, "2019-05-30T12:00:00"),
        (HOURLY, "2019-03-26T13:15:00", True, "2019-03-26T14:10:00"),
        (HOURLY, "2019-03-26T13:25:00", False, "2019-03-26T14:10:00"),
        (LEAP, "2019-03-26T13:25:00", False, "2020-02-29T00:00:00"),
        (LEAP, "2020-02-29T13:25:00", True, "2024-02-29T00:00:00"),
        (ONCE, "2019-03-26T13:25:00", False, "2019-05-01T08:00:00"),
        (ONCE, "2025-03-26T13:25:00", True, None),
        (ONCE, "2030-03-26T13:25:00", False, None),
        (NEVER_CLOSED, "2049-03-26T13:25:00", True, None),
        (NEVER_CLOSED, "2010-03-26T13:25:00", False, "2019-05-01T08:00:00"),
    ],
)
def test_windows(window: Window, now: str, opened: bool, following: str | None) -> None:
    assert is_open([window], moment(now)) is opened
    expected = None if following is None else moment(following)
    assert next_opening([window], moment(now)) == expected


def test_several() -> None:
    now = moment("2019-03-26T13:25:00")
    assert not is_open([DAILY, HOURLY], now)
    assert next_opening([DAILY, HOURLY], now) == moment("2019-03-26T14:10:00")
    assert is_open([DAILY, HOURLY], moment("2019-03-26T23:00:00"))
    assert not is_open([], now)
    assert next_opening([], now) is None


@given(
    st.integers(0, 23),
    st.integers(0, 23),
    st.datetimes(dt.datetime(2019, 1, 1), dt.datetime(2021, 1, 1)),
)
def test_it_is_open_between_its_hours(begin: int, end: int, now: dt.datetime) -> None:
    window = Window(At(hour=begin, **MIDNIGHT), At(hour=end, **MIDNIGHT))
    if begin == end:
        assert not is_open([window], now)
    else:
        hours = {(begin + n) % 24 for n in range((end - begin) % 24)}
        assert is_open([window], now) is (now.hour in hours)
    opening = next_opening([window], now)
    assert opening is not None
    assert now.replace(microsecond=0) < opening <= now + dt.timedelta(days=1)
    assert (opening.hour, opening.minute, opening.second) == (begin, 0, 0)


def test_what_is_no_window_is_left_out() -> None:
    good = structure(*(octet_string(one.to_octets()) for one in DAILY))
    bad = (
        structure(octet_string(DAILY.start.to_octets())),
        structure(octet_string(b"short"), octet_string(b"short")),
        structure(unsigned(1), unsigned(2)),
        unsigned(3),
        structure(*(octet_string(DAILY.start.to_octets()) for _ in range(3))),
    )
    assert windows(array(*bad, good)) == (DAILY,)
    assert windows(None) == ()
    assert windows(NULL) == ()
