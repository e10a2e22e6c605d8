"""What libFuzzer says while it runs, and what is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

CRASH = "COSEMLAB CRASH "
"""Begins a line of the engine that names the file of a crash."""

_STATUS = re.compile(
    r"#(?P<runs>\d+)\s+\w+\s+cov: (?P<edges>\d+) ft: \d+ corp: (?P<corpus>\d+)/"
    r".*exec/s: (?P<rate>\d+)"
)
_DONE = re.compile(r"stat::(?P<what>number_of_executed_units|average_exec_per_sec):\s+(?P<n>\d+)")
_HARD = re.compile(r"Test unit written to (?P<file>\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Of one harness: ``runs`` so far, ``rate`` of them in a second, ``edges`` of code that were
    reached, ``corpus`` inputs that reached something new. ``crashes`` are files of crashes,
    ``hard`` inputs that ended the process.
    """

    harness: str
    runs: int = 0
    rate: int = 0
    edges: int = 0
    corpus: int = 0
    crashes: tuple[Path, ...] = ()
    hard: tuple[Path, ...] = ()

    def after(self, line: str) -> Progress:
        """What it is after a line; the same if the line says nothing."""
        if line.startswith(CRASH):
            return replace(self, crashes=(*self.crashes, Path(line.removeprefix(CRASH).strip())))
        if (found := _HARD.search(line)) is not None:
            return replace(self, hard=(*self.hard, Path(found["file"])))
        if (found := _STATUS.search(line)) is not None:
            runs, edges, corpus, rate = (
                int(found[name]) for name in ("runs", "edges", "corpus", "rate")
            )
            return replace(
                self, runs=runs, edges=max(edges, self.edges), corpus=corpus, rate=rate or self.rate
            )
        if (found := _DONE.search(line)) is not None:
            name = "runs" if found["what"] == "number_of_executed_units" else "rate"
            return (
                replace(self, runs=int(found["n"]))
                if name == "runs"
                else replace(self, rate=int(found["n"]))
            )
        return self

    def __str__(self) -> str:
        found = len(self.crashes) + len(self.hard)
        return (
            f"{self.harness}: {self.runs} runs, {self.rate}/s, {self.edges} edges,"
            f" {self.corpus} in corpus, {found} crashes"
        )
