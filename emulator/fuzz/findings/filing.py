"""Findings as files: each a scenario, which is played again as any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.fuzz.breach import Breach
from emulator.fuzz.findings.evidence import found
from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.judge.course import Make
from emulator.fuzz.scenario import writing

LONGEST = 120
"""Characters of a title."""


def written(finding: Finding, make: Make = in_process) -> dict[str, Any]:
    """The scenario of ``finding``, with its evidence."""
    return writing.scenario(
        finding.name,
        title_of(finding.breach),
        finding.trail.setting,
        finding.actions,
        found(finding, make),
    )


def title_of(breach: Breach) -> str:
    said = f"{breach.invariant}: {breach.shape}"
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}..."


def path_in(folder: Path, finding: Finding) -> Path:
    """By what it breaks: who finds the same again writes the same file."""
    return folder / f"{finding.name.lower()}.json"


def file(folder: Path, finding: Finding, make: Make = in_process) -> Path:
    """Write ``finding`` into ``folder``, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = path_in(folder, finding)
    writing.write(path, [written(finding, make)])
    return path
