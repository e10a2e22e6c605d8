"""The exit status of a run."""

from __future__ import annotations

from types import ModuleType

import pytest

from emulator.conformance import built_in
from emulator.conformance.reports import exit_code, to_json
from emulator.conformance.running.result import Standing, Verdict

V, S = Verdict, Standing
PASSED = (V.PASSED, S.GOOD)
FAILED = (V.FAILED, S.BAD)
ERROR = (V.ERROR, S.BAD)
EXPECTED = (V.FAILED, S.EXPECTED_FAILURE)
LOOSE = (V.NON_STRICT, S.GOOD)


@pytest.mark.parametrize(
    ("cases", "strict", "status"),
    [
        ([PASSED], False, 0),
        ([PASSED, EXPECTED], False, 0),
        ([EXPECTED], False, 0),
        ([PASSED, LOOSE], False, 0),
        ([LOOSE], True, 1),
        ([(V.NON_STRICT, S.BAD)], True, 1),
        ([(V.NON_STRICT, S.EXPECTED_FAILURE)], True, 0),
        ([PASSED, FAILED], False, 1),
        ([(V.PASSED, S.UNEXPECTED_PASS)], False, 1),
        ([FAILED, ERROR], False, 1),
        ([PASSED, ERROR], False, 3),
        ([(V.ERROR, S.EXPECTED_FAILURE), PASSED], False, 3),
        ([], False, 3),
        ([(V.INAPPLICABLE, S.GOOD), (V.INCONCLUSIVE, S.GOOD)], False, 3),
        ([(V.INCONCLUSIVE, S.GOOD), PASSED], False, 0),
        ([(V.INFORMATIONAL, S.GOOD)], False, 0),
    ],
)
def test_exit_code(
    cases: list[tuple[Verdict, Standing]], strict: bool, status: int, fabricated: ModuleType
) -> None:
    made = tuple(
        fabricated.case(check.id, verdict, standing)
        for check, (verdict, standing) in zip(built_in(), cases, strict=False)
    )
    document = to_json(fabricated.run_of(made, strict=strict), built_in())
    assert exit_code(document) == status
