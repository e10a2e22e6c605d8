"""What must never be, and was."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """``invariant`` is its name (``I2``, ``R-HLS-4``). ``words`` say what was seen, with its
    numbers; ``shape`` says it without what differs from run to run, so that two breaches of one
    defect have the same.
    """

    invariant: str
    words: str
    shape: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.words}"
