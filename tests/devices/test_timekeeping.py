"""Local time against the time zone database; turns of periods under a clock that is set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.timekeeping import Zone, last_turn, next_turn, turn_after

LONDON = ZoneInfo("Europe/London")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ZONE = Zone(
    dt.timedelta(), HOUR, bytes.fromhex("FFFF03FE0701000000000000"),
    bytes.fromhex("FFFF0AFE0702000000000000"),
)  # fmt: skip
MOMENTS = st.datetimes(dt.datetime(2015, 1, 1), dt.datetime(2035, 12, 31, 23))
SPRING = dt.datetime(2019, 3, 31, 1, 0, tzinfo=dt.UTC)
AUTUMN = dt.datetime(2019, 10, 27, 1, 0, tzinfo=dt.UTC)


@given(MOMENTS)
def test_local_time_is_that_of_london(naive: dt.datetime) -> None:
    moment = naive.replace(tzinfo=dt.UTC)
    assert ZONE.local(moment).replace(tzinfo=None) == moment.astimezone(LONDON).replace(tzinfo=None)


@pytest.mark.parametrize("year", range(2015, 2036))
def test_around_every_change(year: int) -> None:
    for month in (3, 10):
        for minutes in range(0, 24 * 60 * 8, 15):
            moment = dt.datetime(year, month, 24, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
            here = moment.astimezone(LONDON)
            assert ZONE.local(moment).replace(tzinfo=None) == here.replace(tzinfo=None)
            if not here.fold:
                assert ZONE.moment(here.replace(tzinfo=None)) == moment


@given(MOMENTS)
def test_a_local_time_is_a_moment_but_in_the_gap(local: dt.datetime) -> None:
    moment = ZONE.moment(local)
    assert moment == local.replace(tzinfo=LONDON).astimezone(dt.UTC)
    first = ZONE.first(local)
    if ZONE.local(moment).replace(tzinfo=None) == local:
        assert first == moment
    else:  # in the gap
        assert first < moment
        assert ZONE.local(first).replace(tzinfo=None) > local
        assert ZONE.local(first - dt.timedelta(microseconds=1)).replace(tzinfo=None) < local


@given(MOMENTS, st.integers(0, 7200))
def test_what_was_reached_never_falls_and_no_time_is_reached_twice(
    naive: dt.datetime, seconds: int
) -> None:
    for moment in (naive.replace(tzinfo=dt.UTC), AUTUMN + dt.timedelta(seconds=seconds - 3600)):
        before = ZONE.reached(moment)
        assert before >= ZONE.local(moment).replace(tzinfo=None)
        assert before <= ZONE.reached(moment + dt.timedelta(seconds=seconds))
        # A switch has happened exactly if its time was reached.
        for back in (-1, 0, 1, 40 * 60):
            switch = before.replace(microsecond=0) - dt.timedelta(seconds=back)
            assert (ZONE.first(switch) <= moment) == (switch <= before)


def test_no_summer_time() -> None:
    zone = Zone(HOUR)
    moment = dt.datetime(2019, 7, 1, 12, tzinfo=dt.UTC)
    assert zone.local(moment).hour == 13
    assert zone.first(dt.datetime(2019, 7, 1, 13)) == zone.moment(dt.datetime(2019, 7, 1, 13))
    assert zone.reached(moment) == dt.datetime(2019, 7, 1, 13)


# Turns --------------------------------------------------------------------------------------------


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.fixture
def london(make_bench: Callable[..., Any]) -> Any:
    """A meter that shows summer time."""
    clock = '[objects."0-0:1.0.0.255"]\nclass = "Clock"\nvalues.8 = { boolean = true }\n'
    begin = 'values.5 = { octet-string = "FFFF03FE0701000000000000" }\n'
    end = 'values.6 = { octet-string = "FFFF0AFE0702000000000000" }\nassumed = "for the test"\n'
    return make_bench("secure", clock + begin + end).device


@pytest.mark.parametrize(
    ("after", "period", "moment"),
    [
        ("2019-03-30T12:00", 86400, "2019-03-31T00:00"),
        ("2019-03-31T12:00", 86400, "2019-03-31T23:00"),  # a day of 23 hours
        ("2019-10-26T23:00", 86400, "2019-10-28T00:00"),  # one of 25
        ("2019-03-31T00:45", 1800, "2019-03-31T01:00"),
        ("2019-10-27T00:45", 3600, "2019-10-27T01:00"),
        ("2019-03-25T00:00", 7 * 86400, "2019-03-31T23:00"),  # a Monday
        ("2019-03-24T23:59:59", 7 * 86400, "2019-03-25T00:00"),
        ("2019-03-25T12:00", 1000, "2019-03-25T12:06:40"),  # 1 553 169 600 s after a Monday
    ],
)
def test_the_next_turn(london: Any, after: str, period: int, moment: str) -> None:
    turn = next_turn(london, at(after), period)
    assert turn.moment == at(moment)
    assert last_turn(london, turn.moment, period) == turn.shown


@pytest.mark.parametrize(
    ("after", "change", "moment"),
    [
        # 5 March has been done; the clock is set at ``after``.
        ("2019-03-05T00:02", -dt.timedelta(minutes=10), "2019-03-06T00:10"),  # not 5 March again
        ("2019-03-05T12:00", -23 * HOUR, "2019-03-06T23:00"),
        ("2019-03-05T06:00", -29 * HOUR, "2019-03-07T05:00"),  # 4 March, 01:00
        ("2019-03-05T06:00", -31 * HOUR, "2019-03-05T07:00"),  # 3 March, 23:00: it begins anew
        ("2019-03-05T23:58", dt.timedelta(minutes=5), "2019-03-05T23:58"),  # over midnight: at once
        ("2019-03-05T12:00", 35 * HOUR, "2019-03-05T12:00"),
        ("2019-03-05T12:00", 36 * HOUR, "2019-03-06T12:00"),  # that midnight is a day ago
    ],
)
def test_a_clock_that_is_set_leaves_no_date_out_and_takes_none_twice(
    london: Any, after: str, change: dt.timedelta, moment: str
) -> None:
    london.state.clock_offset = change
    turn = turn_after(london, dt.datetime(2019, 3, 5), at(after), 86400)
    assert turn.moment == at(moment)
