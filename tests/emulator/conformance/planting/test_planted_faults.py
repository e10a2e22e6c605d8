"""Every check can fail: each has a fault that makes it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tlslite.utils.rijndael import Rijndael

from emulator.cli.conform_faults import HEAD_ENDS, drawn_into, without
from emulator.conformance import built_in as catalogue
from emulator.conformance.declaration.model import Timing
from emulator.conformance.planting import Planted, built_in
from emulator.conformance.running.result import Verdict

OF_METERS = built_in()
GOOD = (Verdict.PASSED, Verdict.NON_STRICT)
DOCS = Path(__file__).parents[4] / "docs" / "conformance-faults.md"
WHOLE = os.environ.get("COSEMLAB_MATRIX") == "all"
SILENCE, UNDER_LOAD = 0.1, 15.0
"""Seconds: what is silence, and how long an answer may take while every core is busy."""
OTHERS = 3
"""Checks besides its own that a fault is tried on; ``make matrix`` tries all."""

JUDGES_NOTHING = {
    "COSEM_REPORT",
    "TLS_A2_CH_05",  # tlslite-ng staples no OCSP responses: it is INCONCLUSIVE for everybody
}


def others(planted: Planted) -> list[str]:
    """Checks that it must not make fail."""
    own = {*planted.checks, *planted.also}
    left = [
        check.id
        for check in catalogue()
        if check.steps and check.id not in own and check.group != HEAD_ENDS
    ]
    if WHOLE:
        return left
    return random.Random(planted.name).sample(left, OTHERS)


@pytest.mark.parametrize("length", [16, 32])
def test_quick_aes_is_that_of_tlslite(length: int, quick_aes: Any) -> None:
    drawn = random.Random(length)
    key, block = bytearray(drawn.randbytes(length)), bytearray(drawn.randbytes(16))
    theirs, ours = Rijndael(key, 16), quick_aes(key, 16)
    assert ours.encrypt(block) == theirs.encrypt(block)
    assert ours.decrypt(block) == theirs.decrypt(block)


def test_each_check_has_one() -> None:
    assert set(without(built_in())) == JUDGES_NOTHING


def test_the_page_has_the_table_of_today() -> None:
    """``make docs`` writes it."""
    text = DOCS.read_text("utf-8")
    assert drawn_into(text) == text


@pytest.mark.parametrize("planted", OF_METERS, ids=[one.name for one in OF_METERS])
async def test_with_it_the_check_fails_and_without_it_passes(
    planted: Planted, bench: Callable[..., Any]
) -> None:
    declared: dict[str, Any] = {
        "features": planted.features, "settings": planted.settings, "hurried": True,
        "timing": Timing(silence=SILENCE, answer=UNDER_LOAD) if WHOLE else None,
    }  # fmt: skip
    right = None if planted.device is None else replace(planted, row=planted.device)
    async with bench(planted.profile, planted.way, **declared, planted=right) as device:
        clean = await device.verdicts(*planted.checks)
    assert {id: case.verdict for id, case in clean.items() if case.verdict not in GOOD} == {}
    async with bench(planted.profile, planted.way, **declared, planted=planted) as device:
        failed = await device.verdicts(*planted.checks)
        besides = await device.verdicts(*others(planted))
    for id in [id for id, case in besides.items() if case.verdict is Verdict.FAILED]:
        # A check before it may have spoilt the device: that is not its own failure.
        async with bench(planted.profile, planted.way, **declared, planted=planted) as another:
            besides |= await another.verdicts(id)
    assert [id for id, case in besides.items() if case.verdict is Verdict.FAILED] == []
    assert {id: case.verdict for id, case in failed.items()} == dict.fromkeys(
        planted.checks, Verdict.FAILED
    )
    assert all(case.reasons for case in failed.values())
