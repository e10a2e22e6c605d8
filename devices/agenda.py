"""Scripts that a request or the time has called for, until they are run (Blue Book 4.5.2)."""

from __future__ import annotations

from typing import NamedTuple

END_OF_BILLING = bytes((0, 0, 10, 0, 1, 255))
TARIFFS = bytes((0, 0, 10, 0, 100, 255))
IMAGE_ACTIVATION = bytes((0, 0, 10, 0, 107, 255))
"""Script tables by their logical names (Blue Book 7)."""

MAX_WAITING = 32
"""Scripts of one request or moment; a script may call for others."""


class Script(NamedTuple):
    """The script with this identifier of the Script table of this logical name."""

    table: bytes
    identifier: int


class Agenda:
    """In order. What is called for when there is no room any more is not run: a script that calls
    for itself comes to an end.
    """

    __slots__ = ("_room", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Script] = []
        self._room = MAX_WAITING

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def call_for(self, table: bytes, identifier: int) -> bool:
        """False if there is no room."""
        if not self._room:
            return False
        self._room -= 1
        self._waiting.append(Script(table, identifier))
        return True

    def next(self) -> Script | None:
        """The next one to run; with none left there is room again."""
        if self._waiting:
            return self._waiting.pop(0)
        self._room = MAX_WAITING
        return None
