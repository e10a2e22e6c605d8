"""The clock: true time plus what the meter remembers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.axdr.data import Data, array, double_long, enum, integer, long, octet_string
from dlms.axdr.datetimes import CosemDateTime
from dlms.xdlms.codes import ActionResult, DataAccessResult

CLOCK = "0-0:1.0.0.255"
NOON = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
IN_ZONE = '[objects."0-0:1.0.0.255"]\nvalues.3 = { long = -60 }\n'
SECOND = dt.timedelta(seconds=1)
THIRTEEN_MONTHS = 18960
"""Rows of a profile, half-hourly for 395 days."""


def octets(moment: dt.datetime) -> Data:
    return octet_string(CosemDateTime.from_datetime(moment).to_octets())


def time(meter: Any) -> CosemDateTime:
    return CosemDateTime.from_octets(meter.value(CLOCK, 2))


def moment(meter: Any) -> dt.datetime:
    return time(meter).to_datetime()


def test_a_new_meter_has_the_true_time_in_utc(bench: Any) -> None:
    assert bench.value(CLOCK, 2) == bytes.fromhex("07E3031A020C000000000000")
    assert moment(bench) == NOON
    bench.now += dt.timedelta(hours=7, minutes=6, seconds=5, milliseconds=430)
    assert bench.value(CLOCK, 2) == bytes.fromhex("07E3031A021306052B000000")


def test_the_zone_is_a_deviation(make_bench: Callable[..., Any]) -> None:
    """time_zone -60 is one hour east: the clock shows 13 h and says deviation -60."""
    meter = make_bench("secure", IN_ZONE)
    assert (time(meter).hour, time(meter).deviation) == (13, -60)
    assert moment(meter) == NOON


def test_status_is_good(bench: Any) -> None:
    assert bench.value(CLOCK, 4) == 0
    assert time(bench).status == 0


@pytest.mark.parametrize("deviation", [0, -60, 60, -840, 840])
def test_write_with_deviation(bench: Any, deviation: int) -> None:
    zone = dt.timezone(dt.timedelta(minutes=-deviation))
    wanted = dt.datetime(2019, 3, 26, 12, 0, 7, 250_000, tzinfo=zone)
    assert bench.set(CLOCK, 2, octets(wanted)) is DataAccessResult.SUCCESS
    assert moment(bench) == wanted
    assert time(bench).deviation == 0
    bench.now += 90 * SECOND
    assert moment(bench) == wanted + 90 * SECOND


def test_write_without_deviation_is_in_the_zone_of_the_meter(
    make_bench: Callable[..., Any],
) -> None:
    for name, extra, hour in (("itron", "", 15), ("secure", IN_ZONE, 14)):
        meter = make_bench(name, extra)
        assert meter.set(CLOCK, 2, octets(dt.datetime(2019, 3, 26, 15, 0))) == 0
        assert moment(meter) == NOON.replace(hour=hour)
        assert time(meter).hour == 15


def test_seconds_and_hundredths_may_be_left_out(bench: Any) -> None:
    written = CosemDateTime(year=2020, month=2, day=29, hour=1, minute=2, deviation=0)
    assert bench.set(CLOCK, 2, octet_string(written.to_octets())) is DataAccessResult.SUCCESS
    assert moment(bench) == dt.datetime(2020, 2, 29, 1, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "07E3031A020C0000000000",  # 11 octets
        "07E3031A020C00000000000000",  # 13
        "FFFF031A020C000000000000",  # no year
        "07E3FF1A020C000000000000",  # no month
        "07E303FFFF0C000000000000",  # no day
        "07E3031A02FF000000000000",  # no hour
        "07E3031A020CFF0000000000",  # no minute
        "07E3FE1A020C000000000000",  # month: daylight savings begin
        "07E303FE020C000000000000",  # day: last of month
        "07E3021E020C000000000000",  # 30 February
        "07E3021DFF0C000000000000",  # 29 February 2019
        "07E30D01020C000000000000",  # month 13
        "07E3031A0218000000000000",  # 24 h
        "07E3031A020C3C0000000000",  # minute 60
        "07E3031A020C003C00000000",  # second 60
        "07E3031A020C000064000000",  # hundredths 100
        "07E3031A020C000000034900",  # deviation 841
        "0000031A020C000000000000",  # year 0
        "2710031A020C000000000000",  # year 10000
    ],
)
def test_what_is_no_moment_is_refused(bench: Any, written: str) -> None:
    before = bench.digest()
    value = octet_string(bytes.fromhex(written))
    assert bench.set(CLOCK, 2, value) is DataAccessResult.TYPE_UNMATCHED
    assert bench.digest() == before
    assert moment(bench) == NOON


@pytest.mark.parametrize(
    ("year", "result"),
    [
        (1, DataAccessResult.OTHER_REASON),
        (1999, DataAccessResult.OTHER_REASON),
        (2000, DataAccessResult.SUCCESS),
        (2999, DataAccessResult.SUCCESS),
        (3000, DataAccessResult.OTHER_REASON),
        (9999, DataAccessResult.OTHER_REASON),
    ],
)
@pytest.mark.parametrize("deviation", [-840, 0, 840])
@pytest.mark.parametrize("end", [False, True])
def test_the_edges_of_the_calendar_do_not_stop_the_clock(
    bench: Any, year: int, deviation: int, end: bool, result: DataAccessResult
) -> None:
    """Whatever is written, the clock and the profile can be read, then and later."""
    month, day, hour, minute = (12, 31, 23, 59) if end else (1, 1, 0, 0)
    written = CosemDateTime(
        year=year, month=month, day=day, hour=hour, minute=minute, second=0, deviation=deviation
    )
    before = bench.digest()
    assert bench.set(CLOCK, 2, octet_string(written.to_octets())) is result
    assert (bench.digest() == before) is (result is DataAccessResult.OTHER_REASON)
    for _ in range(2):
        assert len(bench.value("1-0:99.1.0.255", 2, "s1sp")) == THIRTEEN_MONTHS
        assert isinstance(bench.get(CLOCK, 2), Data)
        bench.now += dt.timedelta(days=366)


@pytest.mark.parametrize("value", [integer(0), array(), enum(0)])
def test_only_an_octet_string_is_a_time(bench: Any, value: Data) -> None:
    assert bench.set(CLOCK, 2, value) is DataAccessResult.TYPE_UNMATCHED


@pytest.mark.parametrize(
    ("seconds", "result"),
    [
        (-901, ActionResult.OTHER_REASON),
        (-900, ActionResult.SUCCESS),
        (-1, ActionResult.SUCCESS),
        (0, ActionResult.SUCCESS),
        (900, ActionResult.SUCCESS),
        (901, ActionResult.OTHER_REASON),
        (32767, ActionResult.OTHER_REASON),
        (-32768, ActionResult.OTHER_REASON),
    ],
)
def test_shift(bench: Any, seconds: int, result: ActionResult) -> None:
    before = bench.digest()
    assert bench.act(CLOCK, 6, long(seconds)) is result
    if result is ActionResult.SUCCESS:
        assert moment(bench) == NOON + seconds * SECOND
    else:
        assert bench.digest() == before


def test_shifts_add_up(bench: Any) -> None:
    for seconds in (900, 900, -1, -2):
        assert bench.act(CLOCK, 6, long(seconds)) is ActionResult.SUCCESS
    assert moment(bench) == NOON + 1797 * SECOND


@pytest.mark.parametrize("parameter", [integer(1), double_long(1), None])
def test_shift_takes_a_long(bench: Any, parameter: Data | None) -> None:
    before = bench.digest()
    assert bench.act(CLOCK, 6, parameter) is ActionResult.TYPE_UNMATCHED
    assert bench.digest() == before


@pytest.mark.parametrize(
    ("method", "before", "after"),
    [
        (1, "12:00:00", "12:00:00"),
        (1, "12:07:29", "12:00:00"),
        (1, "12:07:31", "12:15:00"),
        (1, "12:59:00", "13:00:00"),
        (1, "23:52:31", "00:00:00"),
        (3, "12:00:29", "12:00:00"),
        (3, "12:00:31", "12:01:00"),
        (3, "23:59:59", "00:00:00"),
    ],
)
def test_adjust(bench: Any, method: int, before: str, after: str) -> None:
    """adjust_to_quarter and adjust_to_minute: to the nearest."""
    start = dt.datetime.combine(NOON, dt.time.fromisoformat(before), dt.UTC)
    bench.set(CLOCK, 2, octets(start))
    assert bench.act(CLOCK, method, integer(0)) is ActionResult.SUCCESS
    assert moment(bench).time().isoformat() == after
    assert abs(moment(bench) - start) <= (450 if method == 1 else 30) * SECOND


@given(
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2999, 1, 1), timezones=st.just(dt.UTC)),
    st.datetimes(dt.datetime(2015, 1, 1), dt.datetime(2035, 1, 1), timezones=st.just(dt.UTC)),
    st.sampled_from([(1, 900), (3, 60)]),
)
def test_adjusting_is_exact(
    make_bench: Callable[..., Any], device: dt.datetime, true: dt.datetime, how: tuple[int, int]
) -> None:
    method, step = how
    meter = make_bench()
    meter.now = true
    assert meter.set(CLOCK, 2, octets(device)) is DataAccessResult.SUCCESS
    written = moment(meter)
    assert device - written < dt.timedelta(milliseconds=10)
    assert meter.act(CLOCK, method, integer(0)) is ActionResult.SUCCESS
    adjusted = true + meter.device.state.clock_offset
    assert (adjusted - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) % (step * SECOND) == 0 * SECOND
    assert abs(adjusted - written) <= step / 2 * SECOND


def test_methods_that_no_profile_offers(bench: Any) -> None:
    for method in (2, 4):
        assert bench.act(CLOCK, method, integer(0)) is ActionResult.READ_WRITE_DENIED


def test_methods_that_are_offered_but_not_there(make_bench: Callable[..., Any]) -> None:
    """A right does not make a behaviour."""
    meter = make_bench("secure", '[objects."0-0:1.0.0.255"]\nrights.dco = "rw m"\n')
    for method in (2, 4):
        assert meter.act(CLOCK, method, integer(0)) is ActionResult.OBJECT_UNAVAILABLE


def test_a_stored_attribute_is_kept(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("secure", '[objects."0-0:1.0.0.255"]\nrights.dco = "rw m"\n')
    assert meter.set(CLOCK, 3, long(-60)) is DataAccessResult.SUCCESS
    assert meter.value(CLOCK, 3) == -60
    assert (time(meter).hour, moment(meter)) == (13, NOON)
    assert make_bench("secure").value(CLOCK, 3) == 0
