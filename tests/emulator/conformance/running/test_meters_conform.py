"""Every check on every meter: none FAILED, and what is not judged says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.conformance import built_in
from emulator.conformance.catalogue.selecting import chosen
from emulator.conformance.running.result import CaseResult, Standing, Verdict

MANUFACTURERS = ("aclara", "honeywell_elster", "itron", "landis_gyr", "secure")
GOOD = {
    Verdict.PASSED, Verdict.NON_STRICT, Verdict.INFORMATIONAL, Verdict.INAPPLICABLE,
    Verdict.INCONCLUSIVE,
}  # fmt: skip
LEAST = 25
"""Checks that pass on each of these meters and ways, or too little was run to say anything."""
SILENT = (Verdict.INAPPLICABLE, Verdict.INCONCLUSIVE, Verdict.NON_STRICT)


def bad(cases: list[CaseResult]) -> list[str]:
    return [
        f"{case.id} {case.verdict.value}: {'; '.join(case.reasons)}"
        for case in cases
        if case.verdict not in GOOD or case.standing is not Standing.GOOD
    ]


GROUPS: dict[str, tuple[str, ...]] = {
    "tcp": (),
    "hdlc": ("hdlc", "x-hdlc", "appl"),
    "tls": ("tls-server", "tls-client", "x-tls", "x-wrapper"),
    "udp": ("appl", "symsec", "x-aarq"),
    "line": ("hdlc", "x-hdlc", "x-services"),
}
"""What is run on which way: all on one, and on each what there is on no other."""


async def run_all(
    bench: Callable[..., Any], profile: str, way: str, *groups: str
) -> list[CaseResult]:
    async with bench(profile, way) as device:
        checks = chosen(built_in(), groups)
        return [case async for case in device.runner.run(checks)]


@pytest.mark.parametrize("way", ["tcp", "hdlc", "tls"])
@pytest.mark.parametrize("profile", MANUFACTURERS)
async def test_manufacturers(profile: str, way: str, bench: Callable[..., Any]) -> None:
    cases = await run_all(bench, profile, way, *GROUPS[way])
    assert bad(cases) == []
    assert [case.id for case in cases if case.verdict in SILENT and not case.reasons] == []
    assert sum(case.verdict is Verdict.PASSED for case in cases) > LEAST


@pytest.mark.parametrize("way", GROUPS)
async def test_the_laboratorys_meter(way: str, bench: Callable[..., Any]) -> None:
    cases = await run_all(bench, "laboratory", way, *GROUPS[way])
    assert bad(cases) == []
    assert sum(case.verdict is Verdict.PASSED for case in cases) > LEAST
