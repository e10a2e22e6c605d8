"""Registers by rate, against a slow sum over the minutes of a meter's past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import supply
from devices.history import Segment
from devices.metrology import INSTALLED, Quantity, cumulative
from devices.objects.activity_calendar import MAX_CALENDARS
from devices.registers import ACTIVITY_CALENDAR, MAX_SEGMENTS, registers
from devices.timekeeping import Zone
from dlms.axdr.data import NULL, array, long_unsigned, octet_string, structure, unsigned
from dlms.xdlms.codes import ActionResult

DAYS = "0-0:11.0.0.255"
BEGIN, END = "FFFF03FE0701000000000000", "FFFF0AFE0702000000000000"
SUMMER = (
    '[objects."0-0:1.0.0.255"]\nclass = "Clock"\nvalues.8 = { boolean = true }\n'
    f'values.5 = {{ octet-string = "{BEGIN}" }}\nvalues.6 = {{ octet-string = "{END}" }}\n'
    'assumed = "for the test"\n'
    '[objects."0-0:96.3.10.255"]\nclass = "Disconnect control"\nvalues.3 = { enum = 1 }\n'
)
ZONE = Zone(dt.timedelta(), dt.timedelta(hours=1), bytes.fromhex(BEGIN), bytes.fromhex(END))
MINUTE = dt.timedelta(minutes=1)
ALWAYS = octet_string(bytes.fromhex("FFFFFFFFFFFFFFFFFF800000"))


def day_profile(switches: dict[int, int]) -> Any:
    schedule = (
        structure(
            octet_string(bytes((*divmod(minute, 60), 0, 0))),
            octet_string(bytes((0, 0, 10, 0, 100, 255))),
            long_unsigned(rate),
        )
        for minute, rate in switches.items()
    )
    return array(structure(unsigned(1), array(*schedule)))


def row(switches: dict[int, int]) -> Any:
    """A calendar in which all days are the same."""
    name = octet_string(b"W")
    return structure(
        array(structure(name, ALWAYS, name)),
        array(structure(name, *(unsigned(1),) * 7)),
        day_profile(switches),
        NULL,
    )


@pytest.fixture(scope="module")
def device(make_bench: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: make_bench("secure", SUMMER).device


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2000),  # minutes until then
        st.booleans(),
        st.integers(1, 3),  # calendar
        st.sampled_from([0, 0, -40, 55, 1500]),  # minutes that the clock is off
    ),
    min_size=1,
    max_size=6,
)
SWITCHES = st.dictionaries(st.sampled_from(range(0, 1440, 15)), st.integers(1, 4), max_size=5)


def slow(seed: int, history: list[Segment], calendars: dict[int, Any], until: dt.datetime) -> Any:
    """Minute by minute: a switch happens when its local time is first shown, or left out."""
    totals: dict[int, int] = {}
    for one, after in pairwise([*history[1:], history[-1]._replace(since=until)]):
        moment = one.since
        rate = slow_rate(calendars[one.calendar], ZONE.local(moment + one.offset))
        reached = ZONE.local(moment + one.offset).replace(tzinfo=None)
        again = moment + one.offset - dt.timedelta(hours=1)
        if ZONE.local(again).replace(tzinfo=None) == reached:  # the hour comes again
            reached = reached.replace(minute=59)
            rate = slow_rate(calendars[one.calendar], reached)
        while moment < after.since:
            shown = ZONE.local(moment + one.offset).replace(tzinfo=None)
            if shown > reached:
                reached, rate = shown, slow_rate(calendars[one.calendar], shown)
            if one.flowing:
                used = cumulative(seed, Quantity.IMPORT, moment + MINUTE)
                used -= cumulative(seed, Quantity.IMPORT, moment)
                totals[rate] = totals.get(rate, 0) + used
            moment += MINUTE
    return {rate: used for rate, used in totals.items() if used}


def slow_rate(switches: dict[int, int], local: dt.datetime) -> int:
    minute = local.hour * 60 + local.minute
    begun = [n for n in switches if n <= minute] or list(switches)
    return switches[max(begun)] if begun else 0


@settings(max_examples=60)
@given(
    STEPS,
    st.fixed_dictionaries(dict.fromkeys((1, 2, 3), SWITCHES)),
    st.sampled_from(["2019-03-30T20:00", "2019-10-26T20:00", "2019-06-01T13:07"]),
)
def test_they_agree_with_a_slow_sum(
    device: Callable[[], Any], steps: Any, calendars: Any, begin: str
) -> None:
    meter = device()
    since = dt.datetime.fromisoformat(begin).replace(tzinfo=dt.UTC)
    history = [Segment(INSTALLED, False, 1, dt.timedelta())]
    for minutes, flowing, number, off in steps:
        history.append(Segment(since, flowing, number, off * MINUTE))
        since += minutes * MINUTE
    meter.state.history.update(enumerate(history))
    for number, switches in calendars.items():
        meter.state.rows[ACTIVITY_CALENDAR, number] = row(switches)
    counted = registers(meter)
    until = since + dt.timedelta(minutes=700)
    before: dict[int, int] = {}
    # In any order, and the last one first.
    for moment in (until, *sorted({one.since for one in history[1:]} | {since}), until):
        rates = counted.rates(Quantity.IMPORT, moment)
        assert sum(rates.values()) == counted.total(Quantity.IMPORT, moment)
        if moment != until:
            assert all(rates[rate] >= used for rate, used in before.items())
            before = rates
    expected = slow(meter.seed, history, calendars, until)
    assert {rate: used for rate, used in rates.items() if used} == expected


@pytest.mark.parametrize(
    ("begin", "switch", "rate"),
    [
        # Summer time ends at 01:00 UTC: 01:10 comes again, and what switched at 01:30 has switched.
        ("2019-10-27T01:10", 90, 2),
        ("2019-10-27T00:20", 90, 1),
        # It begins at 01:00 UTC, which shows 02:00: what is to switch at 01:30 switches there.
        ("2019-03-31T01:00", 90, 2),
        ("2019-03-31T00:59", 90, 1),
    ],
)
def test_a_segment_that_begins_around_a_change_of_the_clock(
    device: Callable[[], Any], begin: str, switch: int, rate: int
) -> None:
    meter = device()
    since = dt.datetime.fromisoformat(begin).replace(tzinfo=dt.UTC)
    for number, flowing, at in ((0, False, INSTALLED), (1, True, since)):
        meter.state.history[number] = Segment(at, flowing, 1, dt.timedelta())
    meter.state.rows[ACTIVITY_CALENDAR, 1] = row({0: 1, switch: 2})
    used = registers(meter).rates(Quantity.IMPORT, since + MINUTE)
    assert used[rate] == sum(used.values()) > 0


def test_a_history_grows_as_if_it_had_been_there(device: Callable[[], Any]) -> None:
    """What has been worked out before is not thrown away, and is right."""
    grown, whole = device(), device()
    moment = dt.datetime(2019, 3, 1, 10, 7, tzinfo=dt.UTC)
    for number in range(40):
        for meter in (grown, whole):
            meter.state.clock_offset = dt.timedelta(minutes=number % 3)
            supply.note_conditions(meter, moment)
        registers(grown).rates(Quantity.IMPORT, moment + dt.timedelta(hours=30))
        moment += dt.timedelta(hours=11)
    for quantity in (Quantity.IMPORT, Quantity.EXPORT):
        at = registers(grown).rates(quantity, moment)
        assert at == registers(whole).rates(quantity, moment)
        assert sum(at.values()) == registers(grown).total(quantity, moment)


@pytest.mark.parametrize("reads", [False, True])
def test_more_segments_than_are_kept(device: Callable[[], Any], reads: bool) -> None:
    meter = device()
    moment, before = dt.datetime(2019, 3, 1, tzinfo=dt.UTC), dict[int, int]()
    for number in range(MAX_SEGMENTS + 600):
        meter.state.figures.pop(supply.POWERLESS, None)
        if number % 2:
            meter.state.figures[supply.POWERLESS] = 1
        supply.note_conditions(meter, moment)
        if (reads and not number % 7) or number > MAX_SEGMENTS + 580:
            rates = registers(meter).rates(Quantity.IMPORT, moment)
            assert all(rates[rate] >= used for rate, used in before.items())
            before = rates
        moment += dt.timedelta(minutes=47)
    assert len(meter.state.history) <= MAX_SEGMENTS
    start = cumulative(meter.seed, Quantity.IMPORT, dt.datetime(2019, 3, 1, tzinfo=dt.UTC))
    on = sum(
        cumulative(meter.seed, Quantity.IMPORT, end) - cumulative(meter.seed, Quantity.IMPORT, at)
        for n in range(0, MAX_SEGMENTS + 600, 2)
        for at in [dt.datetime(2019, 3, 1, tzinfo=dt.UTC) + n * dt.timedelta(minutes=47)]
        for end in [at + dt.timedelta(minutes=47)]
    )
    assert registers(meter).total(Quantity.IMPORT, moment) == start + on
    assert sum(registers(meter).rates(Quantity.IMPORT, moment).values()) == start + on


def test_more_calendars_than_are_kept(make_bench: Callable[..., Any]) -> None:
    """Special days that come and go, a day each: no rate ever falls, and the sum stays the sum."""
    meter = make_bench("secure", SUMMER)
    day = structure(long_unsigned(1), octet_string(b"\xff\xff\x0c\x19\xff"), unsigned(1))
    before: dict[int, int] = {}
    for number in range(MAX_CALENDARS + 20):
        if number % 2:
            assert meter.act(DAYS, 2, long_unsigned(1)) is ActionResult.SUCCESS
        else:
            assert meter.act(DAYS, 1, day) is ActionResult.SUCCESS
        meter.now += dt.timedelta(hours=5)
        if not number % 9 or number > MAX_CALENDARS - 3:
            counted = registers(meter.device)
            rates = counted.rates(Quantity.IMPORT, meter.now)
            assert all(rates[rate] >= used for rate, used in before.items())
            used = cumulative(meter.device.seed, Quantity.IMPORT, meter.now)
            assert sum(rates.values()) == counted.total(Quantity.IMPORT, meter.now) == used
            before = rates
    numbers = [n for name, n in meter.device.state.rows if name == ACTIVITY_CALENDAR]
    assert len(numbers) == MAX_CALENDARS
    assert {one.calendar for one in meter.device.state.history.values()} <= set(numbers)
