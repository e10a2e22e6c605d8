"""Gas meters: volume and energy by hand, a fortnight's charges, a valve that a hand opens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from devices import gas as counting
from devices.life.hands import Press
from devices.metrology import Quantity, cumulative
from devices.profile import ProfileError, available, gas, load, load_text
from dlms.axdr.data import double_long_unsigned
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.xdlms.codes import DataAccessResult

VOLUME, CONVERTED, ENERGY = "7-0:3.0.0.255", "7-0:3.1.0.255", "7-0:33.1.0.255"
FACTOR, CALORIFIC = "7-0:52.0.0.255", "7-0:54.0.0.255"
LOAD, DAILY, BILLING = "7-0:99.1.0.255", "7-0:99.2.0.255", "0-0:98.1.0.255"
RELAY, PRICES, STANDING = "0-0:96.3.10.255", "0-0:19.20.0.255", "0-0:19.20.4.255"
OPEN, CLOSED, READY = 0, 1, 2
BEGIN = dt.datetime(2019, 3, 5, 12, 0, tzinfo=dt.UTC)
"""A Tuesday, and no summer time."""
FORTNIGHT = dt.timedelta(days=14)
PENCE_PER_DAY = 27
BY_VOLUME = ("itron_gas",)
STEPS = {("landis_gyr_gas", VOLUME): 10, ("landis_gyr_gas", ENERGY): 1000}
"""Registers that count in more than dm3 and Wh."""


@pytest.fixture(params=gas())
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def with_credit(life: Callable[..., Any], name: str, amount: int, extra: str = "") -> Any:
    """Its valve is open: who comes without credit has lost it already."""
    meter = life(extra, profile=name, begin=BEGIN)
    meter.has(amount)
    if meter.relay != CLOSED:
        assert meter.device.pressed(Press.RECONNECT, meter.now)
    assert meter.relay == CLOSED
    return meter


def passed(meter: Any, moment: dt.datetime) -> int:
    """dm3 of the load model, since the meter is there."""
    return cumulative(meter.device.seed, Quantity.GAS_VOLUME, moment)


def heat(dm3: int, factor: str = "1.02264", megajoules: str = "39.3") -> Fraction:
    """Wh: as on a bill, cubic metres times factor times calorific value, divided by 3.6."""
    return Fraction(dm3, 1000) * Fraction(factor) * Fraction(megajoules) / Fraction("3.6") * 1000


def shown(meter: Any, code: str) -> int:
    value = meter.bench.value(code, 2, "s1sp")
    assert isinstance(value, int)
    return value


def write(meter: Any, code: str, value: int) -> DataAccessResult:
    result = meter.bench.set(code, 2, double_long_unsigned(value))
    assert isinstance(result, DataAccessResult)
    return result


def test_of_four_makers_beside_their_electricity_meters() -> None:
    assert gas() == ("honeywell_elster_gas", "itron_gas", "landis_gyr_gas", "secure_gas")
    makers = {load(name).manufacturer for name in available()}
    for name in gas():
        assert load(name).kind == "gas"
        assert load(name).manufacturer in makers
        assert name not in available()


def test_registers_by_hand(life: Callable[..., Any], name: str) -> None:
    """At any moment: what passed, times what is written on the bill, rounded down once."""
    meter = with_credit(life, name, load(name).max_credit)
    for hours in (0, 1, 7, 31):
        meter.go(dt.timedelta(hours=hours, minutes=11, seconds=hours))
        dm3 = passed(meter, meter.now)
        assert shown(meter, VOLUME) == dm3 // STEPS.get((name, VOLUME), 1)
        assert shown(meter, CONVERTED) == int(dm3 * Fraction("1.02264"))
        assert shown(meter, ENERGY) == int(heat(dm3)) // STEPS.get((name, ENERGY), 1)


def test_a_fortnight_by_hand(life: Callable[..., Any], name: str) -> None:
    """In credit mode, which is Itron's, what is used is counted and nothing is collected."""
    scale = 10 ** (-2 - load(name).currency_scale)
    meter = with_credit(life, name, 10000 * scale)
    meter.go(FORTNIGHT)
    before, after = passed(meter, BEGIN), passed(meter, meter.now)
    assert after > before
    prepayment = name not in BY_VOLUME
    # 3.5 pence for a kWh.
    energy = int((int(heat(after)) - int(heat(before))) * Fraction("0.0035")) * prepayment
    standing = 14 * PENCE_PER_DAY * scale * prepayment
    assert meter.bench.value(PRICES, 2, "s1sp") == energy
    assert meter.bench.value(STANDING, 2, "s1sp") == standing
    assert meter.tokens == 10000 * scale - energy - standing


def test_a_fortnight_by_volume(life: Callable[..., Any]) -> None:
    """38 pence for a cubic metre, in milli-pence."""
    prepayment = (
        '[objects."0-0:19.0.0.255"]\nclass = "Account"\n'
        "values.2 = { structure = [{ enum = 2 }, { enum = 2 }] }\n"
    )
    meter = with_credit(life, "itron_gas", 10_000_000, prepayment)
    meter.go(FORTNIGHT)
    used = passed(meter, meter.now) - passed(meter, BEGIN)
    assert meter.bench.value(PRICES, 2, "s1sp") == used * 38
    assert meter.tokens == 10_000_000 - used * 38 - 14 * PENCE_PER_DAY * 1000


def test_a_price_for_a_rate_that_gas_has_not(life: Callable[..., Any]) -> None:
    """Energy is of no rate: its price is that of the empty index, whatever others there are."""
    table = """[objects."0-0:19.20.0.255"]
class = "Charge"
values.5 = { structure = [
    { structure = [{ integer = 0 }, { integer = -6 }] },
    { structure = [{ long-unsigned = 3 }, { obis = "7-0:33.1.0.255" }, { integer = 2 }] },
    { array = [
        { structure = [{ octet-string = "01" }, { long = 9999 }] },
        { structure = [{ octet-string = "" }, { long = 35 }] },
    ] },
] }
"""
    meter = with_credit(life, "secure_gas", 10000, table)
    meter.go(FORTNIGHT)
    used = int(heat(passed(meter, meter.now))) - int(heat(passed(meter, BEGIN)))
    assert meter.bench.value(PRICES, 2, "s1sp") == int(used * Fraction("0.0035"))


def test_a_new_factor_counts_from_then_on(life: Callable[..., Any], name: str) -> None:
    """Nothing jumps, nothing of before changes, and charges follow."""
    amount = load(name).max_credit
    meter = with_credit(life, name, amount)
    step = STEPS.get((name, ENERGY), 1)
    meter.go(dt.timedelta(days=1))
    first, early = meter.now, passed(meter, meter.now)
    before = shown(meter, ENERGY)
    assert write(meter, CALORIFIC, 3950) is DataAccessResult.SUCCESS
    assert shown(meter, ENERGY) == before
    meter.go(dt.timedelta(days=1, minutes=3))
    second, middle = meter.now, passed(meter, meter.now)
    converted = shown(meter, CONVERTED)
    assert write(meter, FACTOR, 100000) is DataAccessResult.SUCCESS
    assert shown(meter, CONVERTED) == converted == int(middle * Fraction("1.02264"))
    meter.go(BEGIN + dt.timedelta(days=4))
    late = passed(meter, meter.now)
    parts = heat(early), heat(middle - early, megajoules="39.5"), heat(late - middle, "1", "39.5")
    assert early < middle < late
    assert shown(meter, ENERGY) == int(sum(parts)) // step
    assert shown(meter, CONVERTED) == int(middle * Fraction("1.02264")) + late - middle
    assert counting.energy(meter.device, first) == int(parts[0])
    assert counting.energy(meter.device, second) == int(parts[0] + parts[1])
    if name not in BY_VOLUME:
        used = int(sum(parts)) - int(heat(passed(meter, BEGIN)))
        assert shown(meter, PRICES) == int(used * Fraction("0.0035"))


@pytest.mark.parametrize("value", [0, 2**20, 2**32 - 1])
@pytest.mark.parametrize("code", [FACTOR, CALORIFIC])
def test_no_factor_that_makes_no_sense(life: Callable[..., Any], code: str, value: int) -> None:
    meter = life(profile="secure_gas", begin=BEGIN)
    before = meter.bench.digest()
    assert write(meter, code, value) is DataAccessResult.OTHER_REASON
    assert meter.bench.digest() == before
    assert write(meter, code, 2**20 - 1) is DataAccessResult.SUCCESS


def test_changes_are_bounded(life: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest give way, and of what is shown now nothing is lost."""
    monkeypatch.setattr(counting, "MAX_CHANGES", 3)
    meter = with_credit(life, "honeywell_elster_gas", load("honeywell_elster_gas").max_credit)
    total, before, megajoules = Fraction(), 0, "39.3"
    for number in range(6):
        meter.go(dt.timedelta(hours=5))
        now = passed(meter, meter.now)
        total += heat(now - before, megajoules=megajoules)
        before, megajoules = now, f"39.{number}"
        assert write(meter, CALORIFIC, 3900 + 10 * number) is DataAccessResult.SUCCESS
        assert shown(meter, ENERGY) == int(total)
        if number == 2:  # as many as are kept: nothing has been forgotten
            past = BEGIN + dt.timedelta(hours=1)
            assert counting.energy(meter.device, past) == int(heat(passed(meter, past)))
    instance = obis.parse(CALORIFIC)
    assert [n for name, n in meter.device.state.rows if name == instance] == [3, 4, 5]
    meter.go(dt.timedelta(hours=5))
    total += heat(passed(meter, meter.now) - before, megajoules=megajoules)
    assert shown(meter, ENERGY) == int(total)
    # What is older than the oldest change is known by its factors only, and is never below nothing.
    assert counting.energy(meter.device, dt.datetime(2015, 1, 1, 1, tzinfo=dt.UTC)) >= 0


def test_half_hours_and_midnights_are_the_register_then(
    life: Callable[..., Any], name: str
) -> None:
    meter = with_credit(life, name, load(name).max_credit)
    meter.go(dt.timedelta(days=2))
    rows = [[cell.value for cell in row.value] for row in meter.bench.value(LOAD, 2, "s1sp")]
    assert len(rows) == 18960
    step = STEPS.get((name, VOLUME), 1)
    for time, volume in rows[-96:]:
        moment = CosemDateTime.from_octets(time).to_datetime()
        assert volume == passed(meter, moment) // step
    days = [[cell.value for cell in row.value] for row in meter.bench.value(DAILY, 2, "s1sp")]
    step_of_energy = STEPS.get((name, ENERGY), 1)
    for time, volume, energy in days[-2:]:
        dm3 = passed(meter, CosemDateTime.from_octets(time).to_datetime())
        assert (volume, energy) == (dm3 // step, int(heat(dm3)) // step_of_energy)


def test_billing_keeps_what_was_shown(life: Callable[..., Any], name: str) -> None:
    meter = with_credit(life, name, load(name).max_credit)
    meter.go(dt.datetime(2019, 4, 1, 12, 0, tzinfo=dt.UTC))
    (row,) = meter.bench.value(BILLING, 2)
    time, volume, energy, _ = (cell.value for cell in row.value)
    dm3 = passed(meter, CosemDateTime.from_octets(time).to_datetime())
    assert volume == dm3 // STEPS.get((name, VOLUME), 1)
    assert energy == int(heat(dm3)) // STEPS.get((name, ENERGY), 1)


@pytest.mark.parametrize("maker", ["honeywell_elster_gas", "landis_gyr_gas", "secure_gas"])
def test_the_valve_waits_for_a_hand(life: Callable[..., Any], maker: str) -> None:
    meter = life(profile=maker, begin=BEGIN)
    meter.has(0)
    assert meter.relay == OPEN
    shut = counting.volume(meter.device, meter.now)
    assert not meter.device.pressed(Press.RECONNECT, meter.now)
    meter.go(dt.timedelta(days=1))
    assert counting.volume(meter.device, meter.now) == shut
    assert meter.tokens == -PENCE_PER_DAY
    meter.has(2000)
    meter.go(dt.timedelta(days=1))
    assert meter.relay == READY
    assert counting.volume(meter.device, meter.now) == shut
    assert meter.device.pressed(Press.RECONNECT, meter.now)
    assert meter.relay == CLOSED
    opened = meter.now
    meter.go(dt.timedelta(days=1))
    flowed = passed(meter, meter.now) - passed(meter, opened)
    assert flowed > 0
    assert counting.volume(meter.device, meter.now) == shut + flowed
    assert counting.energy(meter.device, meter.now) == int(heat(shut + flowed))


def test_a_battery_that_is_out_keeps_the_clock(life: Callable[..., Any], name: str) -> None:
    meter = life(profile=name, begin=BEGIN)
    meter.device.power_lost(meter.now)
    back = meter.now + dt.timedelta(days=30)
    meter.device.power_restored(back)
    assert not meter.device.state.clock_offset


def test_no_object_of_electricity_is_left(life: Callable[..., Any], name: str) -> None:
    meter = life(profile=name)
    for code in ("1-0:1.8.0.255", "1-0:32.7.0.255", "1-0:99.1.0.255", "0-0:13.0.0.255"):
        result = meter.bench.get(code, 2, "reader", class_id=3)
        assert result is DataAccessResult.OBJECT_UNDEFINED
    groups = {instance[0] for instance in load(name).objects}
    assert groups <= {0, 1, 7}
    firmware = obis.parse("1-0:0.2.0.255")
    assert [one for one in load(name).objects if one[0] == 1] == [firmware]


WRONG = {
    "no steps": ('[objects."7-0:3.0.0.255"]\nrole = "gas-volume 0"\n', "how many dm3 or Wh"),
    "words": ('[objects."7-0:33.1.0.255"]\nrole = "gas-energy many"\n', "how many dm3 or Wh"),
    "no factor": ('[objects."7-0:52.0.0.255"]\nabsent = true\n', "role 'conversion-factor'"),
    "nothing": (
        '[objects."7-0:54.0.0.255"]\nvalues.2 = { double-long-unsigned = 0 }\n',
        "calorific-value: value is from 1",
    ),
}


@pytest.mark.parametrize(("extra", "problem"), WRONG.values(), ids=list(WRONG))
def test_a_profile_that_cannot_count(extra: str, problem: str) -> None:
    text = 'extends = "secure_gas"\nname = "wrong"\n' + extra
    with pytest.raises(ProfileError, match=problem):
        load_text(text, "wrong.toml")
