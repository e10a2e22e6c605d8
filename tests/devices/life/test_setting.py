"""What is set, when it is set: nothing happens in retrospect, and no date is charged twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from devices.life.hands import Press, Tamper
from devices.metrology import Quantity
from devices.registers import registers
from dlms.axdr.data import array, enum, integer, octet_string, structure
from dlms.axdr.datetimes import CosemDateTime
from dlms.xdlms.codes import ActionResult, DataAccessResult

CLOCK, CALENDAR, SCHEDULE = "0-0:1.0.0.255", "0-0:13.0.0.255", "0-0:15.0.0.255"
ACCOUNT, RELAY = "0-0:19.0.0.255", "0-0:96.3.10.255"
PRICES = "0-0:19.20.0.255"
BILLING = "0-0:98.1.0.255"
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
FREE = f'[objects."{PRICES}"]\nclass = "Charge"\nvalues.4 = {{ unsigned = 0 }}\nassumed = "none"\n'
"""Only the standing charge: 25 pence each midnight."""
NIGHT = dt.datetime(2019, 3, 5, 23, 50, tzinfo=dt.UTC)


def shows(moment: dt.datetime) -> Any:
    return octet_string(CosemDateTime.from_datetime(moment).to_octets())


def sets_clock(meter: Any, change: dt.timedelta) -> None:
    """Forward or back from what it shows."""
    shown = meter.now + meter.device.state.clock_offset + change
    assert meter.bench.set(CLOCK, 2, shows(shown)) is DataAccessResult.SUCCESS


@pytest.mark.parametrize(
    ("changes", "dates"),
    [
        # Minutes after 23:50 at which the clock is set, and by how many minutes.
        ([], 1),
        ([(5, 10)], 1),  # over midnight
        ([(12, -10)], 1),  # back before it
        ([(5, 10), (6, -10)], 1),
        ([(12, -10), (13, 10)], 1),
        ([(12, -5), (14, -5), (16, -5)], 1),
        ([(5, 600)], 1),
        ([(5, 600), (10, -600)], 1),
        ([(12, -600)], 1),
        ([(12, -600), (300, 600)], 1),
        ([(5, 24 * 60)], 2),  # the midnight that it is set over, and one five minutes later
        ([(5, 365 * 24 * 60)], 1),  # farther off it begins anew, five minutes before midnight
        ([(12, -365 * 24 * 60)], 1),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 600])
def test_no_date_is_charged_twice_nor_left_out(
    life: Callable[..., Any], changes: list[tuple[int, int]], dates: int, step: int
) -> None:
    meter = life(FREE, begin=NIGHT)
    meter.has(5000)
    for minute, change in changes:
        meter.go(NIGHT + minute * MINUTE)
        sets_clock(meter, change * MINUTE)
    while meter.now < NIGHT + 10 * HOUR:
        meter.go(meter.now + step * MINUTE)
    assert meter.tokens == 5000 - 25 * dates


def test_a_calendar_that_is_to_be_active_since_long_is_so_from_now_on(
    life: Callable[..., Any],
) -> None:
    """What was read since then stays read."""
    meter = life()
    meter.has(50_000)
    meter.go(17 * MINUTE)
    before = registers(meter.device).rates(Quantity.IMPORT, meter.now)
    for number, of in ((7, 3), (8, 4)):
        value = meter.device.value(meter.device.profile.objects[b"\0\0\r\0\0\xff"], of)
        assert meter.bench.set(CALENDAR, number, value) is DataAccessResult.SUCCESS
    assert meter.bench.set(CALENDAR, 10, shows(meter.now - 12 * MINUTE)) is DataAccessResult.SUCCESS
    meter.go(dt.timedelta())
    assert meter.device.state.history[max(meter.device.state.history)].since == meter.now
    after = registers(meter.device).rates(Quantity.IMPORT, meter.now)
    assert all(after[rate] >= used for rate, used in before.items())
    unset = octet_string(CosemDateTime().to_octets()).value
    assert meter.bench.value(CALENDAR, 10) == unset


def at(moment: dt.datetime) -> Any:
    time = octet_string(bytes((moment.hour, moment.minute, moment.second, 0)))
    date = octet_string(bytes((*moment.year.to_bytes(2, "big"), moment.month, moment.day, 0xFF)))
    return array(structure(time, date))


def billings(meter: Any) -> int:
    return len(meter.bench.value(BILLING, 2))


def test_a_schedule_for_a_time_that_is_over_is_not_run(life: Callable[..., Any]) -> None:
    meter = life()
    meter.go(17 * MINUTE)
    done = meter.bench.set(SCHEDULE, 4, at(meter.now - 3 * MINUTE))
    assert done is DataAccessResult.SUCCESS
    meter.go(DAY)
    assert billings(meter) == 0


@pytest.mark.parametrize(
    ("change", "rows"),
    [(dt.timedelta(), 0), (5 * MINUTE, 1), (23 * HOUR, 1), (24 * HOUR, 0), (-5 * MINUTE, 0)],
)
def test_a_schedule_that_the_clock_is_set_over(
    life: Callable[..., Any], change: dt.timedelta, rows: int
) -> None:
    meter = life()
    meter.go(17 * MINUTE)
    assert meter.bench.set(SCHEDULE, 4, at(meter.now + 3 * MINUTE)) is DataAccessResult.SUCCESS
    sets_clock(meter, change)
    assert billings(meter) == rows
    meter.go(dt.timedelta())
    assert billings(meter) == rows
    if change <= dt.timedelta():
        meter.go(3 * MINUTE - change - dt.timedelta(seconds=1))
        assert billings(meter) == 0
        meter.go(dt.timedelta(seconds=1))
        assert billings(meter) == 1


def test_what_was_used_before_the_mode_changes_is_charged_and_no_more(
    life: Callable[..., Any],
) -> None:
    meter = life()
    meter.has(5000)
    used = -meter.bench.value("1-0:1.8.0.255", 2)
    meter.go(29 * MINUTE)  # of a half-hour
    used += meter.bench.value("1-0:1.8.0.255", 2)
    assert used * 15 // 1000 > 0
    assert meter.bench.set(ACCOUNT, 2, structure(enum(1), enum(2))) is DataAccessResult.SUCCESS
    assert meter.tokens == 5000 - used * 15 // 1000


def test_and_in_prepayment_again_not_what_was_used_in_credit_mode(
    life: Callable[..., Any],
) -> None:
    meter = life()
    meter.has(5000)
    meter.bench.set(ACCOUNT, 2, structure(enum(1), enum(2)))
    meter.go(29 * MINUTE)
    meter.bench.set(ACCOUNT, 2, structure(enum(2), enum(2)))
    used = -meter.bench.value("1-0:1.8.0.255", 2)
    meter.go(MINUTE)
    used += meter.bench.value("1-0:1.8.0.255", 2)
    assert meter.tokens == 5000 - used * 15 // 1000


# The relay, by hand -------------------------------------------------------------------------------


def test_credit_does_not_arm_what_the_back_office_opens_for_want_of_credit_or_not(
    life: Callable[..., Any],
) -> None:
    meter = life()
    meter.has(0)
    assert meter.bench.act(RELAY, 1, integer(0)) is ActionResult.SUCCESS
    meter.pays(1000)
    assert meter.relay == 0
    assert not meter.device.pressed(Press.RECONNECT, meter.now)


def test_no_button_works_without_mains(life: Callable[..., Any]) -> None:
    meter = life()
    meter.has(50)
    meter.device.power_lost(meter.now)
    for what in Press:
        assert not meter.device.pressed(what, meter.now)
    assert meter.emergency == (500, 1)
    assert meter.relay == 1


def test_power_lost_twice_is_lost_once(life: Callable[..., Any]) -> None:
    meter = life()
    meter.device.power_lost(meter.now)
    meter.bench.now += HOUR
    meter.device.power_lost(meter.now)
    meter.bench.now += HOUR
    meter.device.power_restored(meter.now)
    log = meter.bench.value("0-0:99.98.0.255", 2)
    assert log[-1].value[2].value == 7200
    meter.device.power_restored(meter.now)
    assert len(meter.bench.value("0-0:99.98.0.255", 2)) == len(log)


def test_what_was_due_before_comes_before_a_tamper(life: Callable[..., Any]) -> None:
    meter = life(FREE, begin=NIGHT)
    meter.has(205)
    meter.bench.now += HOUR
    meter.device.tampered(Tamper.COVER, meter.now)
    assert meter.happenings()[-2:] == [0x810D, Tamper.COVER.value]
