"""security_activate strengthens the policy of an association and never weakens it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.axdr.data import Data, enum, integer, unsigned
from dlms.security.control import POLICY_V0
from dlms.xdlms.codes import ActionResult

S1SP_SETUP = "0-0:43.0.1.255"
DCO_SETUP = "0-0:43.0.2.255"
ACTIVATE = 1

# Present policy: what may be activated. 1 is authentication, 2 encryption, 3 both.
STRENGTHENS = {0: {0, 1, 2, 3}, 1: {1, 3}, 2: {2, 3}, 3: {3}}


@pytest.fixture(params=STRENGTHENS)
def present(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def meter(make_bench: Callable[..., Any], present: int) -> Any:
    extra = f"[associations.s1sp]\npolicy = {present}\n[associations.dco]\npolicy = {present}\n"
    return make_bench("secure", extra)


def policy(meter: Any, association: str) -> int:
    config = meter.device.config(meter.association(association))
    return int(config.policy) >> 4


@pytest.mark.parametrize("wanted", [*range(16), 255])
@pytest.mark.parametrize(("setup", "whose"), [(S1SP_SETUP, "s1sp"), (DCO_SETUP, "dco")])
def test_the_whole_table(meter: Any, present: int, setup: str, whose: str, wanted: int) -> None:
    """KL-KT-32."""
    before = (meter.digest(), meter.device.state.security_revision)
    assert meter.value(setup, 2) == present
    result = meter.act(setup, ACTIVATE, enum(wanted))
    if wanted in STRENGTHENS[present]:
        assert result is ActionResult.SUCCESS
        assert meter.value(setup, 2) == policy(meter, whose) == wanted
        assert meter.device.config(meter.association(whose)).policy is POLICY_V0[wanted]
        assert meter.device.state.security_revision == before[1] + 1
    else:
        assert result is ActionResult.OTHER_REASON
        assert (meter.digest(), meter.device.state.security_revision) == before
        assert policy(meter, whose) == present
    (other,) = {"s1sp", "dco"} - {whose}
    assert policy(meter, other) == present
    assert meter.association(whose).config.policy is POLICY_V0[present]  # the profile stays


def test_what_was_activated_is_the_new_floor(make_bench: Callable[..., Any]) -> None:
    extra = "[associations.dco]\npolicy = 0\n"
    for first in range(4):
        for second in range(4):
            meter = make_bench("secure", extra)
            assert meter.act(DCO_SETUP, ACTIVATE, enum(first)) is ActionResult.SUCCESS
            good = second in STRENGTHENS[first]
            result = meter.act(DCO_SETUP, ACTIVATE, enum(second))
            assert result is (ActionResult.SUCCESS if good else ActionResult.OTHER_REASON)
            assert meter.value(DCO_SETUP, 2) == (second if good else first)


@pytest.mark.parametrize("parameter", [None, unsigned(3), integer(3)])
def test_the_policy_is_an_enum(bench: Any, parameter: Data | None) -> None:
    before = bench.digest()
    assert bench.act(DCO_SETUP, ACTIVATE, parameter) is ActionResult.TYPE_UNMATCHED
    assert bench.digest() == before


def test_only_the_dco_activates(bench: Any) -> None:
    before = bench.digest()
    assert bench.act(S1SP_SETUP, ACTIVATE, enum(3), "s1sp") is ActionResult.READ_WRITE_DENIED
    assert bench.act(DCO_SETUP, ACTIVATE, enum(3), "s1sp") is ActionResult.OBJECT_UNDEFINED
    assert bench.act(DCO_SETUP, ACTIVATE, enum(3), "reader") is ActionResult.OBJECT_UNDEFINED
    assert bench.digest() == before


@pytest.mark.parametrize("attribute", [2, 3, 5])
def test_nothing_is_written(bench: Any, attribute: int) -> None:
    """KL-KT-22, 32: policy, suite and the meter's title change by no write. The client's does,
    where a meter changes hands (test_changing_hands.py).
    """
    before = bench.digest()
    value = bench.get(DCO_SETUP, attribute)
    assert bench.set(DCO_SETUP, attribute, value) == 3
    assert bench.digest() == before
