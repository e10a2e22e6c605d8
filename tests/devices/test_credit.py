"""Adding to and setting a credit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.prepayment import account
from devices.profile import available, gas
from dlms.axdr.data import Data, double_long, double_long_unsigned, integer, long
from dlms.xdlms.codes import ActionResult

CREDIT = "0-0:19.10.0.255"
EMERGENCY = "0-0:19.10.1.255"
UPDATE, SET, INVOKE = 1, 2, 3
LOWEST, HIGHEST = -(2**31), 2**31 - 1
START = {
    "aclara": -150,
    "honeywell_elster": 0,
    "itron": -42_000,
    "landis_gyr": -20,
    "secure": 75,
    "honeywell_elster_gas": 500,
    "itron_gas": 250000,
    "landis_gyr_gas": -20,
    "secure_gas": 120,
}
OPEN = """
[identity]
max_credit = { value = 2147483647, assumed = "for the test" }
max_balance = { value = 2147483647, assumed = "for the test" }
"""


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_update_adds(make_bench: Callable[..., Any], name: str) -> None:
    meter = make_bench(name)
    assert meter.value(CREDIT, 2) == START[name]
    for who in ("s1sp", "dco"):
        assert meter.act(CREDIT, UPDATE, double_long(1000), who) is ActionResult.SUCCESS
    assert meter.value(CREDIT, 2) == START[name] + 2000
    assert account.balance(meter.device) == START[name] + 2000


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_a_negative_update_takes_away(make_bench: Callable[..., Any], name: str) -> None:
    meter = make_bench(name)
    assert meter.act(CREDIT, UPDATE, double_long(-5)) is ActionResult.SUCCESS
    assert meter.value(CREDIT, 2) == START[name] - 5


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_the_s1sp_can_only_add(make_bench: Callable[..., Any], name: str) -> None:
    """To take credit away is not to top up; it takes the right to set the amount."""
    meter = make_bench(name)
    before = meter.digest()
    outcome = meter.act(CREDIT, UPDATE, double_long(-1), association="s1sp")
    assert outcome is ActionResult.READ_WRITE_DENIED
    assert meter.digest() == before
    assert meter.act(CREDIT, UPDATE, double_long(1), association="s1sp") is ActionResult.SUCCESS


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_as_much_as_may_be_added_at_once_and_no_more(
    make_bench: Callable[..., Any], name: str
) -> None:
    meter = make_bench(name)
    most = meter.profile.max_credit
    before = meter.digest()
    assert meter.act(CREDIT, UPDATE, double_long(most + 1)) is ActionResult.OTHER_REASON
    assert meter.act(CREDIT, UPDATE, double_long(HIGHEST)) is ActionResult.OTHER_REASON
    assert meter.digest() == before
    assert meter.act(CREDIT, UPDATE, double_long(most)) is ActionResult.SUCCESS


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_as_much_as_the_account_may_hold_and_no_more(
    make_bench: Callable[..., Any], name: str
) -> None:
    meter = make_bench(name)
    most = meter.profile.max_balance
    before = meter.digest()
    assert meter.act(CREDIT, SET, double_long(most + 1)) is ActionResult.OTHER_REASON
    assert meter.digest() == before
    assert meter.act(CREDIT, SET, double_long(most)) is ActionResult.SUCCESS
    full = meter.digest()
    assert meter.act(CREDIT, UPDATE, double_long(1)) is ActionResult.OTHER_REASON
    assert meter.digest() == full
    assert meter.act(CREDIT, UPDATE, double_long(0)) is ActionResult.SUCCESS
    assert meter.value(CREDIT, 2) == most


@pytest.mark.parametrize(
    ("start", "change"), [(HIGHEST, 1), (HIGHEST, HIGHEST), (LOWEST, -1), (LOWEST, LOWEST)]
)
def test_no_overflow(make_bench: Callable[..., Any], start: int, change: int) -> None:
    """KL-PP-05: a double-long does not wrap, whatever the limits of the profile are."""
    meter = make_bench("secure", OPEN)
    assert meter.act(CREDIT, SET, double_long(start)) is ActionResult.SUCCESS
    before = meter.digest()
    assert meter.act(CREDIT, UPDATE, double_long(change)) is ActionResult.OTHER_REASON
    assert meter.digest() == before
    assert meter.value(CREDIT, 2) == start


@given(st.lists(st.tuples(st.booleans(), st.integers(LOWEST, HIGHEST)), max_size=8))
def test_the_balance_is_what_was_accepted(
    make_bench: Callable[..., Any], changes: list[tuple[bool, int]]
) -> None:
    meter = make_bench()
    balance = 75
    for update, amount in changes:
        result = meter.act(CREDIT, UPDATE if update else SET, double_long(amount))
        after = balance + amount if update else amount
        good = LOWEST <= after <= meter.profile.max_balance
        if update:
            good = good and amount <= meter.profile.max_credit
        assert result is (ActionResult.SUCCESS if good else ActionResult.OTHER_REASON)
        balance = after if good else balance
        assert meter.value(CREDIT, 2) == meter.value("0-0:19.0.0.255", 5) == balance


@pytest.mark.parametrize("parameter", [None, long(5), integer(5), double_long_unsigned(5)])
@pytest.mark.parametrize("method", [UPDATE, SET])
def test_an_amount_is_a_double_long(bench: Any, method: int, parameter: Data | None) -> None:
    before = bench.digest()
    assert bench.act(CREDIT, method, parameter) is ActionResult.TYPE_UNMATCHED
    assert bench.digest() == before


def test_who_may_not(bench: Any) -> None:
    before = bench.digest()
    amount = double_long(100)
    assert bench.act(CREDIT, SET, amount, "s1sp") is ActionResult.READ_WRITE_DENIED
    assert bench.act(CREDIT, UPDATE, amount, "reader") is ActionResult.OBJECT_UNDEFINED
    assert bench.act(CREDIT, UPDATE, amount, "public") is ActionResult.OBJECT_UNDEFINED
    assert bench.set(CREDIT, 2, amount) == 3
    assert bench.act(CREDIT, INVOKE, integer(0)) is ActionResult.READ_WRITE_DENIED
    for who in ("s1sp", "dco"):
        assert bench.act(EMERGENCY, UPDATE, amount, who) is ActionResult.READ_WRITE_DENIED
    assert bench.digest() == before


def test_credits_are_apart(make_bench: Callable[..., Any]) -> None:
    """What goes to one does not show in the other; the balance is the token credit's."""
    meter = make_bench("secure", f'[objects."{EMERGENCY}"]\nrights.dco = "r m"\n')
    assert meter.act(EMERGENCY, UPDATE, double_long(7)) is ActionResult.SUCCESS
    assert (meter.value(EMERGENCY, 2), meter.value(CREDIT, 2)) == (507, 75)
    assert account.balance(meter.device) == 75
    assert [row.instance[4] for row in account.credits_of(meter.device)] == [0, 1]
    assert meter.act(EMERGENCY, INVOKE, integer(0)) is ActionResult.SUCCESS  # 75 is below 100


def test_meters_of_a_model_are_apart(make_bench: Callable[..., Any]) -> None:
    """The profile is shared and never changed."""
    one, other = make_bench("itron", serial=1), make_bench("itron", serial=2)
    assert one.profile is other.profile
    assert one.act(CREDIT, UPDATE, double_long(1)) is ActionResult.SUCCESS
    assert (one.value(CREDIT, 2), other.value(CREDIT, 2)) == (-41_999, -42_000)
