"""All harnesses, by name. A family is imported when one of its own is asked for: whoever fuzzes
``axdr`` has no meter instrumented.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from emulator.fuzz.octets.harness import Harness

FAMILIES = ("acse", "axdr", "xdlms", "security", "hdlc", "wrapper", "optical", "papers", "tokens",
            "files", "messages", "decoding",
            "machine")  # fmt: skip


class NoHarness(ValueError):
    """There is none of that name."""


def family(name: str) -> tuple[Harness, ...]:
    """The harnesses of a family."""
    module = importlib.import_module(f"emulator.fuzz.octets.harnesses.{name}")
    found: tuple[Harness, ...] = module.HARNESSES
    return found


def of_file(path: Path) -> tuple[Harness, ...]:
    """The harnesses of a file of somebody's own: Python, with ``HARNESSES`` as ours have. It is
    imported by its name, as the fuzzer can instrument it.
    """
    if not path.is_file() or not path.stem.isidentifier():
        raise NoHarness(f"{path}: no Python file")
    sys.path.insert(0, str(path.resolve().parent))
    try:
        module = importlib.import_module(path.stem)
    finally:
        sys.path.pop(0)
    try:
        found: tuple[Harness, ...] = module.HARNESSES
    except AttributeError:
        raise NoHarness(f"{path}: it has no HARNESSES") from None
    return found


def get(name: str, file: Path | None = None) -> Harness:
    """The harness of that name, of ours or of ``file``. :class:`NoHarness` if there is none."""
    beginning = name.partition(".")[0]
    if file is None and beginning not in FAMILIES:
        raise NoHarness(f"no harness {name!r}; families are {', '.join(FAMILIES)}")
    for one in family(beginning) if file is None else of_file(file):
        if one.name == name:
            return one
    raise NoHarness(f"no harness {name!r}; 'cosemlab fuzz octets --list' says which there are")


def _meet(one: str, name: str) -> bool:
    return name.startswith(f"{one}.") or one.startswith(name)


def chosen(names: Sequence[str], file: Path | None = None) -> tuple[Harness, ...]:
    """Those that are named, by whole names or by what they begin with; all if none are."""
    if file is not None:
        there = of_file(file)
    else:
        families = [one for one in FAMILIES if not names or any(map(partial(_meet, one), names))]
        there = tuple(harness for one in families for harness in family(one))
    for name in names:
        if not any(one.name.startswith(name) for one in there):
            raise NoHarness(f"no harness's name begins with {name!r}")
    return tuple(one for one in there if not names or one.name.startswith(tuple(names)))
