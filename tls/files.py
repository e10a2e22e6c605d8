"""Files and directories that only their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_directory(path: Path) -> Path:
    """Create ``path`` with mode 0700; if it exists, insist that others have no access to it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(path)
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a new file with mode 0600. A file that exists is never replaced: it may be a key."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)


def read_private(path: Path) -> bytes:
    """Read a file, refusing one that others can read or write."""
    check_private(path)
    return path.read_bytes()


def touch_private(path: Path) -> None:
    """Make sure that ``path`` is a file to append to, with mode 0600."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    check_private(path)


def check_private(path: Path) -> None:
    """Raise ``PermissionError`` if group or others have any access to ``path``."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        raise PermissionError(f"{path} has mode {mode:04o}: others must have no access")
