"""A search as a file beside its findings: how long, how far, what it covered."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.fuzz.findings.extent import Extent
from emulator.fuzz.scenario import fields
from emulator.fuzz.scenario.place import ScenarioError, Where
from emulator.fuzz.scenario.writing import write_json

FORMAT = "cosemlab-fuzz-run"
VERSION = 1
_HEAD = frozenset({"format", "version"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Extent):
    """``plants`` are the defects that the meter had, in words. ``covered`` are the transitions that
    were gone: a state of the model, and what happened to it. ``findings`` are names of scenarios.
    ``cosemlab`` is the version.
    """

    target: str
    profile: str
    seed: int
    processes: int
    steps: int
    runs: int
    seconds: float
    cosemlab: str
    plants: tuple[str, ...] = ()
    seconds_to_first: float | None = None
    was_interrupted: bool = False
    findings: tuple[str, ...] = ()
    covered: tuple[tuple[str, ...], ...] = ()


def written(summary: Summary) -> dict[str, Any]:
    """As JSON has it."""
    fields = {name: one for name, one in dataclasses.asdict(summary).items() if one is not None}
    return {"format": FORMAT, "version": VERSION, **fields}


def write(path: Path, summary: Summary) -> None:
    write_json(path, written(summary))


def is_summary(document: object) -> bool:
    """Whether a document says that it is one."""
    return isinstance(document, dict) and document.get("format") == FORMAT


def parse(document: object, name: str) -> Summary:
    """:class:`~emulator.fuzz.scenario.place.ScenarioError` if it is not right."""
    where = Where(name, document)
    if where.table().get("version", Where(name, None)).written != VERSION:
        raise ScenarioError(f"{name}.version: {VERSION} is needed")
    return fields.record(Summary, where, leave=_HEAD)
