"""A crash in the fewest octets: what can be left out, and what can be zero."""

from __future__ import annotations

from collections.abc import Callable

from emulator.fuzz.octets import crash
from emulator.fuzz.octets.crash import Crash
from emulator.fuzz.octets.harness import Harness

MAX_TRIES = 3000


def shrunk(harness: Harness, first: Crash) -> Crash:
    """The same crash of fewer octets, found in :data:`MAX_TRIES` tries at the most."""
    best = first
    tries = 0

    def takes(octets: bytes) -> bool:
        nonlocal best, tries
        tries += 1
        now = crash.found(harness, octets)
        if now is not None and now.mark == first.mark:
            best = now
            return True
        return False

    def may() -> bool:
        return tries < MAX_TRIES

    size = None
    while may() and size != len(best.octets):
        size = len(best.octets)
        _cut(lambda: best.octets, takes, may)
    for at in range(len(best.octets)):
        octets = best.octets
        if may() and octets[at]:
            takes(octets[:at] + b"\0" + octets[at + 1 :])
    return best


def _cut(
    octets: Callable[[], bytes], takes: Callable[[bytes], bool], may: Callable[[], bool]
) -> None:
    """Leave out halves, then quarters, down to single octets."""
    step = max(1, len(octets()) // 2)
    while True:
        at = 0
        while at < len(octets()) and may():
            whole = octets()
            if not takes(whole[:at] + whole[at + step :]):
                at += step
        if step == 1 or not may():
            return
        step //= 2
