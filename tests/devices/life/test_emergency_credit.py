"""Emergency credit: offered, activated, used up, paid back (Blue Book 4.6.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from devices.alert_codes import Happening
from devices.life.hands import Press
from dlms.axdr.data import integer
from dlms.xdlms.codes import ActionResult

ACCOUNT, EMERGENCY = "0-0:19.0.0.255", "0-0:19.10.1.255"
ENABLED, SELECTABLE, SELECTED, IN_USE, CONSUMED = range(5)
DAY = dt.timedelta(days=1)


def test_it_is_offered_at_its_threshold(life: Callable[..., Any]) -> None:
    meter = life()
    meter.has(101)
    assert meter.emergency == (500, ENABLED)
    meter.has(100)
    assert meter.emergency == (500, SELECTABLE)
    assert meter.happenings().count(Happening.EMERGENCY_CREDIT_AVAILABLE) == 2  # at 75, and now
    meter.has(101)
    assert meter.emergency == (500, ENABLED)


def test_it_is_activated_by_hand_once(life: Callable[..., Any]) -> None:
    meter = life()
    meter.has(50)
    assert meter.device.pressed(Press.EMERGENCY_CREDIT, meter.now)
    assert meter.emergency == (500, SELECTED)
    assert meter.bench.value(ACCOUNT, 5) == 550
    assert not meter.device.pressed(Press.EMERGENCY_CREDIT, meter.now)
    told = [Happening.EMERGENCY_CREDIT_ACTIVATED, Happening.LOCAL_COMMAND_DONE]
    assert meter.happenings()[-3:] == [*told, Happening.LOCAL_COMMAND_REFUSED]


def test_it_is_not_to_be_had_before(life: Callable[..., Any]) -> None:
    meter = life()
    meter.has(5000)
    assert not meter.device.pressed(Press.EMERGENCY_CREDIT, meter.now)
    assert meter.bench.act(EMERGENCY, 3, integer(0)) is ActionResult.OTHER_REASON
    assert meter.emergency == (500, ENABLED)


def test_by_the_method_as_well(life: Callable[..., Any]) -> None:
    meter = life()
    meter.has(50)
    assert meter.bench.act(EMERGENCY, 3, integer(0)) is ActionResult.SUCCESS
    assert meter.emergency == (500, SELECTED)


def test_it_is_used_behind_the_tokens_and_the_supply_goes_behind_it(
    life: Callable[..., Any],
) -> None:
    meter = life()
    meter.has(50)
    meter.device.pressed(Press.EMERGENCY_CREDIT, meter.now)
    seen = []
    for _ in range(48 * 8):
        before = meter.tokens + meter.emergency[0]
        meter.go(dt.timedelta(minutes=30))
        amount, status = meter.emergency
        assert meter.tokens + amount <= before
        if meter.tokens > 0:
            assert (amount, status) == (500, SELECTED)
        elif amount > 0:
            assert (meter.tokens, status) == (0, IN_USE)
        else:
            assert status == CONSUMED
        seen.append(status)
        if meter.relay != 1:
            break
    assert sorted(set(seen)) == [SELECTED, IN_USE, CONSUMED]
    assert meter.relay == 0
    assert meter.happenings().count(Happening.EMERGENCY_CREDIT_EXHAUSTED) == 1


@pytest.mark.parametrize(
    ("paid", "tokens", "emergency"),
    [(100, 0, 300), (300, 0, 500), (310, 10, 500), (500, 200, 500)],
)
def test_what_was_borrowed_is_paid_back_first(
    life: Callable[..., Any], paid: int, tokens: int, emergency: int
) -> None:
    meter = life()
    meter.has(0)
    meter.device.pressed(Press.EMERGENCY_CREDIT, meter.now)
    borrow(meter, 300)
    assert meter.bench.value(ACCOUNT, 6) == 300
    meter.pays(paid)
    assert (meter.tokens, meter.emergency[0]) == (tokens, emergency)
    status = IN_USE if not tokens else (ENABLED if tokens > 100 else SELECTED)
    assert meter.emergency[1] == status


def test_what_is_owed_is_paid_before(life: Callable[..., Any]) -> None:
    """Below nothing, by the standing charge: debt, then what was borrowed, then the balance."""
    meter = life()
    meter.has(0)
    meter.device.pressed(Press.EMERGENCY_CREDIT, meter.now)
    borrow(meter, 500)
    meter.go(DAY)
    owed = -meter.tokens
    assert owed > 0
    meter.pays(owed + 40)
    assert (meter.tokens, meter.emergency[0]) == (0, 40)
    meter.pays(460 + 101)
    assert (meter.tokens, meter.emergency) == (101, (500, ENABLED))


def borrow(meter: Any, pence: int) -> None:
    """Take some of the emergency credit away, as charges do."""
    from devices.prepayment.credits import draw
    from devices.prepayment.review import review

    draw(meter.device, pence)
    review(meter.device, meter.now)
