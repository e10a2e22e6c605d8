"""Counters that outlive a command: reserved in a file before they are used.

A value must never be used twice with the same key, whatever happens to the process. So a block is
written down as used before the first of it is; what is left of it when the process ends is lost.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from dlms.errors import LocalProtocolError
from dlms.security.counters import MAXIMUM, InvocationCounters
from dlms.security.keys import KeyLifetime, KeyRef
from emulator.head_end.token_counters import TokenCounters

BLOCK = 64
"""Counters reserved at once: one write per this many messages."""


class CounterFile:
    """Highest value reserved so far, by name. Safe between processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def reserve(self, name: str, at_least: int, count: int) -> int:
        """Reserve ``count`` values, none below ``at_least``; return the first."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        with open(descriptor, "r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            text = file.read()
            reserved: dict[str, int] = json.loads(text) if text else {}
            first = max(reserved.get(name, 0), at_least)
            reserved[name] = first + count
            file.seek(0)
            file.truncate()
            file.write(json.dumps(reserved, indent=1))
            file.flush()
            os.fsync(file.fileno())
        return first


class FiledCounters(InvocationCounters):
    """Invocation counters whose send values are reserved in a file.

    Keys that live for one association are not worth it: their counters end with them.
    """

    __slots__ = ("_file", "_reserved")

    def __init__(self, file: CounterFile) -> None:
        super().__init__()
        self._file = file
        self._reserved: dict[KeyRef, int] = {}

    def burn(self, ek: KeyRef) -> int:
        if ek.lifetime is KeyLifetime.LONG_LIVED:
            wanted = self.next_to_send(ek)
            if wanted >= MAXIMUM:
                raise LocalProtocolError(f"invocation counter of {ek} is used up")
            if wanted >= self._reserved.get(ek, 0):
                first = self._file.reserve(str(ek), wanted, BLOCK)
                self._reserved[ek] = first + BLOCK
                self.raise_to(ek, first)
        return super().burn(ek)


class FiledTokenCounters(TokenCounters):
    """Token counters reserved in a file, one by one."""

    def __init__(self, file: CounterFile) -> None:
        super().__init__()
        self._file = file

    def burn(self, title: bytes) -> int:
        self._next[title] = self._file.reserve(f"{title.hex().upper()}/token", 0, 1)
        return super().burn(title)
