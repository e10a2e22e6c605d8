"""The account: payment mode, life cycle, and what it computes from the credit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.axdr.data import Data, array, double_long, enum, integer, structure, unsigned
from dlms.xdlms.codes import ActionResult, DataAccessResult

ACCOUNT = "0-0:19.0.0.255"
CREDIT = "0-0:19.10.0.255"
NEW, ACTIVE, CLOSED = 1, 2, 3
ACTIVATE, CLOSE, RESET = 1, 2, 3
WITH_METHODS = f'[objects."{ACCOUNT}"]\nrights.dco = "r 2rw m"\n'


def mode_and_status(meter: Any) -> tuple[int, int]:
    mode, status = (part.value for part in meter.value(ACCOUNT, 2))
    return mode, status


def in_status(make_bench: Callable[..., Any], status: int, mode: int = 2) -> Any:
    value = f"values.2 = {{ structure = [{{ enum = {mode} }}, {{ enum = {status} }}] }}\n"
    return make_bench("secure", WITH_METHODS + value)


@pytest.mark.parametrize("before", [1, 2])
@pytest.mark.parametrize("after", [1, 2])
def test_the_mode_may_be_changed(make_bench: Callable[..., Any], before: int, after: int) -> None:
    meter = in_status(make_bench, ACTIVE, before)
    wanted = structure(enum(after), enum(ACTIVE))
    assert meter.set(ACCOUNT, 2, wanted) is DataAccessResult.SUCCESS
    assert mode_and_status(meter) == (after, ACTIVE)


@pytest.mark.parametrize("mode", [0, 3, 255])
def test_modes_that_are_none(bench: Any, mode: int) -> None:
    before = bench.digest()
    value = structure(enum(mode), enum(ACTIVE))
    assert bench.set(ACCOUNT, 2, value) is DataAccessResult.OTHER_REASON
    assert bench.digest() == before


@pytest.mark.parametrize("present", [NEW, ACTIVE, CLOSED])
@pytest.mark.parametrize("written", [0, NEW, ACTIVE, CLOSED, 4])
def test_the_status_cannot_be_written(
    make_bench: Callable[..., Any], present: int, written: int
) -> None:
    meter = in_status(make_bench, present)
    before = meter.digest()
    result = meter.set(ACCOUNT, 2, structure(enum(1), enum(written)))
    if written == present:
        assert result is DataAccessResult.SUCCESS
        assert mode_and_status(meter) == (1, present)
    else:
        assert result is DataAccessResult.OTHER_REASON
        assert meter.digest() == before


@pytest.mark.parametrize(
    "value",
    [
        structure(),
        structure(enum(1)),
        structure(enum(1), enum(2), enum(3)),
        structure(enum(1), unsigned(2)),
        structure(unsigned(1), enum(2)),
        array(enum(1), enum(2)),
        enum(1),
    ],
)
def test_other_forms_of_the_mode_are_refused(bench: Any, value: Data) -> None:
    before = bench.digest()
    assert bench.set(ACCOUNT, 2, value) is DataAccessResult.TYPE_UNMATCHED
    assert bench.digest() == before


LIFE = {(ACTIVATE, NEW): ACTIVE, (CLOSE, ACTIVE): CLOSED, (RESET, CLOSED): NEW}


@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("status", [NEW, ACTIVE, CLOSED])
@pytest.mark.parametrize("method", [ACTIVATE, CLOSE, RESET])
def test_life_cycle(make_bench: Callable[..., Any], method: int, status: int, mode: int) -> None:
    """New, active, closed, and new again; nothing else."""
    meter = in_status(make_bench, status, mode)
    before = meter.digest()
    after = LIFE.get((method, status))
    result = meter.act(ACCOUNT, method, integer(0))
    if after is None:
        assert result is ActionResult.OTHER_REASON
        assert meter.digest() == before
    else:
        assert result is ActionResult.SUCCESS
        assert mode_and_status(meter) == (mode, after)


def test_no_profile_offers_the_life_cycle(bench: Any) -> None:
    for method in (ACTIVATE, CLOSE, RESET):
        for who in ("s1sp", "dco"):
            assert bench.act(ACCOUNT, method, integer(0), who) is ActionResult.READ_WRITE_DENIED


@pytest.mark.parametrize("method", [1, 2])
@pytest.mark.parametrize("amount", [1, 0, -1])
def test_a_closed_account_takes_no_credit(
    make_bench: Callable[..., Any], method: int, amount: int
) -> None:
    """KL-PP-05."""
    meter = in_status(make_bench, CLOSED)
    before = meter.digest()
    assert meter.act(CREDIT, method, double_long(amount)) is ActionResult.OTHER_REASON
    assert meter.digest() == before
    assert meter.act(ACCOUNT, RESET, integer(0)) is ActionResult.SUCCESS
    assert meter.act(CREDIT, method, double_long(amount)) is ActionResult.SUCCESS


@pytest.mark.parametrize(
    ("balance", "bits", "available", "to_clear"),
    [
        (1000, "10100000", 1000, 0),
        (201, "10100000", 201, 0),
        (200, "11100000", 200, 0),  # the low credit threshold is 200
        (101, "11100000", 101, 0),
        (100, "11010000", 100, 0),  # emergency credit is on offer from 100 on
        (1, "11010000", 1, 0),
        (0, "00010010", 0, 0),
        (-1, "00010010", -1, 1),
        (-(2**31) + 1, "00010010", -(2**31) + 1, 2**31 - 1),
    ],
)
def test_what_the_account_computes(
    bench: Any, balance: int, bits: str, available: int, to_clear: int
) -> None:
    """Bits of current_credit_status: 0 in credit, 1 low credit, 2 next credit enabled, 3 that it is
    selectable, 6 out of credit.
    """
    assert bench.act(CREDIT, 2, double_long(balance)) is ActionResult.SUCCESS
    assert bench.value(ACCOUNT, 3) == (1 if balance > 0 else 0)
    assert bench.value(ACCOUNT, 4) == bits
    assert bench.value(ACCOUNT, 5) == available
    assert bench.value(ACCOUNT, 6) == to_clear
    assert bench.value(CREDIT, 2) == balance
