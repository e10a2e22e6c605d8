"""What the tester may not do, or has nothing to try with, is no answer of a device."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from dlms.errors import LocalProtocolError
from dlms.xdlms.conformance import Conformance
from emulator.conformance import built_in
from emulator.conformance.cases import aarq_place
from emulator.conformance.cases.each import joined, on_each
from emulator.conformance.conversing.expect import refused
from emulator.conformance.probing.record import Recorder
from emulator.conformance.probing.seen import What
from emulator.conformance.running.runner import real_clocks
from emulator.conformance.trying.trial import Trial


def trial_of(device: Any) -> Trial:
    clocks = real_clocks()
    check = built_in().checks["X_AARQ_TWICE"]
    return Trial(check, device.runner.target, random.Random(0), clocks, Recorder(clocks.now))


async def test_what_the_protocol_forbids_the_tester(bench: Callable[..., Any]) -> None:
    async def ask(trial: Any, row: Any) -> Any:
        raise LocalProtocolError("SET was not negotiated")

    async with bench("aclara") as device:
        with pytest.raises(LocalProtocolError):
            await on_each("any", ask, refused()).send(trial_of(device))


@pytest.mark.parametrize(
    ("negotiated", "what"),
    [
        (Conformance.GET, What.FOUND),
        (Conformance.GET | Conformance.MULTIPLE_REFERENCES, What.APDU),
    ],
)
async def test_what_only_the_first_association_may_do(
    negotiated: Conformance, what: What, bench: Callable[..., Any]
) -> None:
    """A list is asked for where it has negotiated that, whatever the device serves without."""
    async with bench("laboratory") as device:
        trial = trial_of(device)
        row = trial.row(lambda one: one.name == "reader", "that reads")
        async with joined(trial, row, conformance=negotiated) as first:
            seen = await aarq_place._privileges(first, replaced=True)
        await trial.close()
    assert seen.what is what
