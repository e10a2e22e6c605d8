"""Octets as a file, for what reads files alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@cache
def _file(process: int) -> Path:
    """One for the process, which nobody else can read, as key files must be."""
    descriptor, name = tempfile.mkstemp(prefix="cosemlab-octets-")
    os.close(descriptor)
    return Path(name)


def in_file(octets: bytes, read: Callable[[Path], T]) -> T:
    """What ``read`` makes of a file with these octets, which is gone afterwards."""
    path = _file(os.getpid())
    path.write_bytes(octets)
    path.chmod(0o600)
    try:
        return read(path)
    finally:
        path.unlink()
