"""Scenarios as JSON: what :mod:`emulator.fuzz.scenario.reading` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emulator.fuzz.actions import Action
from emulator.fuzz.scenario.found import Found
from emulator.fuzz.scenario.reading import DEEDS, FORMAT, VERSION
from emulator.fuzz.scenario.writing_fields import table
from emulator.fuzz.setting import Setting
from emulator.fuzz.twist import STRAIGHT

_NAMES = {kind: name for name, kind in DEEDS.items()}
_TWIST = frozenset({"twist"})


def step(action: Action) -> dict[str, Any]:
    """One step: what is done, and how it is twisted."""
    found = {"do": _NAMES[type(action)], **table(action, leave=_TWIST)}
    twist = getattr(action, "twist", STRAIGHT)
    return {name: _literal(one) for name, one in {**found, **table(twist)}.items()}


def _literal(written: Any) -> Any:
    """A text that begins with ``$`` would stand for something else."""
    match written:
        case str() if written.startswith("$"):
            return f"${written}"
        case dict():
            return {name: _literal(one) for name, one in written.items()}
        case list():
            return [_literal(one) for one in written]
    return written


def setting(of: Setting) -> dict[str, Any]:
    """The fields of a scenario that say what it begins with; none that is as always."""
    return table(of)


def scenario(
    name: str, title: str, of: Setting, actions: Iterable[Action], found: Found | None = None
) -> dict[str, Any]:
    """A scenario that expects nothing of its steps but that all invariants hold."""
    whole: dict[str, Any] = {"name": name, "title": title, **setting(of)}
    whole["steps"] = [step(one) for one in actions]
    if found is not None:
        whole["found"] = table(found)
    return whole


def document(scenarios: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "scenarios": list(scenarios)}


def write(path: Path, scenarios: Iterable[dict[str, Any]]) -> None:
    """A file of them, whole or not at all."""
    write_json(path, document(scenarios))


def write_json(path: Path, written: object) -> None:
    text = f"{json.dumps(written, indent=1)}\n"
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="ascii")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
