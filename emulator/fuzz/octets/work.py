"""What an input costs, in operations: lines of Python that are run, which no machine makes faster.

The fuzzer itself looks at the time (:data:`TIMEOUT`); tests look at this, which is the same in
every run.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from emulator.fuzz.octets.harness import Harness

TIMEOUT = 10
"""Seconds that the fuzzer gives one input, with all that it notes meanwhile."""

BASE = 20_000
"""Operations that any input may cost, however short: what is set up for it."""


class TooMuch(Exception):
    """More operations than an input of that length may cost."""


def allowed(harness: Harness, octets: bytes) -> int:
    """The most operations that the harness may cost for ``octets``."""
    return BASE + harness.work * len(octets)


def operations(harness: Harness, octets: bytes) -> int:
    """What playing ``octets`` costs. :class:`TooMuch` if that is not allowed; anything that leaves
    the harness passes.
    """
    most, count = allowed(harness, octets), 0

    def line(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += 1
        if count > most:
            raise TooMuch(f"{harness.name}: more than {most} for {len(octets)} octets")
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        harness.play(octets)
    finally:
        sys.settrace(before)
    return count
