"""Every check on every meter: none FAILED, and what is not judged says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.conformance import built_in
from emulator.conformance.running.result import CaseResult, Standing, Verdict

MANUFACTURERS = ("aclara", "honeywell_elster", "itron", "landis_gyr", "secure")
GOOD = {
    Verdict.PASSED, Verdict.NON_STRICT, Verdict.INFORMATIONAL, Verdict.INAPPLICABLE,
    Verdict.INCONCLUSIVE,
}  # fmt: skip
SILENT = (Verdict.INAPPLICABLE, Verdict.INCONCLUSIVE, Verdict.NON_STRICT)


def bad(cases: list[CaseResult]) -> list[str]:
    return [
        f"{case.id} {case.verdict.value}: {'; '.join(case.reasons)}"
        for case in cases
        if case.verdict not in GOOD or case.standing is not Standing.GOOD
    ]


async def run_all(bench: Callable[..., Any], profile: str, way: str) -> list[CaseResult]:
    async with bench(profile, way) as device:
        return [case async for case in device.runner.run(tuple(built_in()))]


@pytest.mark.parametrize("way", ["tcp", "hdlc", "tls"])
@pytest.mark.parametrize("profile", MANUFACTURERS)
async def test_manufacturers(profile: str, way: str, bench: Callable[..., Any]) -> None:
    cases = await run_all(bench, profile, way)
    assert bad(cases) == []
    assert [case.id for case in cases if case.verdict in SILENT and not case.reasons] == []
    assert sum(case.verdict is Verdict.PASSED for case in cases) > 40


@pytest.mark.parametrize("way", ["tcp", "udp", "hdlc", "line"])
async def test_the_laboratorys_meter(way: str, bench: Callable[..., Any]) -> None:
    cases = await run_all(bench, "laboratory", way)
    assert bad(cases) == []
    assert sum(case.verdict is Verdict.PASSED for case in cases) > 60
