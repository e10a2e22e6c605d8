"""However a life is divided into steps, and whoever reads in between, it is the same life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.life.hands import Press, Tamper
from dlms.axdr.data import double_long, octet_string
from dlms.axdr.datetimes import CosemDateTime

BEGIN = dt.datetime(2019, 3, 29, 12, 0, tzinfo=dt.UTC)
CLOCK, CREDIT = "0-0:1.0.0.255", "0-0:19.10.0.255"
SUMMER = (
    f'[objects."{CLOCK}"]\nclass = "Clock"\nvalues.8 = {{ boolean = true }}\n'
    'values.5 = { octet-string = "FFFF03FE0701000000000000" }\n'
    'values.6 = { octet-string = "FFFF0AFE0702000000000000" }\nassumed = "for the test"\n'
)
ACTS = st.sampled_from(
    ["top up", "set", "read", "clock forward", "clock back", "off", "on", "tamper", "emergency"]
)
LIFE = st.lists(st.tuples(st.integers(1, 2000), ACTS, st.lists(st.integers(1, 1999), max_size=3)))


def act(meter: Any, what: str) -> None:
    device, now = meter.device, meter.now
    shown = now + device.state.clock_offset
    minutes = {"clock forward": 50, "clock back": -50}.get(what)
    if what == "off":
        device.power_lost(now)
    elif what == "on":
        device.power_restored(now)
    elif "power lost" in device.state.figures:
        return  # whoever asks gets no answer
    elif minutes is not None:
        moment = CosemDateTime.from_datetime(shown + dt.timedelta(minutes=minutes))
        meter.bench.set(CLOCK, 2, octet_string(moment.to_octets()))
    elif what == "top up":
        meter.pays(300)
        device.pressed(Press.RECONNECT, now)
    elif what == "set":
        meter.bench.act(CREDIT, 2, double_long(120))
    elif what == "tamper":
        device.tampered(Tamper.MAGNET, now)
    elif what == "emergency":
        device.pressed(Press.EMERGENCY_CREDIT, now)


def read(meter: Any) -> None:
    for code, number in ((CREDIT, 2), ("1-0:1.8.1.255", 2), ("0-0:98.1.0.255", 2)):
        meter.bench.get(code, number)


def logs(meter: Any) -> Any:
    state = meter.device.state
    return dict(state.rows), dict(state.alerts)


@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(LIFE)
def test_any_steps_are_as_good_as_one(life: Callable[..., Any], course: Any) -> None:
    one, many = (life(SUMMER, begin=BEGIN) for _ in range(2))
    for meter in (one, many):
        meter.has(400)
    for minutes, what, between in course:
        until = one.now + dt.timedelta(minutes=minutes)
        for minute in sorted(between):
            moment = many.now + dt.timedelta(minutes=minute)
            if moment < until:
                many.go(moment)
                read(many)
        for meter in (one, many):
            meter.go(until)
            act(meter, what)
        assert many.device.due() == one.device.due()
    assert many.bench.digest() == one.bench.digest()
    assert logs(many) == logs(one)


@pytest.mark.parametrize("days", [1, 40])
def test_minute_by_minute(life: Callable[..., Any], days: int) -> None:
    one, many = life(SUMMER, begin=BEGIN), life(SUMMER, begin=BEGIN)
    for meter in (one, many):
        meter.has(1200)
    one.go(dt.timedelta(days=days))
    while many.now < one.now:
        step = dt.timedelta(minutes=1 if days == 1 else 1439)
        many.go(min(many.now + step, one.now))
        read(many)
    assert many.bench.digest() == one.bench.digest()
    assert logs(many) == logs(one)
