"""Entering a token: checks in order, credit exactly once, and what the gateway shows of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.prepayment import lockout
from devices.profile import available, gas
from devices.token import MAX_COUNTER, make_token
from dlms.axdr.data import Data, double_long, octet_string, visible_string
from dlms.axdr.datetimes import CosemDateTime
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoOp, KeyUnavailable, Mac, OperationRefused
from dlms.xdlms.codes import ActionResult

GATEWAY = "0-0:19.40.0.255"
CREDIT = "0-0:19.10.0.255"
EXECUTED, FORMAT, AUTHENTICATION, VALIDATION = 3, 4, 5, 6


def enter(meter: Any, digits: str | bytes, who: str = "s1sp") -> ActionResult:
    octets = digits.encode() if isinstance(digits, str) else digits
    result = meter.act(GATEWAY, 1, octet_string(octets), who)
    assert isinstance(result, ActionResult)
    return result


def status(meter: Any) -> int:
    code, value = (part.value for part in meter.value(GATEWAY, 6))
    assert value == ""
    assert isinstance(code, int)
    return code


def refused(meter: Any, digits: str | bytes, code: int) -> None:
    """The token is refused with that status: nothing is added and no counter is used up."""
    before = (meter.value(CREDIT, 2), set(meter.device.state.used_tokens))
    assert enter(meter, digits) is ActionResult.OTHER_REASON
    assert status(meter) == code
    assert (meter.value(CREDIT, 2), meter.device.state.used_tokens) == before
    lockout.succeeded(meter.device)  # of how many are too many: test_lockout


@pytest.mark.parametrize("name", [*available(), *gas()])
@pytest.mark.parametrize("pence", [1, 500, 8191, 8200, 10_000])
def test_the_exact_amount_in_the_unit_of_the_meter(
    make_bench: Callable[..., Any], name: str, pence: int
) -> None:
    """In pence, or in thousandths of a penny."""
    meter = make_bench(name)
    before = meter.value(CREDIT, 2)
    assert enter(meter, meter.token(pence, 0)) is ActionResult.SUCCESS
    unit = {-2: 1, -5: 1000}[meter.profile.currency_scale]
    assert meter.value(CREDIT, 2) == before + pence * unit
    assert status(meter) == EXECUTED


@pytest.mark.parametrize(("scale", "factor"), [(-2, 1), (-3, 10), (-4, 100), (-5, 1000)])
def test_every_scale(make_bench: Callable[..., Any], scale: int, factor: int) -> None:
    identity = f'[identity]\ncurrency_scale = {{ value = {scale}, assumed = "x" }}\n'
    meter = make_bench("secure", identity)
    assert enter(meter, meter.token(19, 0)) is ActionResult.SUCCESS
    assert meter.value(CREDIT, 2) == 75 + 19 * factor


def test_what_the_gateway_shows(bench: Any) -> None:
    assert bench.value(GATEWAY, 2) == b""
    assert bench.value(GATEWAY, 5) == 0
    digits = bench.token(500, 3)
    assert enter(bench, digits) is ActionResult.SUCCESS
    assert bench.value(GATEWAY, 2) == digits.encode()
    assert CosemDateTime.from_octets(bench.value(GATEWAY, 3)).to_datetime() == bench.now
    assert [part.value for part in bench.value(GATEWAY, 4)] == [b"credit"]
    assert bench.value(GATEWAY, 5) == 0  # remote
    bench.now += dt.timedelta(minutes=5)
    bench.device.state.clock_offset = dt.timedelta(minutes=1)
    refused(bench, "1", FORMAT)
    assert bench.value(GATEWAY, 2) == b"1"
    shown = CosemDateTime.from_octets(bench.value(GATEWAY, 3)).to_datetime()
    assert shown == bench.now + dt.timedelta(minutes=1)


@pytest.mark.parametrize("length", [0, 1, 19, 21, 65, 65536])
def test_other_lengths_are_a_format_failure_and_bounded(bench: Any, length: int) -> None:
    """KL-PP-04."""
    refused(bench, b"1" * length, FORMAT)
    assert len(bench.value(GATEWAY, 2)) == min(length, 64)
    assert bench.operations == []


@pytest.mark.parametrize("written", [b"1234567890123456789A", b"\xff" * 20, b" " * 20])
def test_letters_are_a_format_failure(bench: Any, written: bytes) -> None:
    refused(bench, written, FORMAT)
    assert bench.operations == []


def test_a_wrong_check_digit_is_a_format_failure(bench: Any) -> None:
    """It is found without a key."""
    digits = bench.token(500, 0)
    for digit in "0123456789":
        if digit != digits[-1]:
            refused(bench, digits[:-1] + digit, FORMAT)
    assert bench.operations == []
    assert enter(bench, digits) is ActionResult.SUCCESS


def forged(meter: Any, pence: int, counter: int, flip: int = 1) -> str:
    """A token with one bit of its MAC wrong and a right check digit."""

    def execute(op: CryptoOp) -> bytes:
        tag = meter.module.execute(op)
        return (int.from_bytes(tag[:4], "big") ^ flip).to_bytes(4, "big") + bytes(8)

    key = meter.device.key("prepayment", KeyKind.TOKEN)
    return run(make_token(pence, counter, key, meter.device.title), execute)


@pytest.mark.parametrize("bit", range(32))
def test_every_bit_of_the_mac_counts(bench: Any, bit: int) -> None:
    refused(bench, forged(bench, 500, 0, 1 << bit), AUTHENTICATION)
    assert enter(bench, bench.token(500, 0)) is ActionResult.SUCCESS


def test_the_mac_is_of_the_amount_and_the_counter(bench: Any) -> None:
    """The MAC of one token does not serve another."""
    key = bench.device.key("prepayment", KeyKind.TOKEN)
    stolen = mac_of(bench, 500, 0)
    for pence, counter in ((501, 0), (500, 1), (50_000, 0)):
        token = run(make_token(pence, counter, key, bench.device.title), lambda op: stolen)
        refused(bench, token, AUTHENTICATION)


def mac_of(meter: Any, pence: int, counter: int) -> bytes:
    tags: list[bytes] = []

    def execute(op: CryptoOp) -> bytes:
        tags.append(meter.module.execute(op))
        return tags[-1]

    key = meter.device.key("prepayment", KeyKind.TOKEN)
    run(make_token(pence, counter, key, meter.device.title), execute)
    return tags[0]


def test_another_meters_token(make_bench: Callable[..., Any]) -> None:
    """Same model, same counter, another serial number; and another model."""
    meter = make_bench("secure", serial=7)
    for other in (make_bench("secure", serial=8), make_bench("landis_gyr", serial=7)):
        refused(meter, other.token(500, 0), AUTHENTICATION)


def test_another_key_version(bench: Any) -> None:
    """KL-PP-02: a token of another key does not verify."""
    old = bench.device.key("prepayment", KeyKind.TOKEN)
    new = old._replace(version=1)
    bench.ring.keep(new, bytes(range(16)))
    digits = run(make_token(500, 0, new, bench.device.title), bench.module.execute)
    refused(bench, digits, AUTHENTICATION)


@pytest.mark.parametrize("failure", [KeyUnavailable("no key"), OperationRefused("no module")])
def test_a_mac_that_cannot_be_computed(bench: Any, failure: Exception) -> None:
    digits = bench.token(500, 0)

    def refuse(op: CryptoOp) -> None:
        raise failure

    bench.module.execute = refuse
    refused(bench, digits, AUTHENTICATION)


def test_twice(bench: Any) -> None:
    """KL-PP-01: the second time it is valid no more, and credit has been added once."""
    digits = bench.token(500, 9)
    assert enter(bench, digits) is ActionResult.SUCCESS
    refused(bench, digits, VALIDATION)
    refused(bench, bench.token(700, 9), VALIDATION)  # the counter decides, not the amount
    assert enter(bench, bench.token(500, 8)) is ActionResult.SUCCESS  # any order
    assert bench.value(CREDIT, 2) == 75 + 1000
    assert bench.device.state.used_tokens == {8, 9}


@pytest.mark.parametrize("name", ["secure", "itron"])
def test_more_than_may_be_added_at_once(make_bench: Callable[..., Any], name: str) -> None:
    """The same limit in pence, whatever the unit: 200 pounds. The counter is not used up."""
    meter = make_bench(name)
    refused(meter, meter.token(20_100, 0), VALIDATION)
    assert enter(meter, meter.token(20_000, 0)) is ActionResult.SUCCESS


def test_more_than_the_account_may_hold(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("landis_gyr")
    meter.act(CREDIT, 2, double_long(50_000 - 499))
    digits = meter.token(500, 0)
    refused(meter, digits, VALIDATION)
    meter.act(CREDIT, 1, double_long(-1))
    assert enter(meter, digits) is ActionResult.SUCCESS
    assert meter.value(CREDIT, 2) == 50_000


def test_a_closed_account_takes_no_token(make_bench: Callable[..., Any]) -> None:
    closed = "values.2 = { structure = [{ enum = 2 }, { enum = 3 }] }\n"
    meter = make_bench("secure", f'[objects."0-0:19.0.0.255"]\n{closed}')
    refused(meter, meter.token(500, 0), VALIDATION)


def test_the_order_of_checks(bench: Any) -> None:
    """Format, authentication, replay, amount: the first that fails is the one that is told."""
    used = bench.token(500, 0)
    assert enter(bench, used) is ActionResult.SUCCESS
    wrong_digit = str((int(used[-1]) + 1) % 10)
    refused(bench, used[:-1] + wrong_digit, FORMAT)  # and used
    refused(bench, forged(bench, 500, 0), AUTHENTICATION)  # and used
    refused(bench, forged(bench, 80_000, 1), AUTHENTICATION)  # and too much
    refused(bench, bench.token(80_000, 0), VALIDATION)  # used and too much


def test_format_failures_need_no_key_and_others_one_operation(bench: Any) -> None:
    refused(bench, "123", FORMAT)
    assert bench.operations == []
    enter(bench, bench.token(500, 0))
    (op,) = bench.operations
    assert isinstance(op, Mac)
    assert op.ek == KeyRef(bench.device.title, "prepayment", KeyKind.TOKEN)


def test_all_counters_can_be_used_and_then_none(bench: Any) -> None:
    for counter in (0, 1, MAX_COUNTER):
        assert enter(bench, bench.token(1, counter)) is ActionResult.SUCCESS
    bench.device.state.used_tokens.update(range(MAX_COUNTER + 1))
    for counter in (0, 2, 4711, MAX_COUNTER):
        refused(bench, bench.token(1, counter), VALIDATION)
    with pytest.raises(ValueError, match="token counter 65536"):
        bench.token(1, MAX_COUNTER + 1)


@given(st.lists(st.tuples(st.integers(1, 8191), st.integers(0, 4)), max_size=6))
def test_each_counter_adds_once(
    make_bench: Callable[..., Any], entered: list[tuple[int, int]]
) -> None:
    meter = make_bench()
    balance, used = 75, set[int]()
    for pence, counter in entered:
        result = enter(meter, meter.token(pence, counter))
        assert result is (ActionResult.OTHER_REASON if counter in used else ActionResult.SUCCESS)
        balance += 0 if counter in used else pence
        used.add(counter)
    assert meter.value(CREDIT, 2) == balance
    assert meter.device.state.used_tokens == used


@pytest.mark.parametrize("parameter", [None, visible_string("1" * 20), double_long(1)])
def test_a_token_is_an_octet_string(bench: Any, parameter: Data | None) -> None:
    before = bench.digest()
    assert bench.act(GATEWAY, 1, parameter, "s1sp") is ActionResult.TYPE_UNMATCHED
    assert bench.digest() == before


def test_who_may_not(bench: Any) -> None:
    digits = bench.token(500, 0)
    before = bench.digest()
    assert enter(bench, digits, "dco") is ActionResult.READ_WRITE_DENIED
    assert enter(bench, digits, "reader") is ActionResult.OBJECT_UNDEFINED
    assert enter(bench, digits, "public") is ActionResult.OBJECT_UNDEFINED
    assert bench.digest() == before
