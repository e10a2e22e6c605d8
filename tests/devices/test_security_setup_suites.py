"""Security setup in other suites: the suite is shown, and says how long keys are."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.security.keys import KeyKind
from dlms.xdlms.codes import ActionResult

SETUPS = {"suite1": "0-0:43.0.11.255", "suite2": "0-0:43.0.12.255"}
LENGTHS = {"suite1": 16, "suite2": 32}


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
