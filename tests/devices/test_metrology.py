"""Readings are functions of the meter and the time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from devices import metrology
from devices.profile import available
from dlms.axdr.data import DataType, integer
from dlms.xdlms.codes import ActionResult

SEEDS = st.integers(0, 2**32 - 1)
MOMENTS = st.datetimes(dt.datetime(2015, 1, 1), dt.datetime(2060, 1, 1), timezones=st.just(dt.UTC))
SECOND = dt.timedelta(seconds=1)


@settings(deadline=None)
@given(SEEDS, MOMENTS, st.timedeltas(dt.timedelta(), dt.timedelta(days=400)))
def test_energy_never_falls(seed: int, moment: dt.datetime, later: dt.timedelta) -> None:
    before = metrology.import_energy(seed, moment)
    after = metrology.import_energy(seed, moment + later)
    assert 0 <= before <= after
    if later >= dt.timedelta(hours=1):
        assert before < after


@settings(deadline=None)
@given(SEEDS, MOMENTS)
def test_energy_is_the_integral_of_power(seed: int, moment: dt.datetime) -> None:
    """Over an hour, in Wh: what the power in its middle says, but for the curve."""
    end = moment + 3600 * SECOND
    energy = metrology.import_energy(seed, end) - metrology.import_energy(seed, moment)
    middle = metrology.import_power(seed, moment + 1800 * SECOND)
    assert abs(energy - middle) <= 5


@settings(deadline=None)
@given(SEEDS, MOMENTS)
def test_a_day_uses_the_mean(seed: int, moment: dt.datetime) -> None:
    day = dt.timedelta(days=1)
    used = metrology.import_energy(seed, moment + day) - metrology.import_energy(seed, moment)
    assert abs(used - 24 * metrology.mean_load(seed)) <= 2


@settings(deadline=None)
@given(SEEDS, MOMENTS)
def test_bounds(seed: int, moment: dt.datetime) -> None:
    mean = metrology.mean_load(seed)
    assert 200 <= mean <= 600
    assert 0.4 * mean - 1 <= metrology.import_power(seed, moment) <= 1.6 * mean
    assert 2162 <= metrology.voltage(seed, moment) <= 2530  # 230 V -6 % +10 %


@settings(deadline=None)
@given(SEEDS, MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_the_zone_of_the_moment_does_not_matter(seed: int, moment: dt.datetime, zone: int) -> None:
    there = moment.astimezone(dt.timezone(dt.timedelta(minutes=zone)))
    for reading in (metrology.import_energy, metrology.import_power, metrology.voltage):
        assert reading(seed, moment) == reading(seed, there)


def test_nothing_before_installation() -> None:
    for years in (0, 1, 10):
        moment = metrology.INSTALLED - dt.timedelta(days=365 * years)
        assert metrology.import_energy(1, moment) == 0


REGISTERS = ("1-0:1.8.0.255", "1-0:1.7.0.255", "1-0:32.7.0.255")


def readings(meter: Any) -> list[int]:
    return [meter.value(code, 2, "s1sp") for code in REGISTERS]


def test_same_meter_same_readings(make_bench: Callable[..., Any]) -> None:
    one, other = make_bench("itron", serial=42), make_bench("itron", serial=42)
    assert readings(one) == readings(other) == readings(one)


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
