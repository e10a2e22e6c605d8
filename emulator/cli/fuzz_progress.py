"""A search while it goes on: one moving line on a terminal, elsewhere a line every few seconds."""

from __future__ import annotations

from typing import TextIO

from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.hunting.hunted import Progress

EVERY = 5.0
"""Seconds between two lines where they stay."""

_UP_TO_HERE = "\r\x1b[K"
"""Back to the beginning of the line, and nothing on it."""


class ProgressLine:
    """Prints to ``out``, which is not where results go."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._moves = out.isatty()
        self._next = 0.0

    def __call__(self, progress: Progress) -> None:
        if self._moves:
            self._out.write(f"{_UP_TO_HERE}{told(progress)}")
            self._out.flush()
        elif progress.seconds >= self._next:
            self._next = progress.seconds + EVERY
            print(told(progress), file=self._out, flush=True)

    def found(self, finding: Finding) -> None:
        self.finish()
        print(
            f"{finding.breach.invariant}: {finding.breach.shape}; after {finding.steps} steps,"
            f" {finding.seconds:.1f} s; {finding.was} steps, shrunk to {len(finding.trail.steps)}",
            file=self._out,
            flush=True,
        )

    def finish(self) -> None:
        """The moving line goes."""
        if self._moves:
            self._out.write(_UP_TO_HERE)
            self._out.flush()


def told(progress: Progress) -> str:
    """How far it is, in one line."""
    parts = [
        f"{progress.seconds:.0f} s",
        f"{progress.steps} steps in {progress.runs} runs",
        f"{progress.steps_per_second:.0f} steps/s",
        f"{progress.states} states, {progress.transitions} transitions",
        f"{progress.findings} found",
    ]
    if progress.shrinking:
        parts[-1] += f" ({progress.shrinking} being shrunk)"
    if progress.left is not None:
        parts.append(f"{progress.left:.0f} s left")
    if progress.steps_left is not None:
        parts.append(f"{progress.steps_left} steps left")
    return ", ".join(parts)
