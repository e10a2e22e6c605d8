"""The narrow way to whatever runs conformance checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from emulator.conformance import Check
    from emulator.conformance.running.result import CaseResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command line. ``target`` is a URL or the file of a declaration; the
    ``patterns``, of which there may be none, choose checks; ``strict`` is whether NON_STRICT counts
    as a failure.
    """

    target: str
    patterns: tuple[str, ...]
    strict: bool


class Suite(Protocol):
    """The checks of one run, on one device."""

    def checks(self) -> Sequence[Check]:
        """Those that were chosen, in the order in which they run."""
        ...

    def run(self, check: Check) -> CaseResult:
        """Run one check, and return when it is over. Whatever it raises is an error of the tester,
        not a verdict.
        """
        ...

    def close(self) -> None:
        """The run is over. Called once, also when no check was run."""
        ...
