"""A run while it goes on: a tree of groups, with a line for each case when it has ended."""

from __future__ import annotations

from typing import TextIO

from emulator.conformance import Catalogue
from emulator.conformance.reports.printable import printable
from emulator.conformance.reports.terminal import Painter
from emulator.conformance.running.result import CaseResult, Standing

_UP_TO_HERE = "\r\x1b[K"
"""Back to the beginning of the line, and nothing on it."""


class Progress:
    """Prints to ``out``; on a terminal with one more line beneath that says what is being done.

    Reasons are of the runner, but may repeat what a device has sent: they are made harmless here.
    They are not searched for secrets, as those of a whole run are.
    """

    def __init__(self, out: TextIO, total: int, catalogue: Catalogue) -> None:
        self._out = out
        self._total = total
        self._catalogue = catalogue
        self._painter = Painter.of(out)
        self._moves = out.isatty()
        self._done = 0
        self._group = ""

    def began(self, id: str) -> None:
        """A case begins."""
        if self._moves:
            self._out.write(f"{_UP_TO_HERE}[{self._done + 1} of {self._total}] {printable(id)}")
            self._out.flush()

    def ended(self, case: CaseResult) -> None:
        """A case has ended."""
        self._done += 1
        check = self._catalogue.checks[case.id]
        if self._moves:
            self._out.write(_UP_TO_HERE)
        if check.group != self._group:
            self._group = check.group
            print(
                f"{check.group}: {self._catalogue.words.groups[check.group].title}", file=self._out
            )
        verdict = self._painter.verdict(case.verdict.value, f"{case.verdict.value:13}")
        parts = [f"  {verdict} {case.id} ({case.seconds:.1f} s)"]
        if case.standing in (Standing.EXPECTED_FAILURE, Standing.UNEXPECTED_PASS):
            parts.append(f"[{case.standing.value}]")
        if case.reasons:
            parts.append(printable(case.reasons[0]))
        print(" ".join(parts), file=self._out, flush=True)

    def finish(self) -> None:
        """Nothing more comes: the moving line goes."""
        if self._moves:
            self._out.write(_UP_TO_HERE)
            self._out.flush()
