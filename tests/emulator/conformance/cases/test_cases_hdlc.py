"""Conversations frame by frame, on meters whose links differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from emulator.conformance import built_in
from emulator.conformance.declaration.model import DeclaredHdlc
from emulator.conformance.running.result import Verdict

GROUPS = ("hdlc", "x-hdlc")
LIMITS = ("HDLC_NDM2NRM_P1", "HDLC_NDM2NRM_P2", "X_HDLC_INFO_MAX", "HDLC_INFO_N1")


def ids_of(*groups: str) -> list[str]:
    return [check.id for check in built_in() if check.group in groups]


async def failed(bench: Any, *ids: str) -> dict[str, tuple[str, ...]]:
    """The reasons of those that do not pass."""
    cases = await bench.verdicts(*ids)
    return {id: case.reasons for id, case in cases.items() if case.verdict is not Verdict.PASSED}


@pytest.mark.parametrize("way", ["hdlc", "line"])
async def test_a_meter_passes_both_groups_and_its_idle_link_is_waited_for(
    way: str, bench: Callable[..., Any]
) -> None:
    async with bench("laboratory", way) as device:
        assert await failed(device, *ids_of(*GROUPS)) == {}


async def test_long_fields_and_wide_windows(bench: Callable[..., Any]) -> None:
    """256 octets and three frames in a row."""
    async with bench("secure", "hdlc") as device:
        assert await failed(device, *LIMITS) == {}


async def test_a_time_out_that_nobody_waits_for_is_inconclusive(bench: Callable[..., Any]) -> None:
    async with bench("aclara", "hdlc") as device:
        case = (await device.verdicts("HDLC_FRAME_P3"))["HDLC_FRAME_P3"]
    assert case.verdict is Verdict.INCONCLUSIVE
    assert "144 s" in case.reasons[0]


async def test_on_an_optical_port_there_is_no_verdict(bench: Callable[..., Any]) -> None:
    async with bench("laboratory", "optical") as device:
        case = (await device.verdicts("HDLC_FRAME_P1"))["HDLC_FRAME_P1"]
    assert case.verdict is Verdict.INCONCLUSIVE
    assert "mode E" in case.reasons[0]


async def test_less_that_is_declared_than_negotiated_fails(bench: Callable[..., Any]) -> None:
    """The declaration is what a meter is held to."""
    async with bench("secure", "hdlc") as device:
        target = device.runner.target
        target.declaration = replaced(target.declaration, transmit=128, window_transmit=1)
        reasons = await failed(device, *LIMITS[:2])
    assert "256 octets, and may send 128" in reasons["HDLC_NDM2NRM_P1"][0]
    assert "3 frames in a row, and may send 1" in reasons["HDLC_NDM2NRM_P2"][0]


def replaced(declaration: Any, **hdlc: Any) -> Any:
    changed: DeclaredHdlc = replace(declaration.hdlc, **hdlc)
    return replace(declaration, hdlc=changed)


async def test_links_are_ended_before_a_line_is_closed(bench: Callable[..., Any]) -> None:
    """A serial line stays: the next client finds no link on it."""
    async with bench("laboratory", "line") as device:
        case = (await device.verdicts("HDLC_INFO_P1"))["HDLC_INFO_P1"]
    last = [entry.octets.hex() for entry in case.record if entry.octets][-40:]
    notes = [entry.text for entry in case.record]
    assert any("sanity" in text for text in notes)
    frames = [octets for octets in last if octets.startswith("7ea00a000200232153")]
    assert frames, "the tester's own link was ended with DISC"
