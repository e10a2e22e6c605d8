"""Security setup in other suites, and the policies of version 1."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.axdr.data import enum
from dlms.security.control import Protection
from dlms.security.keys import KeyKind
from dlms.xdlms.codes import ActionResult

SETUPS = {"suite1": "0-0:43.0.11.255", "suite2": "0-0:43.0.12.255"}
LENGTHS = {"suite1": 16, "suite2": 32}


@pytest.fixture
def laboratory(make_bench: Any) -> Any:
    return make_bench("laboratory")


@pytest.mark.parametrize("scope", SETUPS)
def test_the_suite_is_shown(scope: str, laboratory: Any) -> None:
    assert laboratory.value(SETUPS[scope], 3, scope) == int(scope[-1])


@pytest.mark.parametrize("scope", SETUPS)
@pytest.mark.parametrize("length", [16, 32])
def test_a_key_has_the_length_of_its_suite(scope: str, length: int, laboratory: Any) -> None:
    """R-KEY-1: wrapped, 24 octets in suites 0 and 1, 40 in suite 2."""
    key = bytes(range(1, length + 1))
    before = laboratory.device.key(scope, KeyKind.GUEK)
    result = laboratory.act(SETUPS[scope], 2, laboratory.transfer(scope, (0, key)), scope)
    after = laboratory.device.key(scope, KeyKind.GUEK)
    if length == LENGTHS[scope]:
        assert result is ActionResult.SUCCESS
        assert laboratory.ring.get(after) == key
    else:
        assert result is ActionResult.OTHER_REASON
        assert after == before


def activate(meter: Any, value: int) -> ActionResult:
    result = meter.act(SETUPS["suite1"], 1, enum(value), "suite1")
    assert isinstance(result, ActionResult)
    return result


def test_a_policy_of_version_1_is_bits(laboratory: Any) -> None:
    """Bits 2 and 3 are of requests, 5 and 6 of responses (Table 34)."""
    row = laboratory.association("suite1")
    assert row.config.policy is Protection.BOTH
    assert laboratory.value(SETUPS["suite1"], 2, "suite1") == 0b0110_1100


@pytest.mark.parametrize(
    "value", [0b0000_0001, 0b1000_0000, 0b0001_0000, 0b0000_1100, 0b0010_0100, 3]
)
def test_policies_that_cannot_be_kept_are_refused(value: int, laboratory: Any) -> None:
    """Unused bits, signatures, requests and responses apart; and a weaker one."""
    digest = laboratory.digest()
    assert activate(laboratory, value) is ActionResult.OTHER_REASON
    assert laboratory.digest() == digest


def test_the_policy_in_force_may_be_activated_again(laboratory: Any) -> None:
    assert activate(laboratory, 0b0110_1100) is ActionResult.SUCCESS
