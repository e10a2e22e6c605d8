"""Findings at a head end as files, of the format of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.fuzz.findings.encounters.evidence import found
from emulator.fuzz.findings.filing import title_of
from emulator.fuzz.findings.finding import Key
from emulator.fuzz.head_ends.driven import Driven
from emulator.fuzz.head_ends.searching import Caught
from emulator.fuzz.scenario import writing
from emulator.fuzz.scenario.writing_fields import table


def name_of(caught: Caught) -> str:
    """By what it breaks, the same in every run."""
    return Key.of(caught.breach).name


def written(caught: Caught, driven: Driven) -> dict[str, Any]:
    """The scenario: an encounter, whom with, and the evidence."""
    return {
        "name": name_of(caught),
        "title": title_of(caught.breach),
        "encounter": table(caught.encounter),
        "head_end": table(driven),
        "found": table(found(caught, driven)),
    }


def path_in(folder: Path, caught: Caught) -> Path:
    return folder / f"{name_of(caught).lower()}.json"


def file(folder: Path, caught: Caught, driven: Driven) -> Path:
    """Write ``caught`` into ``folder``, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = path_in(folder, caught)
    writing.write(path, [written(caught, driven)])
    return path
