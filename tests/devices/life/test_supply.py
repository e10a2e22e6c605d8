"""Want of credit, friendly hours, who closes the relay again; mains and tamper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from devices.alert_codes import Happening
from devices.life.hands import Press, Tamper
from dlms.axdr.data import enum, integer, structure
from dlms.xdlms.codes import ActionResult, DataAccessResult

ACCOUNT, RELAY, IMPORT = "0-0:19.0.0.255", "0-0:96.3.10.255", "1-0:1.8.0.255"
CLOCK = "0-0:1.0.0.255"
OPEN, CLOSED, READY = 0, 1, 2
EVENING = dt.datetime(2019, 3, 5, 20, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def habits(**values: Any) -> str:
    text = "".join(
        f"{name} = {{ value = {str(value).lower() if isinstance(value, bool) else repr(value)},"
        ' assumed = "for the test" }\n'
        for name, value in values.items()
    )
    return f"[habits]\n{text}"


def test_the_supply_goes_with_the_last_penny(life: Callable[..., Any]) -> None:
    meter = life()
    meter.has(1)
    assert meter.relay == CLOSED
    meter.has(0)
    assert meter.relay == OPEN
    told = [Happening.CREDIT_BELOW_DISABLEMENT_THRESHOLD, Happening.SUPPLY_INTERRUPTED]
    assert meter.happenings()[-2:] == told


@pytest.mark.parametrize("threshold", [-200, 50])
def test_at_the_threshold_of_the_model(life: Callable[..., Any], threshold: int) -> None:
    meter = life(habits(disablement_threshold=threshold))
    meter.has(threshold + 1)
    assert meter.relay == CLOSED
    meter.has(threshold)
    assert meter.relay == OPEN


def test_not_in_friendly_hours(life: Callable[..., Any]) -> None:
    meter = life(begin=EVENING)
    meter.has(0)
    assert meter.relay == CLOSED
    assert meter.happenings()[-1] == Happening.DISABLEMENT_SUSPENDED
    meter.go(dt.timedelta(hours=12, minutes=59))
    assert meter.relay == CLOSED
    assert meter.happenings().count(Happening.DISABLEMENT_SUSPENDED) == 1
    assert meter.device.due() == EVENING + 13 * HOUR
    meter.go(EVENING + 13 * HOUR)
    assert meter.relay == OPEN


def test_friendly_hours_are_local(life: Callable[..., Any]) -> None:
    """With the clock an hour ahead they end an hour earlier."""
    meter = life(begin=EVENING)
    assert meter.bench.set(CLOCK, 2, clock(EVENING + HOUR)) is DataAccessResult.SUCCESS
    meter.has(0)
    meter.go(EVENING + 12 * HOUR - dt.timedelta(seconds=1))
    assert meter.relay == CLOSED
    meter.go(EVENING + 12 * HOUR)
    assert meter.relay == OPEN


def clock(moment: dt.datetime) -> Any:
    from dlms.axdr.data import octet_string
    from dlms.axdr.datetimes import CosemDateTime

    return octet_string(CosemDateTime.from_datetime(moment).to_octets())


def test_a_weekend_is_friendly(life: Callable[..., Any]) -> None:
    friday = dt.datetime(2019, 3, 8, 17, 0, tzinfo=dt.UTC)
    meter = life(begin=friday)
    meter.has(0)
    meter.go(dt.datetime(2019, 3, 11, 8, 59, tzinfo=dt.UTC))
    assert meter.relay == CLOSED
    meter.go(dt.datetime(2019, 3, 11, 9, 0, tzinfo=dt.UTC))
    assert meter.relay == OPEN


@pytest.mark.parametrize(
    ("disarms", "reconnects", "without", "with_credit"),
    [
        (True, False, OPEN, READY),
        (True, True, OPEN, CLOSED),
        (False, False, READY, READY),
        (False, True, READY, CLOSED),
    ],
)
def test_where_the_relay_goes_is_the_models(
    life: Callable[..., Any], disarms: bool, reconnects: bool, without: int, with_credit: int
) -> None:
    meter = life(habits(disarms=disarms, reconnects=reconnects))
    meter.has(0)
    assert meter.relay == without
    assert not meter.device.pressed(Press.RECONNECT, meter.now)
    meter.pays(1000)
    assert meter.relay == with_credit
    assert Happening.SUPPLY_ARMED in meter.happenings()
    if with_credit == READY:
        assert meter.device.pressed(Press.RECONNECT, meter.now)
    assert meter.relay == CLOSED


def test_a_top_up_does_not_arm_what_the_back_office_has_opened(life: Callable[..., Any]) -> None:
    meter = life()
    assert meter.bench.act(RELAY, 1, integer(0)) is ActionResult.SUCCESS
    meter.has(0)
    meter.pays(1000)
    assert meter.relay == OPEN


def test_credit_mode_needs_no_credit(life: Callable[..., Any]) -> None:
    meter = life()
    wanted = structure(enum(1), enum(2))
    assert meter.bench.set(ACCOUNT, 2, wanted) is DataAccessResult.SUCCESS
    meter.has(0)
    meter.go(dt.timedelta(days=3))
    assert (meter.relay, meter.tokens) == (CLOSED, 0)
    assert len(meter.bench.value("0-0:98.1.0.255", 2)) == 1  # a change of mode ends a period


def test_prepayment_again_takes_no_money_for_the_time_between(life: Callable[..., Any]) -> None:
    meter = life()
    meter.has(5000)
    meter.bench.set(ACCOUNT, 2, structure(enum(1), enum(2)))
    meter.go(dt.timedelta(days=30))
    meter.bench.set(ACCOUNT, 2, structure(enum(2), enum(2)))
    assert meter.tokens == 5000
    meter.go(dt.timedelta(hours=1))
    assert 4900 < meter.tokens < 5000


# Mains --------------------------------------------------------------------------------------------


def test_nothing_flows_without_mains(life: Callable[..., Any]) -> None:
    meter = life()
    meter.has(5000)
    before = meter.bench.value(IMPORT, 2)
    meter.device.power_lost(meter.now)
    assert meter.device.due() is None
    meter.bench.now += 24 * HOUR
    meter.device.power_restored(meter.now)
    assert meter.bench.value(IMPORT, 2) == before
    assert meter.tokens == 4975  # the standing charge of the midnight
    assert meter.happenings()[-1] == Happening.LONG_SUPPLY_OUTAGE_RESTORED
    meter.go(HOUR)
    assert meter.bench.value(IMPORT, 2) > before


@pytest.mark.parametrize(("seconds", "long"), [(179, False), (180, True)])
def test_a_long_outage(life: Callable[..., Any], seconds: int, long: bool) -> None:
    meter = life()
    meter.device.power_lost(meter.now)
    meter.bench.now += dt.timedelta(seconds=seconds)
    meter.device.power_restored(meter.now)
    assert (meter.happenings()[-1] == Happening.LONG_SUPPLY_OUTAGE_RESTORED) is long
    log = meter.bench.value("0-0:99.98.0.255", 2)
    assert log[-1].value[2].value == seconds


@pytest.mark.parametrize(
    ("after", "shown", "status"),
    [
        ("kept", EVENING + 48 * HOUR, 0),
        ("stopped", EVENING + HOUR, 1),
        ("reset", dt.datetime(2000, 1, 1, tzinfo=dt.UTC), 1),
    ],
)
def test_the_clock_after_its_reserve(
    life: Callable[..., Any], after: str, shown: dt.datetime, status: int
) -> None:
    from dlms.axdr.datetimes import CosemDateTime

    meter = life(habits(clock_reserve=3600, clock_after_outage=after), begin=EVENING)
    meter.device.power_lost(meter.now)
    meter.bench.now += 48 * HOUR
    meter.device.power_restored(meter.now)
    time = CosemDateTime.from_octets(meter.bench.value(CLOCK, 2))
    assert (time.to_datetime(), time.status) == (shown, status)
    assert meter.bench.value(CLOCK, 4) == status
    assert meter.bench.set(CLOCK, 2, clock(meter.now)) is DataAccessResult.SUCCESS
    assert meter.bench.value(CLOCK, 4) == 0


def test_within_its_reserve_it_goes_on(life: Callable[..., Any]) -> None:
    meter = life(habits(clock_reserve=3600, clock_after_outage="reset"))
    meter.device.power_lost(meter.now)
    meter.bench.now += HOUR
    meter.device.power_restored(meter.now)
    assert meter.bench.value(CLOCK, 4) == 0


# Tamper -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Tamper))
def test_tamper_is_in_both_logs(life: Callable[..., Any], kind: Tamper) -> None:
    meter = life()
    meter.device.tampered(kind, meter.now)
    assert meter.happenings()[-1] == kind.value
    assert meter.happenings("0-0:99.98.1.255")[-1] == kind.value
    assert meter.relay == CLOSED
    assert [alert.code for alert in meter.device.state.alerts.values()][-1] == kind.value


def test_tamper_that_disconnects(life: Callable[..., Any]) -> None:
    meter = life(habits(tamper_disconnects=True))
    meter.device.tampered(Tamper.COVER, meter.now)
    assert meter.relay == OPEN
