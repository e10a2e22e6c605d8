"""Counters that outlive a command: reserved in a file before they are used.

A value must never be used twice with the same key, whatever happens to the process. So a block is
written down as used before the first of it is; what is left of it when the process ends is lost.

What was received must not be accepted twice either (R-IC-7): whoever keeps floors writes each down
before anything is done with its message. That is for commands, several of which may run at once and
which exchange a few messages each; for a meter there is :mod:`emulator.memory.kept_counters`.
"""

from __future__ import annotations

from pathlib import Path

from dlms.errors import LocalProtocolError
from dlms.security.counters import MAXIMUM, InvocationCounters
from dlms.security.keys import KeyLifetime, KeyRef
from emulator.head_end.token_counters import TokenCounters
from emulator.journal import StoreError
from emulator.shared_file import SharedFile

BLOCK = 64
"""Counters reserved at once: one write per this many messages."""


class CounterFile:
    """Highest value reserved so far, by name. Safe between processes, and whenever one ends: the
    file is replaced whole. None at all is one of which nothing has been reserved.
    """

    def __init__(self, path: Path) -> None:
        self._file = SharedFile(path)

    def reserve(self, name: str, at_least: int, count: int) -> int:
        """Reserve ``count`` values, none below ``at_least``; return the first.

        With a ``count`` of 0 that only raises the value: to ``at_least``, if it is lower.
        :class:`~emulator.journal.StoreError` if the file is damaged, and nothing is changed.
        """
        with self._file.changing() as reserved:
            if not all(type(value) is int for value in reserved.values()):
                raise StoreError(f"{self._file.path} is damaged: it has no counters by name")
            former = reserved.get(name, 0)
            first: int = max(former, at_least)
            if first + count > former:
                reserved[name] = first + count
        return first


class FiledCounters(InvocationCounters):
    """Invocation counters whose send values are reserved in a file, with ``floors`` those that are
    received, too: one write for each message.

    The two ends of an association must not share a file. Keys that live for one association are
    not worth it: their counters end with them.
    """

    __slots__ = ("_file", "_floors", "_reserved")

    def __init__(self, file: CounterFile, *, floors: bool = False) -> None:
        super().__init__()
        self._file = file
        self._floors = floors
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

    def floor(self, ek: KeyRef) -> int:
        self._recall(ek)
        return super().floor(ek)

    def check(self, ek: KeyRef, received: int, max_jump: int | None = None) -> None:
        self._recall(ek)
        super().check(ek, received, max_jump)

    def accept(self, ek: KeyRef, received: int) -> None:
        self.check(ek, received)
        if self._keeps_floor(ek):
            self._file.reserve(f"{ek}/floor", received + 1, 0)
        super().accept(ek, received)

    def _recall(self, ek: KeyRef) -> None:
        """Take up the floor that the file has, once."""
        if self._keeps_floor(ek) and ek not in self._floor:
            self._floor[ek] = self._file.reserve(f"{ek}/floor", 0, 0)

    def _keeps_floor(self, ek: KeyRef) -> bool:
        return self._floors and ek.lifetime is KeyLifetime.LONG_LIVED


class FiledTokenCounters(TokenCounters):
    """Token counters reserved in a file, one by one."""

    def __init__(self, file: CounterFile) -> None:
        super().__init__()
        self._file = file

    def burn(self, title: bytes) -> int:
        self._next[title] = self._file.reserve(f"{title.hex().upper()}/token", 0, 1)
        return super().burn(title)
