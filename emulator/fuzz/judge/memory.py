"""Memory: what a meter keeps grows with what it is given to keep, and with nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz.breach import Breach
from emulator.fuzz.judge.case import Case, breach

_OF_ROTATIONS = {"counters": 1, "counters kept": 4, "keys": 2}
"""How many more there may be for each key that was replaced, by what."""
_OF_CONNECTIONS = 4
"""And for each connection that is open: it may have a dedicated key."""
_ROOM = {"counters": 8, "counters kept": 96, "keys": 160}
"""Besides what there was in the beginning: of keys that are derived when they are first used, of
associations that are open."""


def bounded(case: Case) -> Iterator[Breach]:
    """KL-HL-14, KL-PR-04: refused or repeated messages leave nothing behind."""
    sizes, first = case.after.sizes, case.history.first_sizes
    if not sizes or sizes == case.before.sizes:
        return
    rotations = sum(case.after.versions.values())
    for name, room in _ROOM.items():
        most = first.get(name, 0) + room + rotations * _OF_ROTATIONS.get(name, 0)
        most += sizes.get("connections", 0) * _OF_CONNECTIONS
        if sizes.get(name, 0) > most >= case.before.sizes.get(name, 0):
            yield breach("I6", f"what the meter keeps grows without bound: {name}", f"{most}")
