"""Every check can fail: each has a fault that makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.conformance.planting import Planted, built_in
from emulator.conformance.running.result import Verdict

OF_METERS = built_in()
GOOD = (Verdict.PASSED, Verdict.NON_STRICT)


@pytest.mark.parametrize("planted", OF_METERS, ids=[one.name for one in OF_METERS])
async def test_with_it_the_check_fails_and_without_it_passes(
    planted: Planted, bench: Callable[..., Any]
) -> None:
    async with bench(planted.profile, planted.way, features=planted.features) as device:
        clean = await device.verdicts(*planted.checks)
    assert {id: case.verdict for id, case in clean.items() if case.verdict not in GOOD} == {}
    how = {"features": planted.features, "planted": planted}
    async with bench(planted.profile, planted.way, **how) as device:
        failed = await device.verdicts(*planted.checks)
    assert {id: case.verdict for id, case in failed.items()} == dict.fromkeys(
        planted.checks, Verdict.FAILED
    )
    assert all(case.reasons for case in failed.values())
