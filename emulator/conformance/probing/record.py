"""The record of a case: everything that went over the line, and what the tester made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Direction(Enum):
    SENT = "->"
    RECEIVED = "<-"
    NOTE = "--"
    """Nothing went: the tester says what it does, or what it saw."""

    __hash__ = object.__hash__


class Level(Enum):
    """How far up octets are."""

    OCTETS = "octets"
    """As they are on the line, in TLS beneath it if there is TLS."""
    APDU = "apdu"
    """An APDU as it is in its frame, protected or not."""
    PLAIN = "plain"
    """The APDU beneath its protection."""
    NOTE = "note"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``at`` is in seconds since the case began, ``line`` the number of its connection, ``pair``
    are client and server SAP of an APDU. ``key`` names the family of the encryption key (never its
    octets) and ``counter`` the invocation counter of a protected one.
    """

    at: float
    direction: Direction
    level: Level
    octets: bytes = b""
    text: str = ""
    line: int = 0
    pair: tuple[int, int] | None = None
    key: str = ""
    counter: int | None = None


class Recorder:
    """Keeps the entries of one case; ``now`` is in seconds of any steady clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = now()
        self.entries: list[Entry] = []

    def add(
        self,
        direction: Direction,
        level: Level,
        octets: bytes = b"",
        text: str = "",
        *,
        line: int = 0,
        pair: tuple[int, int] | None = None,
        key: str = "",
        counter: int | None = None,
    ) -> int:
        """The number of the new entry."""
        self.entries.append(
            Entry(
                at=self._now() - self._began, direction=direction, level=level, octets=octets,
                text=text, line=line, pair=pair, key=key, counter=counter,
            )
        )  # fmt: skip
        return len(self.entries) - 1

    def note(self, text: str) -> int:
        return self.add(Direction.NOTE, Level.NOTE, text=text)
