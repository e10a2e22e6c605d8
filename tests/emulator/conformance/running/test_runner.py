"""The runner on a meter: sanity, expectations, exclusions, and the same octets by the same seed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from dlms.errors import CodecError
from emulator.conformance import built_in
from emulator.conformance.conversing import binding
from emulator.conformance.declaration.model import Exclusion, ExpectedFailure, Timing
from emulator.conformance.probing import line
from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.running import runner as running
from emulator.conformance.running import starts
from emulator.conformance.running.result import CaseResult, Standing, Verdict

ID = "APPL_OPEN_12"
CHECK = built_in().checks[ID]


def declare(device: Any, **changes: Any) -> None:
    device.runner.target.declaration = replace(device.runner.target.declaration, **changes)


def sent(case: CaseResult) -> list[bytes]:
    return [
        entry.octets
        for entry in case.record
        if entry.direction is Direction.SENT and entry.level is Level.OCTETS
    ]


def test_every_check_with_steps_has_a_conversation() -> None:
    running.cases.load()
    assert {check.id for check in built_in() if check.steps} == set(binding.bound())
    for check in built_in():
        binding.nodes_of(check)


async def test_the_same_seed_gives_the_same_octets(bench: Callable[..., Any]) -> None:
    runs = []
    for seed in ("a", "a", "b"):
        async with bench("aclara", seed=seed) as device:
            device.meter.faults.set("same-challenge", {})  # the device answers the same, too
            runs.append(sent((await device.verdicts(ID))[ID]))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


async def test_a_device_that_is_not_sane_is_not_judged(bench: Callable[..., Any]) -> None:
    async with bench("aclara") as device:
        device.meter.faults.set("busy", {})
        case = (await device.verdicts(ID))[ID]
    assert (case.verdict, case.steps) == (Verdict.ERROR, ())
    assert "not sane before" in case.reasons[0]


async def test_a_device_that_is_harmed_has_failed(
    bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench("aclara") as device:

        @contextmanager
        def harm() -> Any:
            yield
            device.meter.faults.set("busy", {})

        monkeypatch.setattr(device.runner, "_around", harm)
        case = (await device.verdicts(ID))[ID]
    assert case.verdict is Verdict.FAILED
    assert "not sane after" in case.reasons[-1]


async def test_nobody_is_there(bench: Callable[..., Any]) -> None:
    async with bench("aclara") as device:
        device.meter.mains.cut()
        case = (await device.verdicts(ID))[ID]
    assert (case.verdict, case.standing) == (Verdict.ERROR, Standing.BAD)


@pytest.mark.parametrize("pattern", [ID, "appl", "APPL_*", "appl_open_12"])
async def test_what_is_not_to_be_run_is_not(pattern: str, bench: Callable[..., Any]) -> None:
    async with bench("aclara") as device:
        declare(device, exclusions=(Exclusion(pattern=pattern, reason="it hangs"),))
        case = (await device.verdicts(ID))[ID]
    assert (case.verdict, case.reasons) == (Verdict.INAPPLICABLE, ("not to be run: it hangs",))
    assert case.record == ()


async def test_what_is_declared_to_fail_and_does_not(bench: Callable[..., Any]) -> None:
    async with bench("aclara") as device:
        declare(device, expected=(ExpectedFailure(id=ID, reason="ticket 9"),))
        case = (await device.verdicts(ID))[ID]
    assert (case.standing, case.expected) == (Standing.UNEXPECTED_PASS, "ticket 9")


async def test_a_case_that_hangs_ends(
    bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_SECONDS", -5.0)  # with its patience: at once
    async with bench("aclara") as device:
        case = (await device.verdicts(ID))[ID]
    assert (case.verdict, case.reasons) == (Verdict.ERROR, ("the case does not come to an end",))


def starting(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def bring(trial: Any) -> None:
        raise error

    monkeypatch.setattr(starts, "bring", bring)


async def test_a_defect_of_the_tester_ends_no_run(
    bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    starting(monkeypatch, KeyError("oops"))
    async with bench("aclara") as device:
        case = (await device.verdicts(ID))[ID]
    assert case.verdict is Verdict.ERROR
    assert case.reasons[0].startswith("KeyError: 'oops' (running/test_runner.py:")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError("refused"), "no connection: refused"),
        (TimeoutError(), "no connection: TimeoutError"),
        (CodecError("odd frame"), f"no way to {CHECK.start}: odd frame"),
    ],
)
async def test_a_state_that_cannot_be_had(
    error: Exception, reason: str, bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    starting(monkeypatch, error)
    async with bench("aclara") as device:
        case = (await device.verdicts(ID))[ID]
    assert (case.verdict, case.reasons) == (Verdict.INCONCLUSIVE, (reason,))


async def test_a_device_that_is_gone_has_failed(
    bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench("aclara") as device:

        async def bring(trial: Any) -> None:
            device.meter.mains.cut()
            raise ConnectionRefusedError("refused")

        monkeypatch.setattr(starts, "bring", bring)
        case = (await device.verdicts(ID))[ID]
    assert case.verdict is Verdict.FAILED
    assert case.reasons[0] == "no connection: refused"
    assert "not sane after" in case.reasons[-1]


async def test_a_device_that_goes_on_and_on_is_cut_off(
    bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "MOST_OCTETS", 64)
    async with bench("aclara") as device:
        case = (await device.verdicts(ID))[ID]
    assert any("cut off" in entry.text for entry in case.record)


async def test_an_association_that_cannot_be_opened_says_nothing_of_objects(
    bench: Callable[..., Any],
) -> None:
    async with bench("aclara", timing=Timing(answer=0.5)) as device:
        (public, *others) = device.runner.target.declaration.associations
        nobody = replace(public, name="nobody", client_sap=99)
        declare(device, associations=(public, nobody, *others))
        found = await device.verdicts("X_OBJ_OBIS", "COSEM_MANDATORY_3")
    assert found["X_OBJ_OBIS"].verdict is Verdict.INCONCLUSIVE
    assert "nobody: " in found["X_OBJ_OBIS"].reasons[0]
    assert found["COSEM_MANDATORY_3"].verdict is Verdict.PASSED  # others have the name


async def test_over_tls_the_record_has_records_of_tls(bench: Callable[..., Any]) -> None:
    async with bench("aclara", "tls") as device:
        case = (await device.verdicts(ID))[ID]
    assert case.verdict is Verdict.PASSED
    assert {octets[0] for octets in sent(case)} <= {20, 21, 22, 23}  # content types (RFC 5246)
    assert any(entry.octets[:1] == b"\x60" for entry in case.record if entry.level is Level.APDU)


async def test_the_record_tells_counters(bench: Callable[..., Any]) -> None:
    async with bench("aclara") as device:
        case = (await device.verdicts(ID))[ID]
    counters = [
        entry.counter
        for entry in case.record
        if entry.direction is Direction.SENT and entry.counter is not None
    ]
    assert counters == sorted(set(counters))
    assert len(counters) > 2
