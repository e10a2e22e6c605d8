"""The exit status of a run."""

from __future__ import annotations

from enum import IntEnum

from emulator.conformance.reports.document import Document, is_failure
from emulator.conformance.running.result import Verdict

_JUDGED = {
    Verdict.PASSED.value,
    Verdict.NON_STRICT.value,
    Verdict.FAILED.value,
    Verdict.INFORMATIONAL.value,
}


class RunExit(IntEnum):
    GOOD = 0
    FAILED = 1
    """A case FAILED that was not expected to, passed although it was, or with ``strict`` is
    NON_STRICT."""
    USAGE = 2
    """There was no run: the command line, the declaration or a file is not right."""
    NOT_JUDGED = 3
    """A case ended in ERROR, or not a single one could be judged."""


def exit_code(document: Document) -> RunExit:
    """What to end with. A failure of the device is said even if the tester had errors besides: the
    device has failed, whatever else there is to find.
    """
    cases = document["cases"]
    if any(is_failure(one, strict=document["strict"]) for one in cases):
        return RunExit.FAILED
    verdicts = {one["verdict"] for one in cases}
    if Verdict.ERROR.value in verdicts or not verdicts & _JUDGED:
        return RunExit.NOT_JUDGED
    return RunExit.GOOD
