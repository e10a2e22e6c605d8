"""From the steps of a case to its verdict, and to what that means for this device."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.conformance.catalogue.check import Check, Severity
from emulator.conformance.running.result import Standing, StepResult, Verdict

_WORST_FIRST = (
    Verdict.ERROR,
    Verdict.FAILED,
    Verdict.INCONCLUSIVE,
    Verdict.NON_STRICT,
    Verdict.INFORMATIONAL,
    Verdict.PASSED,
)

_BAD = (Verdict.FAILED, Verdict.ERROR)


def verdict_of(check: Check, steps: Sequence[StepResult]) -> Verdict:
    """The worst of the steps. Where a later step is INAPPLICABLE, those before it count; a check
    that is informational is never more than that.
    """
    verdicts = [step.verdict for step in steps if step.verdict is not Verdict.INAPPLICABLE]
    if not verdicts:
        return Verdict.INAPPLICABLE
    worst = min(verdicts, key=_WORST_FIRST.index)
    informational = check.severity is Severity.INFORMATIONAL
    return Verdict.INFORMATIONAL if informational and worst is Verdict.PASSED else worst


def standing_of(verdict: Verdict, expected: str, *, strict: bool) -> Standing:
    """``expected`` is the reason for which the check was declared to fail, if it was."""
    bad = verdict in _BAD or (strict and verdict is Verdict.NON_STRICT)
    if expected and verdict is Verdict.FAILED:
        return Standing.EXPECTED_FAILURE
    if expected and verdict in (Verdict.PASSED, Verdict.NON_STRICT):
        return Standing.UNEXPECTED_PASS
    return Standing.BAD if bad else Standing.GOOD


def reasons_of(steps: Sequence[StepResult]) -> tuple[str, ...]:
    """Why it is not plainly PASSED, a line for each step that is not."""
    reasons = []
    for step in steps:
        if step.verdict is Verdict.FAILED:
            expected = ", or ".join(dict.fromkeys(one.expected for one in step.differences))
            actual = step.differences[-1].actual if step.differences else step.seen
            reasons.append(f"{step.step}: expected {expected}; came: {actual}")
        elif step.verdict is not Verdict.PASSED:
            because = f" because {step.reason}" if step.verdict is Verdict.NON_STRICT else ""
            said = because or f": {step.reason}"
            reasons.append(f"{step.step}: {step.answer}{said}" if step.answer else step.reason)
    return tuple(reasons)
