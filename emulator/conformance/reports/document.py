"""The JSON document of a run: its name, its version, and what is counted in it."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeAlias

from emulator.conformance.running.result import Standing, Verdict

Document: TypeAlias = dict[str, Any]
"""As ``json.load`` gives it. :func:`~emulator.conformance.reports.reading.checked` says whether it
is one.
"""

SCHEMA = "cosemlab conformance run"
VERSION = 1
"""One more whenever a reader of the version before would go wrong."""


def counted(cases: list[Document]) -> Document:
    """How many cases there are of each verdict and of each standing."""
    verdicts = Counter(one["verdict"] for one in cases)
    standings = Counter(one["standing"] for one in cases)
    return {
        "cases": len(cases),
        "verdicts": {one.value: verdicts[one.value] for one in Verdict},
        "standings": {one.value: standings[one.value] for one in Standing},
    }


def is_failure(case: Document, *, strict: bool) -> bool:
    """Whether a case counts against the device: by what it answered, beside what was expected."""
    if case["verdict"] == Verdict.ERROR.value:
        return False
    if case["verdict"] == Verdict.NON_STRICT.value and strict:
        return bool(case["standing"] != Standing.EXPECTED_FAILURE.value)
    standing: str = case["standing"]
    return standing in (Standing.BAD.value, Standing.UNEXPECTED_PASS.value)
