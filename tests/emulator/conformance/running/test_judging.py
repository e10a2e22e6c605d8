"""From steps to verdicts, and to what they mean."""

from __future__ import annotations

import pytest

from emulator.conformance import built_in
from emulator.conformance.running.judging import reasons_of, standing_of, verdict_of
from emulator.conformance.running.result import Difference, Standing, StepResult, Verdict

V, S = Verdict, Standing
CHECK = built_in().checks["APPL_OPEN_12"]
REPORT = built_in().checks["COSEM_REPORT"]


def step(verdict: Verdict, **more: object) -> StepResult:
    given: dict[str, object] = {
        "step": "five", "subtest": "", "sends": "an AARQ", "verdict": verdict, "answer": "",
        "seen": "silence", "differences": (), "entries": (0, 0), **more,
    }  # fmt: skip
    return StepResult(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((V.PASSED, V.PASSED), V.PASSED),
        ((V.PASSED, V.NON_STRICT), V.NON_STRICT),
        ((V.PASSED, V.FAILED), V.FAILED),
        ((V.NON_STRICT, V.INCONCLUSIVE), V.INCONCLUSIVE),
        ((V.INAPPLICABLE,), V.INAPPLICABLE),
        ((V.PASSED, V.INAPPLICABLE), V.PASSED),
        ((), V.INAPPLICABLE),
    ],
)
def test_the_worst_of_the_steps(verdicts: tuple[Verdict, ...], expected: Verdict) -> None:
    assert verdict_of(CHECK, [step(one) for one in verdicts]) is expected


def test_what_is_informational_passes_nothing() -> None:
    assert verdict_of(REPORT, [step(V.PASSED)]) is V.INFORMATIONAL
    assert verdict_of(REPORT, [step(V.FAILED)]) is V.FAILED


@pytest.mark.parametrize(
    ("verdict", "expected", "strict", "standing"),
    [
        (V.PASSED, "", False, S.GOOD),
        (V.FAILED, "", False, S.BAD),
        (V.ERROR, "", False, S.BAD),
        (V.NON_STRICT, "", False, S.GOOD),
        (V.NON_STRICT, "", True, S.BAD),
        (V.INCONCLUSIVE, "", True, S.GOOD),
        (V.FAILED, "ticket 9", False, S.EXPECTED_FAILURE),
        (V.PASSED, "ticket 9", False, S.UNEXPECTED_PASS),
        (V.NON_STRICT, "ticket 9", False, S.UNEXPECTED_PASS),
        (V.ERROR, "ticket 9", False, S.BAD),
        (V.INCONCLUSIVE, "ticket 9", False, S.GOOD),
    ],
)
def test_what_a_verdict_means(
    verdict: Verdict, expected: str, strict: bool, standing: Standing
) -> None:
    assert standing_of(verdict, expected, strict=strict) is standing


def test_reasons_name_what_was_expected_and_what_came() -> None:
    differences = (
        Difference(answer="ua", expected="UA", actual="silence"),
        Difference(answer="dm", expected="DM", actual="silence"),
    )
    failed = step(V.FAILED, differences=differences)
    tolerated = step(V.NON_STRICT, answer="rejected", reason="practice differs")
    left = step(V.INCONCLUSIVE, reason="no keys")
    assert reasons_of([step(V.PASSED), failed, tolerated, left]) == (
        "five: expected UA, or DM; came: silence",
        "five: rejected because practice differs",
        "no keys",
    )
