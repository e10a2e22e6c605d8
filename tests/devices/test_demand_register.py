"""Demand: means of periods and the greatest half-hour, made of the same readings as registers."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from devices import metering
from devices.metrology import INSTALLED, Quantity, cumulative
from devices.profile import ProfileError, load_text
from dlms.axdr.data import DataType, double_long_unsigned, integer, long_unsigned
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.xdlms.codes import ActionResult

DEMAND, MAXIMUM = "1-0:1.4.0.255", "1-0:1.6.0.255"
NOW = dt.datetime(2019, 3, 26, 12, 10, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HALF_HOUR = 30 * MINUTE
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def table(period: int = 1800, count: int = 1) -> str:
    return f"""
[objects."{DEMAND}"]
class = "Demand register"
role = "import-demand"
values.4 = {{ structure = [{{ integer = 0 }}, {{ enum = 27 }}] }}
values.5 = {{ unsigned = 0 }}
values.8 = {{ double-long-unsigned = {period} }}
values.9 = {{ long-unsigned = {count} }}
rights.dco = "rw m"
assumed = "for the test"
[objects."{MAXIMUM}"]
class = "Extended register"
role = "max-import-demand"
values.3 = {{ structure = [{{ integer = 0 }}, {{ enum = 27 }}] }}
values.4 = {{ unsigned = 0 }}
rights.dco = "rw m"
assumed = "for the test"
"""


@pytest.fixture
def meter(make_bench: Callable[..., Any]) -> Any:
    bench = make_bench("secure", table())
    bench.now = NOW
    return bench


def used(meter: Any, begin: dt.datetime, end: dt.datetime) -> int:
    seed = meter.device.seed
    return cumulative(seed, Quantity.IMPORT, end) - cumulative(seed, Quantity.IMPORT, begin)


def moment(meter: Any, code: str, attribute: int) -> dt.datetime:
    return CosemDateTime.from_octets(meter.value(code, attribute)).to_datetime()


def test_the_running_period_and_the_last(meter: Any) -> None:
    noon = NOW - 10 * MINUTE
    assert meter.get(DEMAND, 2).type is DataType.DOUBLE_LONG_UNSIGNED
    # The running period against its whole length.
    assert meter.value(DEMAND, 2) == 2 * used(meter, noon, NOW) > 0
    assert meter.value(DEMAND, 3) == 2 * used(meter, noon - HALF_HOUR, noon) > 0
    assert (moment(meter, DEMAND, 6), moment(meter, DEMAND, 7)) == (noon, noon)
    assert meter.value(DEMAND, 5) == 0
    last = meter.value(DEMAND, 3)
    meter.now = noon + HALF_HOUR - dt.timedelta(microseconds=1)
    running = meter.value(DEMAND, 2)
    assert meter.value(DEMAND, 3) == last
    meter.now = noon + HALF_HOUR
    assert 0 <= meter.value(DEMAND, 3) - running <= 2
    assert meter.value(DEMAND, 2) == 0
    assert moment(meter, DEMAND, 6) == moment(meter, DEMAND, 7) == noon + HALF_HOUR


def test_a_window_that_slides(meter: Any) -> None:
    """Three periods of ten minutes: the current average is of the last two and the running one."""
    assert meter.set(DEMAND, 8, double_long_unsigned(600)) == 0
    assert meter.set(DEMAND, 9, long_unsigned(3)) == 0
    meter.now = NOW + 5 * MINUTE
    assert meter.value(DEMAND, 2) == 2 * used(meter, NOW - 20 * MINUTE, NOW + 5 * MINUTE)
    assert meter.value(DEMAND, 3) == 2 * used(meter, NOW - 30 * MINUTE, NOW)
    assert moment(meter, DEMAND, 6) == NOW
    assert moment(meter, DEMAND, 7) == NOW - 20 * MINUTE


@pytest.mark.parametrize(("period", "count"), [(0, 1), (0xFFFF_FFFF, 0xFFFF), (395 * 86_400, 2)])
def test_windows_that_make_no_sense(meter: Any, period: int, count: int) -> None:
    assert meter.set(DEMAND, 8, double_long_unsigned(period)) == 0
    assert meter.set(DEMAND, 9, long_unsigned(count)) == 0
    assert (meter.value(DEMAND, 2), meter.value(DEMAND, 3)) == (0, 0)
    assert meter.value(DEMAND, 6) == meter.value(DEMAND, 7) == CosemDateTime().to_octets()


def test_no_number_of_periods_is_one(meter: Any) -> None:
    before = meter.value(DEMAND, 3)
    assert meter.set(DEMAND, 9, long_unsigned(0)) == 0
    assert meter.value(DEMAND, 3) == before


def test_periods_are_those_of_the_devices_clock(meter: Any) -> None:
    meter.device.state.clock_offset = dt.timedelta(minutes=5)
    noon = NOW - 10 * MINUTE
    assert meter.value(DEMAND, 3) == 2 * used(meter, noon - 35 * MINUTE, noon - 5 * MINUTE)
    assert moment(meter, DEMAND, 6) == noon  # as it shows


def test_demand_in_a_load_profile(make_bench: Callable[..., Any]) -> None:
    """The last average at a row's time is what was used since the row before."""
    column = (
        '{{ structure = [{{ long-unsigned = {0} }}, {{ obis = "{1}" }}, '
        "{{ integer = {2} }}, {{ long-unsigned = 0 }}] }}"
    )
    columns = column.format(3, "1-0:1.8.0.255", 2), column.format(5, DEMAND, 3)
    extra = f'[objects."1-0:99.1.0.255"]\nvalues.3 = {{ array = [{", ".join(columns)}] }}\n'
    meter = make_bench("secure", table() + extra)
    rows = [
        [cell.value for cell in row.value] for row in meter.get("1-0:99.1.0.255", 2, "s1sp").value
    ]
    for before, after in itertools.pairwise(rows):
        assert after[1] == 2 * (after[0] - before[0])


def greatest(meter: Any, begin: dt.datetime, end: dt.datetime) -> tuple[int, dt.datetime]:
    """Looked for one by one."""
    best = (-1, begin)
    while begin + HALF_HOUR <= end:
        value = 2 * used(meter, begin, begin + HALF_HOUR)
        if value > best[0]:
            best = value, begin + HALF_HOUR
        begin += HALF_HOUR
    return best


def shown(meter: Any) -> tuple[int, dt.datetime]:
    return meter.value(MAXIMUM, 2), moment(meter, MAXIMUM, 5)


def test_the_greatest_half_hour_of_the_month(meter: Any) -> None:
    assert shown(meter) == greatest(meter, dt.datetime(2019, 3, 1, tzinfo=dt.UTC), NOW)
    assert meter.value(MAXIMUM, 4) == 0
    meter.now = dt.datetime(2019, 4, 1, 0, 29, 59, tzinfo=dt.UTC)
    assert meter.value(MAXIMUM, 2) == 0
    assert meter.value(MAXIMUM, 5) == CosemDateTime().to_octets()
    meter.now += dt.timedelta(seconds=1)
    value, captured = shown(meter)
    assert captured == meter.now
    assert value == 2 * used(meter, meter.now - HALF_HOUR, meter.now)


def test_since_the_billing_reset(meter: Any) -> None:
    """Only whole half-hours after it count."""
    reset = dt.datetime(2019, 3, 24, 10, 0, 0, 1, dt.UTC)
    figures = meter.device.state.figures
    figures[metering.BILLING_RESET] = (reset - EPOCH) // dt.timedelta(microseconds=1)
    begin = dt.datetime(2019, 3, 24, 10, 30, tzinfo=dt.UTC)
    assert shown(meter) == greatest(meter, begin, NOW)
    figures[metering.BILLING_RESET] -= 1
    assert shown(meter) == greatest(meter, begin - HALF_HOUR, NOW)
    # In the month before, and long ago: 13 months at the most.
    for days in (40, 3000):
        figures[metering.BILLING_RESET] -= days * 86_400_000_000
        noon = NOW - 10 * MINUTE
        first = max(begin - HALF_HOUR - dt.timedelta(days=40), noon - dt.timedelta(days=395))
        if days == 40:
            assert shown(meter) == greatest(meter, first, NOW)
        else:
            assert shown(meter) == greatest(meter, noon - dt.timedelta(days=395) + HALF_HOUR, NOW)
    figures[metering.BILLING_RESET] = 2**62 // 1000
    assert meter.value(MAXIMUM, 2) == 0


def test_the_script_that_ends_a_billing_period(meter: Any) -> None:
    """What was the greatest is in the snapshot at most; the next period has its own."""
    assert meter.value(MAXIMUM, 2) > 0
    script = long_unsigned(1)
    assert meter.act("0-0:10.0.1.255", 1, script) is ActionResult.SUCCESS
    assert meter.value(MAXIMUM, 2) == 0
    ended = meter.now
    meter.now += 3 * HALF_HOUR
    begin = ended + -(ended - EPOCH) % HALF_HOUR
    assert shown(meter) == greatest(meter, begin, meter.now)
    with_script = meter.device.state.figures[metering.BILLING_RESET]
    assert with_script == (ended - EPOCH) // dt.timedelta(microseconds=1)


def test_a_billing_period_that_nobody_ends(meter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked back on for 13 months, which bounds the work."""
    readings: list[int] = []
    total = metering.total

    def counted(*what: Any) -> int:
        readings.append(total(*what))
        return readings[-1]

    monkeypatch.setattr(metering, "total", counted)
    meter.device.state.figures[metering.BILLING_RESET] = 0
    assert meter.value(MAXIMUM, 2) > 0
    assert len(readings) == 395 * 48


def test_before_anything_was_used(meter: Any) -> None:
    meter.now = INSTALLED - MINUTE
    assert (meter.value(DEMAND, 2), meter.value(DEMAND, 3), meter.value(MAXIMUM, 2)) == (0, 0, 0)


def test_neither_is_reset_from_outside(meter: Any) -> None:
    before = meter.digest()
    for code in (DEMAND, MAXIMUM):
        assert meter.act(code, 1, integer(0)) is ActionResult.OBJECT_UNAVAILABLE
    assert meter.digest() == before


def test_registers_without_the_role_are_stored(make_bench: Callable[..., Any]) -> None:
    lab = make_bench("laboratory")
    assert [lab.value(DEMAND, n, "reader") for n in (2, 3)] == [830, 790]
    assert lab.value(MAXIMUM, 2, "reader") == 4210
    assert moment_of(lab, MAXIMUM, 5) == dt.datetime(2019, 3, 1, 17, 30, tzinfo=dt.UTC)
    row = lab.profile.objects[obis.parse(DEMAND)]
    lab.device.store(row, 2, double_long_unsigned(5))
    assert lab.value(DEMAND, 2, "reader") == 5


def moment_of(lab: Any, code: str, attribute: int) -> dt.datetime:
    return CosemDateTime.from_octets(lab.value(code, attribute, "reader")).to_datetime()


@pytest.mark.parametrize(
    ("kind", "role", "message"),
    [
        ("Register", "max-import-demand", "'max-import-demand' is for Extended register, not Reg"),
        ("Extended register", "import-energy", "is for Data or Register, not Extended register"),
        ("Demand register", "stored", "is for Profile generic, not Demand register"),
    ],
)
def test_a_role_is_for_its_class(kind: str, role: str, message: str) -> None:
    text = (
        f'extends = "secure"\nname = "test"\n[objects."1-0:1.4.9.255"]\nclass = "{kind}"\n'
        f'role = "{role}"\nassumed = "for the test"\n'
    )
    with pytest.raises(ProfileError, match=message):
        load_text(text, "test.toml")
