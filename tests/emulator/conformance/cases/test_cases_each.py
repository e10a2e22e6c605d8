"""Steps that ask one association of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.conformance.cases.aarq_form import elements_of
from emulator.conformance.cases.each import kinds
from emulator.conformance.conversing.tree import Skipped
from emulator.conformance.running.result import CaseResult, Verdict

PLAIN_AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f04000000100400")


def names(case: CaseResult, step: str) -> list[str]:
    """Which associations a step has asked."""
    notes = next(one.notes for one in case.steps if one.step == step)
    (said,) = (note for note in notes if note.startswith("associations: "))
    return said.removeprefix("associations: ").split(", ")


async def test_each_kind_is_asked(bench: Callable[..., Any]) -> None:
    async with bench("laboratory") as device:
        case = (await device.verdicts("APPL_OPEN_4"))["APPL_OPEN_4"]
    asked = names(case, "with-version1")
    assert {"reader", "md5", "sha256", "ecdsa1", "suite2", "sn", "users"} <= set(asked)
    assert len(asked) == len(set(asked))


async def test_few_are_asked_where_the_rest_says_nothing_new(bench: Callable[..., Any]) -> None:
    async with bench("laboratory") as device:
        case = (await device.verdicts("X_CONFORMANCE_BITS"))["X_CONFORMANCE_BITS"]
    assert len(names(case, "bits")) == 4  # by logical and short names, plain and ciphered


async def test_no_short_names_no_step(bench: Callable[..., Any]) -> None:
    """What a device has not does not keep the other steps from being judged."""
    async with bench("aclara") as device:
        case = (await device.verdicts("APPL_IDLE_N1"))["APPL_IDLE_N1"]
    verdicts = {one.step: one.verdict for one in case.steps}
    assert verdicts == {
        "logical-names": Verdict.PASSED,
        "short-names": Verdict.INAPPLICABLE,
        "no-association": Verdict.PASSED,
    }
    assert case.verdict is Verdict.PASSED


async def test_the_association_that_fails_is_named(bench: Callable[..., Any]) -> None:
    async with bench("aclara") as device:
        with_key = device.runner.target.declaration.associations
        assert any(row.name == "reader" for row in with_key)
        fault = device.meter.faults.set(
            "configured", {"association": "reader", "changes": {"mechanism": "HLS_MD5"}}
        )
        case = (await device.verdicts("APPL_OPEN_1"))["APPL_OPEN_1"]
        assert fault is not None
    assert case.verdict is Verdict.FAILED
    assert "association reader" in case.steps[0].notes


def test_the_elements_of_an_aarq() -> None:
    assert [one.tag for one in elements_of(PLAIN_AARQ)] == [0xA1, 0xBE]
    whole = b"".join(one.encode() for one in elements_of(PLAIN_AARQ))
    assert whole == PLAIN_AARQ[2:]


def test_of_what_is_not_declared_there_are_no_kinds() -> None:
    class Nothing:
        class declaration:
            associations = ()

    with pytest.raises(Skipped, match="no association with ciphering is declared"):
        kinds(Nothing(), what="with ciphering")  # type: ignore[arg-type]
