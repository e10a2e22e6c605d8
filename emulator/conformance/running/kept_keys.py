"""Keys that the device has after a run and had not before, in a file for whoever owns it.

A device may take no key that it has had. Then it keeps the new ones of a check, and nobody would
get in any more if they went with the run.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from emulator.conformance.declaration import key_file
from emulator.conformance.trying.target import Target

_HEAD = """Keys of a device as a conformance run has left them: it took its first ones no more.
They belong in the key file of its declaration, in the place of those of the same names."""


def keep(target: Target, beside: Path) -> Path | None:
    """Write those that have changed to a new file of mode 0600, ``beside`` with another ending;
    where it is, or ``None`` if none has changed. ``OSError`` if it cannot be written.
    """
    if not target.changed:
        return None
    keys = {name: target.keys(name) for name in sorted(target.changed)}
    for number in itertools.count(1):
        path = beside.with_suffix(f".new-keys-{number}.toml")
        try:
            key_file.save(path, keys, _HEAD)
        except FileExistsError:
            continue
        return path
    raise AssertionError("there is always another number")
