"""A week of every electricity model by hand, and what differs from model to model.

The hand goes through half-hours with the load model and the clock on the wall; it knows no calendar
objects, no segments and no charges.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from devices.life.hands import Press, Tamper
from devices.metrology import Quantity, cumulative
from devices.profile import available, gas, load
from dlms.axdr.data import double_long
from dlms.cosem import classes, obis
from dlms.xdlms.codes import ActionResult

CREDIT, RELAY = "0-0:19.10.0.255", "0-0:96.3.10.255"
PRICES, STANDING = "0-0:19.20.0.255", "0-0:19.20.4.255"
LONDON, UTC = ZoneInfo("Europe/London"), dt.UTC
HALF_HOUR, WEEK = dt.timedelta(minutes=30), dt.timedelta(days=7)
BEGIN = dt.datetime(2019, 3, 28, 12, 0, tzinfo=dt.UTC)
"""A Thursday. Summer time begins on the Sunday, the summer season on the Monday."""
PENCE = {1: 15, 2: 8, 3: 30}
PENCE_PER_DAY = 25
LOCAL = ("landis_gyr",)
CONNECTED = f'[objects."{RELAY}"]\nclass = "Disconnect control"\nvalues.3 = {{ enum = 1 }}\n'


def shown(name: str, moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(LONDON if name in LOCAL else UTC)


def night(time: dt.time) -> bool:
    return dt.time(0, 30) <= time < dt.time(7, 30)


def rate(name: str, moment: dt.datetime) -> int:
    """The rate on the wall, as the assumption in the profile has it."""
    local = shown(name, moment)
    time = local.time()
    if name == "landis_gyr" and not 4 <= local.month < 10:
        return 2 if time >= dt.time(22) or time < dt.time(5) else 1
    if name == "itron" and local.weekday() < 5 and 16 <= time.hour < 19:
        return 3
    return 2 if night(time) else 1


@pytest.mark.parametrize("begin", [BEGIN, dt.datetime(2019, 9, 26, 12, 0, tzinfo=dt.UTC)])
@pytest.mark.parametrize("name", available())
def test_a_week_by_hand(make_bench: Callable[..., Any], name: str, begin: dt.datetime) -> None:
    profile = load(name)
    scale = 10 ** (-2 - profile.currency_scale)
    meter = make_bench(name, CONNECTED)
    # Connected and with credit from its first moment on: what it is made with may be a debt.
    meter.now = begin
    start = profile.max_credit
    assert meter.act(CREDIT, 2, double_long(start)) is ActionResult.SUCCESS
    meter.device.advance(begin)
    assert meter.value(RELAY, 3) == 1
    rates = sorted(number for number in PENCE if f"1-0:1.8.{number}.255" in names(profile))
    before = [meter.value(f"1-0:1.8.{number}.255", 2, "s1sp") for number in rates]
    seed, used, days, moment = meter.device.seed, dict.fromkeys(rates, 0), 0, begin
    while moment < begin + WEEK:
        wh = cumulative(seed, Quantity.IMPORT, moment + HALF_HOUR)
        used[rate(name, moment)] += wh - cumulative(seed, Quantity.IMPORT, moment)
        moment += HALF_HOUR
        days += shown(name, moment).time() == dt.time()
    meter.now = moment
    meter.device.advance(moment)
    after = [meter.value(f"1-0:1.8.{number}.255", 2, "s1sp") for number in rates]
    assert [late - early for early, late in zip(before, after, strict=True)] == list(used.values())
    assert all(used.values())
    pence = sum(Fraction(wh * PENCE[number], 1000) for number, wh in used.items())
    energy, standing = int(pence * scale), days * PENCE_PER_DAY * scale
    assert days == 7
    assert meter.value(PRICES, 2, "s1sp") == energy
    assert meter.value(STANDING, 2, "s1sp") == standing
    assert meter.value(CREDIT, 2) == start - energy - standing


def names(profile: Any) -> set[str]:
    return {obis.text(instance) for instance in profile.objects}


def test_who_has_which_rates_and_quantities() -> None:
    """Three rates, seasons, export, reactive energy and voltage on some."""
    have = {name: names(load(name)) for name in available()}
    assert {name for name in have if "1-0:1.8.3.255" in have[name]} == {"itron"}
    assert {name for name in have if "1-0:2.8.0.255" not in have[name]} == {
        "aclara",
        "honeywell_elster",
    }
    assert {name for name in have if "1-0:3.8.0.255" not in have[name]} == {"aclara"}
    assert {name for name in have if "1-0:32.7.0.255" not in have[name]} == {"honeywell_elster"}
    assert {name for name in have if "1-0:99.1.1.255" in have[name]} == {"itron", "landis_gyr"}


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_13_months_are_kept(make_bench: Callable[..., Any], name: str) -> None:
    kind = load(name).kind
    code = "1-0:99.1.0.255" if kind == "electricity" else "7-0:99.1.0.255"
    meter = make_bench(name)
    assert meter.value(code, 7, "s1sp") == 395 * 48


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_every_row_captures_what_is_there(make_bench: Callable[..., Any], name: str) -> None:
    """No capture object of a profile names an object that its model has not."""
    meter = make_bench(name)
    for instance, row in load(name).objects.items():
        if row.interface_class.class_id != classes.PROFILE_GENERIC.class_id:
            continue
        for column in row.values[3].value:
            class_id, captured, _, _ = (part.value for part in column.value)
            assert captured in meter.profile.objects, (obis.text(instance), obis.text(captured))
            assert meter.profile.objects[captured].interface_class.class_id == class_id


@pytest.mark.parametrize(
    ("name", "after"),
    [("aclara", 0), ("honeywell_elster", 2), ("itron", 0), ("landis_gyr", 0), ("secure", 0)],
)
def test_where_the_relay_goes_for_want_of_credit(
    make_bench: Callable[..., Any], name: str, after: int
) -> None:
    """On a Tuesday at noon. The Honeywell Elster is armed already, and a button is enough."""
    meter = make_bench(name, CONNECTED)
    meter.now = dt.datetime(2019, 3, 5, 12, 0, tzinfo=dt.UTC)
    meter.device.advance(meter.now)
    least = load(name).habits.disablement_threshold
    assert meter.act(CREDIT, 2, double_long(least)) is ActionResult.SUCCESS
    assert meter.value(RELAY, 3) == after
    assert not meter.device.pressed(Press.RECONNECT, meter.now)


@pytest.mark.parametrize(
    ("name", "opens"),
    [(name, name in ("honeywell_elster", "landis_gyr_gas")) for name in (*available(), *gas())],
)
def test_who_opens_when_tampered_with(
    make_bench: Callable[..., Any], name: str, opens: bool
) -> None:
    meter = make_bench(name, CONNECTED)
    meter.now = BEGIN
    assert meter.act(CREDIT, 2, double_long(load(name).max_credit)) is ActionResult.SUCCESS
    meter.device.advance(BEGIN)
    assert meter.value(RELAY, 3) == 1
    meter.device.tampered(Tamper.COVER, BEGIN)
    assert meter.value(RELAY, 3) == (0 if opens else 1)


def test_who_closes_by_itself(make_bench: Callable[..., Any]) -> None:
    """The Landis+Gyr's control mode 6 has the transition, and its habit takes it."""
    meter = make_bench("landis_gyr", CONNECTED)
    meter.now = dt.datetime(2019, 3, 5, 12, 0, tzinfo=dt.UTC)
    meter.device.advance(meter.now)
    for amount, state in ((0, 0), (500, 1)):
        assert meter.act(CREDIT, 2, double_long(amount)) is ActionResult.SUCCESS
        assert meter.value(RELAY, 3) == state
