"""Readings are functions of the meter and the time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.metrology import INSTALLED, Quantity, cumulative, power, voltage, weather
from devices.profile import available
from dlms.axdr.data import DataType, integer
from dlms.xdlms.codes import ActionResult

SEEDS = st.integers(0, 2**32 - 1)
MOMENTS = st.datetimes(dt.datetime(2015, 1, 1), dt.datetime(2060, 1, 1), timezones=st.just(dt.UTC))
QUANTITIES = st.sampled_from(Quantity)
SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)
HALF_HOUR = dt.timedelta(minutes=30)
YEAR = dt.timedelta(days=365)
SUMMER, WINTER = (dt.datetime(2018, month, 15, tzinfo=dt.UTC) for month in (6, 12))


@given(SEEDS, QUANTITIES, MOMENTS, st.timedeltas(dt.timedelta(), dt.timedelta(days=400)))
def test_energy_never_falls(
    seed: int, quantity: Quantity, moment: dt.datetime, later: dt.timedelta
) -> None:
    before = cumulative(seed, quantity, moment)
    after = cumulative(seed, quantity, moment + later)
    assert 0 <= before <= after
    if later >= dt.timedelta(hours=1) and quantity is Quantity.IMPORT:
        assert before < after


@given(SEEDS, QUANTITIES, MOMENTS)
def test_no_half_hour_falls(seed: int, quantity: Quantity, moment: dt.datetime) -> None:
    """A week of neighbours, where what moves across the turn of a half-hour would show."""
    begin = moment.replace(minute=0, second=0, microsecond=0)
    found = [cumulative(seed, quantity, begin + HALF_HOUR * n) for n in range(7 * 48)]
    assert found == sorted(found)


@given(SEEDS, QUANTITIES, MOMENTS)
def test_energy_is_the_integral_of_power(
    seed: int, quantity: Quantity, moment: dt.datetime
) -> None:
    begin = moment.replace(minute=30, second=0, microsecond=0)
    used = cumulative(seed, quantity, begin + HALF_HOUR) - cumulative(seed, quantity, begin)
    for within in (begin, begin + HALF_HOUR / 2, begin + HALF_HOUR - SECOND):
        assert power(seed, quantity, within) == 2 * used


@given(SEEDS, MOMENTS)
def test_a_year_is_what_households_use(seed: int, moment: dt.datetime) -> None:
    used = {q: cumulative(seed, q, moment + YEAR) - cumulative(seed, q, moment) for q in Quantity}
    assert 1_800_000 < used[Quantity.IMPORT] < 5_500_000
    assert 600_000 < used[Quantity.GAS_VOLUME] < 1_800_000
    assert used[Quantity.EXPORT] == 0 or 400_000 < used[Quantity.EXPORT] < 3_500_000
    # A power factor from 0.91 to 0.99.
    assert 0.14 < used[Quantity.REACTIVE_IMPORT] / used[Quantity.IMPORT] < 0.46
    assert 0 < used[Quantity.REACTIVE_EXPORT] < used[Quantity.REACTIVE_IMPORT]


@given(SEEDS, MOMENTS)
def test_voltage_is_that_of_the_grid(seed: int, moment: dt.datetime) -> None:
    assert 2315 <= voltage(seed, moment) <= 2485  # 230 V -6 % +10 % is 2162 to 2530
    assert abs(voltage(seed, moment + 60 * SECOND) - voltage(seed, moment)) <= 4 + 10


@given(SEEDS, QUANTITIES, MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_the_zone_of_the_moment_does_not_matter(
    seed: int, quantity: Quantity, moment: dt.datetime, zone: int
) -> None:
    there = moment.astimezone(dt.timezone(dt.timedelta(minutes=zone)))
    assert cumulative(seed, quantity, moment) == cumulative(seed, quantity, there)
    assert power(seed, quantity, moment) == power(seed, quantity, there)
    assert voltage(seed, moment) == voltage(seed, there)


@pytest.mark.parametrize("quantity", Quantity)
def test_nothing_before_installation(quantity: Quantity) -> None:
    for days in (0, 1, 365, 3650):
        moment = INSTALLED - DAY * days
        assert cumulative(1, quantity, moment) == 0
    assert power(1, quantity, INSTALLED - SECOND) == 0
    assert power(1, quantity, INSTALLED - DAY * 3650) == 0
    assert cumulative(1, Quantity.IMPORT, INSTALLED + HALF_HOUR) > 0


def exporting() -> int:
    return next(n for n in range(100) if cumulative(n, Quantity.EXPORT, SUMMER))


def used(seed: int, quantity: Quantity, begin: dt.datetime, hours: int, days: int = 60) -> int:
    """In the hours after ``begin``, on as many days."""
    length = dt.timedelta(hours=hours)
    return sum(
        cumulative(seed, quantity, begin + DAY * n + length)
        - cumulative(seed, quantity, begin + DAY * n)
        for n in range(days)
    )


def test_the_sun_does_not_shine_at_night() -> None:
    seed = exporting()
    for begin, dark in ((SUMMER - DAY * 60, 4), (WINTER - DAY * 20, 7)):
        assert used(seed, Quantity.EXPORT, begin, dark) == 0
        assert used(seed, Quantity.EXPORT, begin + 20 * SECOND * 3600 + 1800 * SECOND, 3) == 0
    assert used(seed, Quantity.EXPORT, SUMMER, 24) > 3 * used(seed, Quantity.EXPORT, WINTER, 24)


def test_some_meters_have_no_panels() -> None:
    with_panels = [bool(cumulative(seed, Quantity.EXPORT, SUMMER)) for seed in range(200)]
    assert 30 < sum(with_panels) < 90


def test_clouds_are_over_everybody() -> None:
    """Two meters with panels have their good days together."""
    first, second = [n for n in range(100) if cumulative(n, Quantity.EXPORT, SUMMER)][:2]
    days = [SUMMER + DAY * n for n in range(20)]
    orders = [
        sorted(days, key=lambda day, n=n: used(n, Quantity.EXPORT, day, 24, 1))
        for n in (first, second)
    ]
    assert orders[0][:3] == orders[1][:3]
    assert orders[0][-3:] == orders[1][-3:]


def test_gas_heats_on_cold_days() -> None:
    assert used(1, Quantity.GAS_VOLUME, WINTER, 24) > 3 * used(1, Quantity.GAS_VOLUME, SUMMER, 24)
    january = range(31 + 28 - 10, 31 + 28 + 10)
    cold, warm = (pick(january, key=weather.temperature) for pick in (min, max))
    day = [INSTALLED + DAY * n for n in (cold, warm)]
    assert used(1, Quantity.GAS_VOLUME, day[0], 24, 1) > used(1, Quantity.GAS_VOLUME, day[1], 24, 1)
    # Hot water in the morning, also in summer.
    six, noon = (SUMMER + SECOND * 3600 * hour for hour in (6, 12))
    assert used(1, Quantity.GAS_VOLUME, six, 2) > 2 * used(1, Quantity.GAS_VOLUME, noon, 2)


def test_a_winter_day_uses_more_than_a_summer_day_and_an_evening_more_than_a_night() -> None:
    for seed in range(10):
        assert used(seed, Quantity.IMPORT, WINTER, 24) > used(seed, Quantity.IMPORT, SUMMER, 24)
    in_the_evening = sum(
        used(seed, Quantity.IMPORT, SUMMER + SECOND * 3600 * 18, 4)
        > used(seed, Quantity.IMPORT, SUMMER + SECOND * 3600 * 1, 4)
        for seed in range(100)
    )
    assert 75 < in_the_evening < 100  # not where the night stores heat


def test_days_of_the_cycle() -> None:
    assert weather.day(weather.CYCLE) == dt.date(2015 + weather.YEARS, 1, 1)
    assert weather.day(weather.CYCLE).weekday() == weather.FIRST_DAY.weekday()
    numbers = range(weather.CYCLE)
    assert -100 < min(map(weather.temperature, numbers)) < 0
    assert 200 < max(map(weather.temperature, numbers)) < 300
    assert {min(map(weather.clearness, numbers)), max(map(weather.clearness, numbers))} == {20, 100}


def test_units() -> None:
    assert [quantity.unit for quantity in Quantity] == ["Wh", "Wh", "varh", "varh", "dm3"]


def test_known_readings() -> None:
    """The same in every run and on every machine."""
    moment = dt.datetime(2019, 3, 26, 12, 34, 56, 789, dt.UTC)
    assert [cumulative(0, quantity, moment) for quantity in Quantity] == [
        10115150,
        5551121,
        4551826,
        131496,
        4299563,
    ]
    assert voltage(0, moment) == 2380


REGISTERS = ("1-0:1.8.0.255", "1-0:1.7.0.255")


def readings(meter: Any) -> list[int]:
    return [meter.value(code, 2, "s1sp") for code in REGISTERS]


def test_same_meter_same_readings(make_bench: Callable[..., Any]) -> None:
    one, other = make_bench("itron", serial=42), make_bench("itron", serial=42)
    assert readings(one) == readings(other) == readings(one)


def test_a_register_begins_again_after_its_last_number(make_bench: Callable[..., Any]) -> None:
    """32 bits of Wh, in some centuries."""
    meter = make_bench("itron")
    meter.now = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
    energy = cumulative(meter.device.seed, Quantity.IMPORT, meter.now)
    assert energy > 0xFFFF_FFFF
    assert meter.value("1-0:1.8.0.255", 2, "s1sp") == energy & 0xFFFF_FFFF


def test_different_meters_differ(make_bench: Callable[..., Any]) -> None:
    """By serial number and by model."""
    meters = [make_bench("itron", serial=serial) for serial in range(20)]
    meters += [make_bench(name, serial=1) for name in available() if name != "itron"]
    found = {tuple(readings(meter)) for meter in meters}
    assert len(found) == len(meters)


def test_units_and_types(bench: Any) -> None:
    units = {"1-0:1.8.0.255": (0, 30), "1-0:1.7.0.255": (0, 27), "1-0:32.7.0.255": (-1, 35)}
    for code, wanted in units.items():
        scaler_unit = bench.get(code, 3, "s1sp")
        assert tuple(part.value for part in scaler_unit.value) == wanted
    assert bench.get("1-0:1.8.0.255", 2).type is DataType.DOUBLE_LONG_UNSIGNED
    assert bench.get("1-0:32.7.0.255", 2, "s1sp").type is DataType.LONG_UNSIGNED


def test_a_wrong_clock_does_not_change_the_register(bench: Any) -> None:
    before = readings(bench)
    bench.device.state.clock_offset = dt.timedelta(days=100)
    assert readings(bench) == before


RESETTABLE = """
[objects."1-0:1.8.0.255"]
rights.dco = "r m"
[objects."1-0:99.99.9.255"]
class = "Register"
values.2 = { long-unsigned = 7 }
values.3 = { structure = [{ integer = 0 }, { enum = 255 }] }
rights.dco = "rw m"
assumed = "for the test"
[objects."1-0:99.99.8.255"]
class = "Register"
rights.dco = "r m"
assumed = "for the test: no value"
"""


def test_reset_is_for_stored_values_only(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("secure", RESETTABLE)
    before = meter.digest()
    assert meter.act("1-0:1.8.0.255", 1, integer(0)) is ActionResult.READ_WRITE_DENIED
    assert meter.act("1-0:99.99.8.255", 1, integer(0)) is ActionResult.READ_WRITE_DENIED
    assert meter.digest() == before
    assert meter.act("1-0:99.99.9.255", 1, integer(0)) is ActionResult.SUCCESS
    value = meter.get("1-0:99.99.9.255", 2)
    assert (value.type, value.value) == (DataType.LONG_UNSIGNED, 0)
    assert meter.digest() != before


def test_a_stored_register_keeps_its_type(make_bench: Callable[..., Any]) -> None:
    """The class admits any type, the object has one."""
    meter = make_bench("secure", RESETTABLE)
    value = meter.get("1-0:99.99.9.255", 2)
    assert meter.set("1-0:99.99.9.255", 2, integer(1)) == 12
    assert meter.set("1-0:99.99.9.255", 2, value._replace(value=9)) == 0
    assert meter.value("1-0:99.99.9.255", 2) == 9
    assert meter.get("1-0:99.99.8.255", 2) == 11  # nothing there to read
