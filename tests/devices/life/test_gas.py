"""Gas meters: a fortnight by hand, and a valve that only a hand opens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from devices.life.hands import Press
from devices.metrology import Quantity, cumulative
from devices.profile import available, gas, load
from dlms.axdr.datetimes import CosemDateTime
from dlms.xdlms.codes import DataAccessResult

VOLUME, LOAD, DAILY = "7-0:3.0.0.255", "7-0:99.1.0.255", "7-0:99.2.0.255"
RELAY, PRICES, STANDING = "0-0:96.3.10.255", "0-0:19.20.0.255", "0-0:19.20.4.255"
OPEN, CLOSED, READY = 0, 1, 2
BEGIN = dt.datetime(2019, 3, 5, 12, 0, tzinfo=dt.UTC)
"""A Tuesday, and no summer time."""
FORTNIGHT = dt.timedelta(days=14)
PENCE_PER_M3, PENCE_PER_DAY = 67, 27


@pytest.fixture(params=gas())
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def with_credit(life: Callable[..., Any], name: str, amount: int) -> Any:
    """Its valve is open: who comes without credit has lost it already."""
    meter = life(profile=name, begin=BEGIN)
    meter.has(amount)
    if meter.relay != CLOSED:
        assert meter.device.pressed(Press.RECONNECT, meter.now)
    assert meter.relay == CLOSED
    return meter


def used(meter: Any, begin: dt.datetime, end: dt.datetime) -> int:
    """Thousandths of a cubic metre, of the load model."""
    seed = meter.device.seed
    volume = Quantity.GAS_VOLUME
    return cumulative(seed, volume, end) - cumulative(seed, volume, begin)


def test_of_three_makers_beside_their_electricity_meters() -> None:
    assert gas() == ("honeywell_elster_gas", "itron_gas", "landis_gyr_gas")
    makers = {load(name).manufacturer for name in available()}
    for name in gas():
        assert load(name).kind == "gas"
        assert load(name).manufacturer in makers
        assert name not in available()


def test_a_fortnight_by_hand(life: Callable[..., Any], name: str) -> None:
    """In credit mode, which is Itron's, what is used is counted and nothing is collected."""
    scale = 10 ** (-2 - load(name).currency_scale)
    meter = with_credit(life, name, 10000 * scale)
    before = meter.bench.value(VOLUME, 2, "reader")
    meter.go(FORTNIGHT)
    volume = used(meter, BEGIN, BEGIN + FORTNIGHT)
    assert volume > 0
    assert meter.bench.value(VOLUME, 2, "reader") - before == volume
    prepayment = name != "itron_gas"
    energy = int(Fraction(volume * PENCE_PER_M3 * scale, 1000)) * prepayment
    standing = 14 * PENCE_PER_DAY * scale * prepayment
    assert meter.bench.value(PRICES, 2, "s1sp") == energy
    assert meter.bench.value(STANDING, 2, "s1sp") == standing
    assert meter.tokens == 10000 * scale - energy - standing


def test_half_hours_and_midnights_are_the_register_then(
    life: Callable[..., Any], name: str
) -> None:
    meter = with_credit(life, name, load(name).max_credit)
    at_begin = meter.bench.value(VOLUME, 2, "reader")
    meter.go(dt.timedelta(days=2))
    rows = [[cell.value for cell in row.value] for row in meter.bench.value(LOAD, 2, "s1sp")]
    assert len(rows) == 18960
    for time, volume in rows[-96:]:
        moment = CosemDateTime.from_octets(time).to_datetime()
        assert volume == at_begin + used(meter, BEGIN, moment)
    days = [[cell.value for cell in row.value] for row in meter.bench.value(DAILY, 2, "s1sp")]
    by_half_hour = dict(rows)
    assert [volume for _, volume in days[-2:]] == [by_half_hour[time] for time, _ in days[-2:]]


@pytest.mark.parametrize("maker", ["honeywell_elster_gas", "landis_gyr_gas"])
def test_the_valve_waits_for_a_hand(life: Callable[..., Any], maker: str) -> None:
    meter = life(profile=maker, begin=BEGIN)
    meter.has(0)
    assert meter.relay == OPEN
    shut = meter.bench.value(VOLUME, 2, "reader")
    assert not meter.device.pressed(Press.RECONNECT, meter.now)
    meter.go(dt.timedelta(days=1))
    assert meter.bench.value(VOLUME, 2, "reader") == shut
    assert meter.tokens == -PENCE_PER_DAY
    meter.has(2000)
    meter.go(dt.timedelta(days=1))
    assert meter.relay == READY
    assert meter.bench.value(VOLUME, 2, "reader") == shut
    assert meter.device.pressed(Press.RECONNECT, meter.now)
    assert meter.relay == CLOSED
    opened = meter.now
    meter.go(dt.timedelta(days=1))
    flowed = used(meter, opened, meter.now)
    assert flowed > 0
    assert meter.bench.value(VOLUME, 2, "reader") == shut + flowed


def test_no_mains_no_matter(life: Callable[..., Any]) -> None:
    """What is left of electricity is no object of a gas meter."""
    meter = life(profile="honeywell_elster_gas")
    for code in ("1-0:1.8.0.255", "1-0:32.7.0.255", "1-0:99.1.0.255", "0-0:13.0.0.255"):
        result = meter.bench.get(code, 2, "reader", class_id=3)
        assert result is DataAccessResult.OBJECT_UNDEFINED
