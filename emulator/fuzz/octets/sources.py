"""Where seeds come from: the vectors of the standards and of captures, as they are in fixtures, and
what the scapy layers build.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

FIXTURES = Path(__file__).parents[3] / "fixtures"
"""Those of the repository; an installed package has none, and seeds of its own encoders alone."""


def vectors(*names: str, begin: bytes | None = None, key: str = "hex") -> Iterator[bytes]:
    """The octets of all vectors in files of ``fixtures/vectors``, those that begin so."""
    for name in names:
        path = FIXTURES / "vectors" / f"{name}.json"
        if not path.is_file():
            continue
        for row in json.loads(path.read_text("utf-8")):
            if key not in row:
                continue
            octets = bytes.fromhex(row[key])
            if begin is None or octets[:1] in [begin[at : at + 1] for at in range(len(begin))]:
                yield octets


def built(*beginnings: str) -> Iterator[bytes]:
    """What :mod:`emulator.scapy_layers.seeds` builds, by what its names begin with; nothing where
    scapy is not installed.
    """
    if importlib.util.find_spec("scapy") is None:
        return
    from emulator.scapy_layers.seeds import seeds

    for name, octets in seeds():
        if name.startswith(beginnings):
            yield octets


def files(folder: Path, pattern: str, most: int) -> Iterator[bytes]:
    """Files of a folder that are no longer than ``most`` octets."""
    for path in sorted(folder.glob(pattern)) if folder.is_dir() else ():
        octets = path.read_bytes()
        if len(octets) <= most:
            yield octets
