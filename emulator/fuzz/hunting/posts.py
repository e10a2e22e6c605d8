"""The two ways between a process of a search and the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

from emulator.fuzz.findings.finding import Finding, Key


class Counted(NamedTuple):
    """How much one process has done by now; ``fresh`` is what it has covered since it said so."""

    steps: int
    runs: int
    fresh: frozenset[tuple[str, str]]
    shrinking: int


class Broke(NamedTuple):
    """Something is broken for the first time, and is not shrunk yet."""

    finding: Finding


class FoundIt(NamedTuple):
    """The same, shrunk."""

    finding: Finding


class Failed(NamedTuple):
    """The target, or the fuzzer, has failed."""

    why: str


class Known(NamedTuple):
    """To a process: another has found that."""

    key: Key


class Stop(NamedTuple):
    """To a process: it is to end."""


Message = Counted | Broke | FoundIt | Failed
Hear = Callable[[int, Message], None]
"""Who hears what process of which number says."""


class Here:
    """Of a search in this process."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    def counted(
        self, steps: int, runs: int, covered: frozenset[tuple[str, str]], shrinking: int
    ) -> None:
        self._hear(0, Counted(steps, runs, covered, shrinking))

    def broke(self, finding: Finding) -> None:
        self._hear(0, Broke(finding))

    def found(self, finding: Finding) -> None:
        self._hear(0, FoundIt(finding))

    def known(self) -> frozenset[Key]:
        return frozenset()

    def is_stopped(self) -> bool:
        return False


class Piped:
    """Of a process of its own. Who has started it and is gone wants nothing more."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._known: set[Key] = set()
        self._is_stopped = False

    def counted(
        self, steps: int, runs: int, covered: frozenset[tuple[str, str]], shrinking: int
    ) -> None:
        self._say(Counted(steps, runs, covered, shrinking))

    def broke(self, finding: Finding) -> None:
        self._say(Broke(finding))

    def found(self, finding: Finding) -> None:
        self._say(FoundIt(finding))

    def failed(self, why: str) -> None:
        self._say(Failed(why))

    def known(self) -> frozenset[Key]:
        self._hear()
        return frozenset(self._known)

    def is_stopped(self) -> bool:
        self._hear()
        return self._is_stopped

    def _say(self, message: Message) -> None:
        try:
            self._pipe.send(message)
        except OSError:
            self._is_stopped = True

    def _hear(self) -> None:
        try:
            while not self._is_stopped and self._pipe.poll():
                match self._pipe.recv():
                    case Known(key=key):
                        self._known.add(key)
                    case Stop():
                        self._is_stopped = True
        except (EOFError, OSError):
            self._is_stopped = True
