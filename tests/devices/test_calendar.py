"""Activity calendars against a slow reading of the same tables, minute by minute."""

from __future__ import annotations

import calendar as months
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.calendar import Calendar, matches, seconds_of
from dlms.axdr.data import Data, array, long_unsigned, octet_string, structure, unsigned

SCRIPTS = octet_string(bytes((0, 0, 10, 0, 100, 255)))
WEEKS, DAYS = ("A", "B", "C"), range(4)


def date_of(year: int, month: int, day: int, weekday: int = 0xFF) -> bytes:
    return bytes((*year.to_bytes(2, "big"), month, day, weekday))


def season(start: bytes, week: str) -> Data:
    time = bytes((0, 0, 0, 0, 0x80, 0, 0))
    return structure(
        octet_string(week.encode()), octet_string(start + time), octet_string(week.encode())
    )


def week(name: str, *days: int) -> Data:
    return structure(octet_string(name.encode()), *(unsigned(day) for day in days))


def day(number: int, *switches: tuple[int, int]) -> Data:
    schedule = (
        structure(octet_string(bytes((*divmod(minute, 60), 0, 0))), SCRIPTS, long_unsigned(rate))
        for minute, rate in switches
    )
    return structure(unsigned(number), array(*schedule))


def special(number: int, date: bytes, day: int) -> Data:
    return structure(long_unsigned(number), octet_string(date), unsigned(day))


# A slow reading -----------------------------------------------------------------------------------

STARTS = st.tuples(
    st.sampled_from([0xFFFF, 0xFFFF, 2018, 2019, 2020]), st.integers(1, 12), st.integers(1, 31)
)
ANY_DATE = st.tuples(
    st.sampled_from([0xFFFF, 2019]),
    st.sampled_from([0xFF, 1, 2, 3, 12]),
    st.sampled_from([0xFF, 0xFE, 0xFD, 1, 15, 29]),
    st.sampled_from([0xFF, 1, 7]),
)
TABLES = st.fixed_dictionaries(
    {
        "seasons": st.lists(st.tuples(STARTS, st.sampled_from(WEEKS)), max_size=4),
        "weeks": st.dictionaries(st.sampled_from(WEEKS), st.tuples(*[st.sampled_from(DAYS)] * 7)),
        "days": st.dictionaries(
            st.sampled_from(DAYS),
            st.dictionaries(st.integers(0, 1439), st.integers(1, 9), max_size=4),
        ),
        "special": st.lists(st.tuples(ANY_DATE, st.sampled_from(DAYS)), max_size=3),
    }
)


def slow_match(date: dt.date, pattern: tuple[int, int, int, int]) -> bool:
    year, month, number, weekday = pattern
    last = months.monthrange(date.year, date.month)[1]
    wanted = {0xFE: last, 0xFD: last - 1, 0xFF: date.day}.get(number, number)
    return (
        (year == 0xFFFF or year == date.year)
        and (month == 0xFF or month == date.month)
        and wanted == date.day
        and (weekday == 0xFF or weekday == date.weekday() + 1)
    )


def slow_day(tables: dict[str, Any], date: dt.date) -> dict[int, int]:
    for pattern, number in tables["special"]:
        if slow_match(date, pattern):
            return dict(tables["days"].get(number, {}))
    found, since = None, (0, 0, 0)
    for (year, month, number), name in tables["seasons"]:
        for begun in range(date.year - 4, date.year + 1):
            start = begun, month, number
            if year in (0xFFFF, begun) and since < start <= (date.year, date.month, date.day):
                found, since = name, start
    numbers = tables["weeks"].get(found)
    return {} if numbers is None else dict(tables["days"].get(numbers[date.weekday()], {}))


def slow_selector(tables: dict[str, Any], local: dt.datetime) -> int:
    """Back minute by minute to the last switch."""
    minute = local.hour * 60 + local.minute
    for back in range(8):
        switches = slow_day(tables, local.date() - dt.timedelta(back))
        for number in range(minute if not back else 1439, -1, -1):
            if number in switches:
                return switches[number]
    return 0


def made(tables: dict[str, Any]) -> Calendar:
    return Calendar(
        array(*(season(date_of(*start), name) for start, name in tables["seasons"])),
        array(*(week(name, *numbers) for name, numbers in tables["weeks"].items())),
        array(*(day(n, *switches.items()) for n, switches in tables["days"].items())),
        array(*(special(n, date_of(*one), of) for n, (one, of) in enumerate(tables["special"]))),
    )


@given(TABLES, st.datetimes(dt.datetime(2018, 6, 1), dt.datetime(2021, 3, 1)))
def test_it_says_what_the_tables_say(tables: dict[str, Any], local: dt.datetime) -> None:
    calendar = made(tables)
    switches = sorted((60 * n, rate) for n, rate in slow_day(tables, local.date()).items())
    assert [tuple(one) for one in calendar.day(local.date())] == switches
    assert calendar.selector(local) == slow_selector(tables, local)
    assert calendar.selector(local) in calendar.selectors | {0}


# By hand ------------------------------------------------------------------------------------------

PLAIN = array(day(1, (0, 1)), day(2, (0, 2)), day(3, (0, 3)))
TWO = array(week("A", *[1] * 7), week("B", *[2] * 7))


def rate(calendar: Calendar, year: int, month: int, day: int) -> int:
    return calendar.selector(dt.datetime(year, month, day, 12))


def test_a_season_goes_on_over_new_year() -> None:
    seasons = array(season(date_of(0xFFFF, 4, 1), "A"), season(date_of(0xFFFF, 10, 1), "B"))
    calendar = Calendar(seasons, TWO, PLAIN, None)
    assert [rate(calendar, 2019, *day) for day in ((3, 31), (4, 1), (9, 30), (10, 1))] == [
        2,
        1,
        1,
        2,
    ]
    assert rate(calendar, 2020, 1, 1) == 2


def test_a_season_of_one_year_lasts_until_another() -> None:
    calendar = Calendar(array(season(date_of(2015, 4, 1), "A")), TWO, PLAIN, None)
    assert [rate(calendar, *date) for date in ((2015, 3, 31), (2015, 4, 1), (2031, 1, 1))] == [
        0,
        1,
        1,
    ]


def test_a_season_that_has_always_begun_gives_way_to_any_other() -> None:
    seasons = array(season(date_of(0xFFFF, 0xFF, 0xFF), "A"), season(date_of(2019, 4, 1), "B"))
    calendar = Calendar(seasons, TWO, PLAIN, None)
    assert [rate(calendar, 2019, 3, 31), rate(calendar, 2019, 4, 1)] == [1, 2]


def test_the_first_special_day_that_matches_counts() -> None:
    always = array(season(date_of(0xFFFF, 0xFF, 0xFF), "A"))
    days = array(special(1, date_of(0xFFFF, 12, 25), 3), special(2, date_of(2019, 12, 25), 2))
    calendar = Calendar(always, TWO, PLAIN, days)
    assert [rate(calendar, 2019, 12, 24), rate(calendar, 2019, 12, 25)] == [1, 3]


def test_a_day_without_a_switch_goes_on_with_the_day_before() -> None:
    weeks = array(week("A", 1, 9, 9, 9, 9, 9, 9))
    always = array(season(date_of(0xFFFF, 0xFF, 0xFF), "A"))
    calendar = Calendar(always, weeks, PLAIN, None)
    assert rate(calendar, 2019, 3, 10) == 1  # a Sunday


@pytest.mark.parametrize("pattern", [b"", b"\xff" * 4, b"\xff" * 6])
def test_what_is_no_date_matches_none(pattern: bytes) -> None:
    assert not matches(dt.date(2019, 1, 1), pattern)


@pytest.mark.parametrize(
    ("time", "seconds"), [("17 3B 3B 00", 86399), ("FF 1E FF FF", 1800), ("01 FF 01 00", 3601)]
)
def test_seconds_of_a_time(time: str, seconds: int) -> None:
    assert seconds_of(bytes.fromhex(time)) == seconds
