"""A month of a meter's life, and every figure of it computed by hand beside it.

The hand is independent: it knows the load model (which has tests of its own), goes through the
month half-hour by half-hour, and keeps its sums of money in fractions. What the meter does with
segments, memos, remainders and statuses, it does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from devices.alert_codes import Happening
from devices.life.hands import Press
from devices.metrology import Quantity, cumulative
from dlms.axdr.data import (
    array,
    double_long,
    long,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.xdlms.codes import ActionResult, DataAccessResult

START = dt.datetime(2019, 3, 1, 12, 0, tzinfo=dt.UTC)
END = dt.datetime(2019, 4, 2, 12, 0, tzinfo=dt.UTC)
HALF_HOUR = dt.timedelta(minutes=30)
CREDIT, EMERGENCY = "0-0:19.10.0.255", "0-0:19.10.1.255"
RELAY, ACCOUNT = "0-0:96.3.10.255", "0-0:19.0.0.255"
PRICES, STANDING = "0-0:19.20.0.255", "0-0:19.20.4.255"
CALENDAR, BILLING = "0-0:13.0.0.255", "0-0:98.1.0.255"
LOG = "0-0:99.98.0.255"
CONNECTED = f'[objects."{RELAY}"]\nclass = "Disconnect control"\nvalues.3 = {{ enum = 1 }}\n'
LONDON = """
[objects."0-0:1.0.0.255"]
class = "Clock"
values.5 = { octet-string = "FFFF03FE0701000000000000" }
values.8 = { boolean = true }
assumed = "summer time, for the test"
"""
CHANGE = dt.datetime(2019, 3, 31, 1, 0, tzinfo=dt.UTC)
"""When summer time begins in Great Britain in 2019."""
SWITCH = dt.datetime(2019, 3, 20, 0, 0, tzinfo=dt.UTC)
"""When the second calendar and the second prices come into force."""


def local(moment: dt.datetime) -> dt.datetime:
    return moment + dt.timedelta(hours=1) if moment >= CHANGE else moment


def night(moment: dt.datetime) -> bool:
    """The first calendar has its night from 00:30 to 07:30, the second from 02:00 to 05:00."""
    time = local(moment).time()
    if moment < SWITCH:
        return dt.time(0, 30) <= time < dt.time(7, 30)
    return dt.time(2) <= time < dt.time(5)


def minutes(begin: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Half-hours, for every switch is at one."""
    while begin < end:
        after = min(begin + HALF_HOUR - (begin - START) % HALF_HOUR, end)
        yield begin, after
        begin = after


class Hand:
    """What a person with the load model and a sheet of paper would find."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.owed_for = {"energy": Fraction(), "standing": Fraction()}
        self.day_wh = self.night_wh = 0
        self.on = True
        self.now = START

    def go(self, until: dt.datetime) -> None:
        for begin, end in minutes(self.now, until):
            used = 0
            if self.on:
                used = cumulative(self.seed, Quantity.IMPORT, end)
                used -= cumulative(self.seed, Quantity.IMPORT, begin)
            if night(begin):
                self.night_wh += used
                price = Fraction(8, 1000) if begin < SWITCH else Fraction(5, 1000)
            else:
                self.day_wh += used
                price = Fraction(15, 1000) if begin < SWITCH else Fraction(20, 1000)
            self.owed_for["energy"] += used * price
            if local(end).time() == dt.time():
                self.owed_for["standing"] += 25  # whether anything flows or not
        self.now = until

    @property
    def taken(self) -> int:
        """Whole pence; each kind of charge keeps its own rest."""
        return sum(int(owed) for owed in self.owed_for.values())


@pytest.fixture
def meter(make_bench: Callable[..., Any]) -> Any:
    """A meter in prepayment mode with 30 pounds on it, its relay closed."""
    meter = make_bench("secure", CONNECTED + LONDON)
    meter.now = START
    meter.device.advance(START)
    assert meter.act(CREDIT, 2, double_long(3000)) is ActionResult.SUCCESS
    return meter


def go(meter: Any, until: dt.datetime) -> None:
    """Live on in one step."""
    meter.now = until
    meter.device.advance(until)


def events(meter: Any) -> list[int]:
    return [row.value[1].value for row in meter.value(LOG, 2)]


def test_a_month_of_life(meter: Any) -> None:
    seed = meter.device.seed
    before = {n: meter.value(f"1-0:1.8.{n}.255", 2, "reader") for n in range(3)}
    hand = Hand(seed)
    set_second_tariff(meter)

    # Until the credit is used up: every half-hour by hand, in one step by the meter.
    while True:
        hand.go(hand.now + HALF_HOUR)
        if 3000 - hand.taken <= 0 and not friendly(hand.now):
            break
    out = hand.now
    go(meter, out - dt.timedelta(seconds=1))
    assert meter.value(RELAY, 3) == 1
    go(meter, out)
    assert meter.value(CREDIT, 2) == 3000 - hand.taken
    assert meter.value(RELAY, 3) == 0
    assert Happening.LOW_CREDIT in events(meter)
    assert Happening.EMERGENCY_CREDIT_AVAILABLE in events(meter)
    assert Happening.CREDIT_BELOW_DISABLEMENT_THRESHOLD in events(meter)

    # Two days off: nothing flows, the standing charge goes on.
    hand.on = False
    back = out + dt.timedelta(days=2, hours=3, minutes=7)
    hand.go(back)
    go(meter, back)
    assert meter.value(CREDIT, 2) == 3000 - hand.taken
    assert meter.value("1-0:1.7.0.255", 2, "reader") == 0
    assert not meter.device.pressed(Press.RECONNECT, back)

    # A top-up arms the supply; the customer closes it.
    assert meter.act(CREDIT, 1, double_long(9000)) is ActionResult.SUCCESS
    assert meter.value(RELAY, 3) == 2
    assert events(meter)[-1] == Happening.SUPPLY_ARMED
    assert meter.device.pressed(Press.RECONNECT, back)
    assert meter.value(RELAY, 3) == 1
    hand.on = True

    # To the end of the month and beyond, in steps of any length: the same as in one.
    for step in (1, 7, 29, 30, 31, 1440, 1441, 3333):
        hand.go(hand.now + dt.timedelta(minutes=step))
        go(meter, hand.now)
        assert meter.value("1-0:1.8.0.255", 2, "reader") - before[0] == hand.day_wh + hand.night_wh
    hand.go(END)
    go(meter, END)
    assert meter.value(CREDIT, 2) == 12_000 - hand.taken
    assert meter.value("1-0:1.8.1.255", 2, "reader") - before[1] == hand.day_wh
    assert meter.value("1-0:1.8.2.255", 2, "reader") - before[2] == hand.night_wh
    assert meter.value("1-0:1.8.0.255", 2, "reader") - before[0] == hand.day_wh + hand.night_wh
    paid = meter.value(PRICES, 2, "s1sp") + meter.value(STANDING, 2, "s1sp")
    assert paid == hand.taken

    # The snapshot of the first of April (local midnight), against a hand that stopped there.
    rows = [[cell.value for cell in row.value] for row in meter.value(BILLING, 2)]
    shown = CosemDateTime.from_octets(rows[-1][0]).to_datetime()
    assert shown == dt.datetime(2019, 3, 31, 23, 0, tzinfo=dt.UTC)
    month = again(seed, out, back, shown)
    assert rows[-1][1] - before[0] == month.day_wh + month.night_wh
    assert rows[-1][2] - before[1] == month.day_wh
    assert rows[-1][3] - before[2] == month.night_wh
    assert rows[-1][4] == 12_000 - month.taken
    assert meter.value("0-0:96.14.0.255", 2, "reader") == 1


def again(seed: int, out: dt.datetime, back: dt.datetime, until: dt.datetime) -> Hand:
    hand = Hand(seed)
    hand.go(out)
    hand.on = False
    hand.go(back)
    hand.on = True
    hand.go(until)
    return hand


def friendly(moment: dt.datetime) -> bool:
    """From 16:00 to 09:00 and at weekends."""
    shown = local(moment)
    return shown.weekday() >= 5 or not 9 <= shown.hour < 16


def set_second_tariff(meter: Any) -> None:
    """A passive calendar and passive prices, for the same midnight."""
    night = octet_string(bytes((2, 0, 0, 0)))
    day = octet_string(bytes((5, 0, 0, 0)))
    scripts = octet_string(obis.parse("0-0:10.0.100.255"))
    schedule = array(
        structure(night, scripts, long_unsigned(2)), structure(day, scripts, long_unsigned(1))
    )
    name = octet_string(b"WEEK")
    days = (unsigned(1),) * 7
    always = octet_string(CosemDateTime().to_octets())
    for number, value in (
        (6, octet_string(b"SECOND")),
        (7, array(structure(octet_string(b"ALL"), always, name))),
        (8, array(structure(name, *days))),
        (9, array(structure(unsigned(1), schedule))),
        (10, octet_string(CosemDateTime.from_datetime(SWITCH).to_octets())),
    ):
        assert meter.set(CALENDAR, number, value) is DataAccessResult.SUCCESS
    table = array(
        structure(octet_string(b"\x01"), long(20)), structure(octet_string(b"\x02"), long(5))
    )
    assert meter.act(PRICES, 1, table) is ActionResult.SUCCESS
    moment = octet_string(CosemDateTime.from_datetime(SWITCH).to_octets())
    assert meter.set(PRICES, 7, moment) is DataAccessResult.SUCCESS
