"""Who looks on while runs are drawn, and what ends one."""

from __future__ import annotations

from typing import Protocol

from emulator.fuzz.breach import Breach
from emulator.fuzz.trail import Done, Trail


class Watcher(Protocol):
    def began(self) -> None:
        """A run begins, on a fresh target."""
        ...

    def did(self, done: Done, state: str, event: str) -> None:
        """A step: ``state`` is the model's before it, ``event`` what has happened to it, both in
        words that are the same whenever they are the same.
        """
        ...

    def ended(self, trail: Trail) -> None:
        """A run has ended, well or not."""
        ...

    def knows(self, breach: Breach) -> bool:
        """Whether it has been found already: then the run just ends."""
        ...


class Unwatched:
    """Nobody looks on."""

    def began(self) -> None:
        pass

    def did(self, done: Done, state: str, event: str) -> None:
        pass

    def ended(self, trail: Trail) -> None:
        pass

    def knows(self, breach: Breach) -> bool:
        return False


class Broken(AssertionError):
    """A run has broken something."""

    def __init__(self, trail: Trail, breach: Breach) -> None:
        super().__init__(f"after {len(trail.steps)} steps: {breach}")
        self.trail = trail
        self.breach = breach
