"""The fewest inputs that reach all that many do: shortest first, each that reaches something new.

What is reached are arcs, from line to line of our own code, as the interpreter tells them: so this
needs no atheris, and comes out the same in every run.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, TypeAlias

from emulator.fuzz.octets.corpus import MAX_ENTRY, Entry
from emulator.fuzz.octets.harness import Harness, Outcome

Arc: TypeAlias = tuple[str, int, int]
_HERE = str(Path(__file__).parent)


@cache
def _is_fuzzed(name: str) -> bool:
    """Whether a file is neither Python's own nor a package's, nor what only plays."""
    path = Path(name)
    is_other = path.is_relative_to(sys.base_prefix) or "site-packages" in path.parts
    return path.is_file() and not is_other and not path.is_relative_to(_HERE)


def reached(harness: Harness, octets: bytes) -> tuple[Outcome, frozenset[Arc]]:
    """What playing ``octets`` comes to, and the arcs that it takes. Anything that leaves the
    harness passes.
    """
    arcs: set[Arc] = set()
    collects = gc.isenabled()

    def called(frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_filename
        if not _is_fuzzed(name):
            return None
        last = frame.f_lineno

        def line(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal last
            arcs.add((name, last, frame.f_lineno))
            last = frame.f_lineno
            return line

        return line

    before = sys.gettrace()
    # What somebody else has left behind would end here, and its last lines be taken for ours.
    gc.disable()
    sys.settrace(called)
    try:
        outcome = harness.play(octets)
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return outcome, frozenset(arcs)


def merged(harness: Harness, found: Iterable[bytes], kept: Iterable[Entry] = ()) -> list[Entry]:
    """The entries that are worth keeping of ``found``; of ``kept``, those that were crashes once
    stay in any case.
    """
    before = list(kept)
    once = {one.octets: one.once for one in before if one.once}
    entries: list[Entry] = []
    seen: set[Arc] = set()
    for octets, what in once.items():
        outcome, arcs = reached(harness, octets)
        seen |= arcs
        entries.append(Entry(outcome, octets, what))
    several = {*(one.octets for one in before), *found} - once.keys()
    for octets in sorted(several, key=lambda one: (len(one), one)):
        if len(octets) > min(MAX_ENTRY, harness.most):
            continue
        try:
            outcome, arcs = reached(harness, octets)
        except Exception:  # a crash is no part of a corpus before it is mended
            continue
        if not arcs <= seen:
            seen |= arcs
            entries.append(Entry(outcome, octets))
    return entries
