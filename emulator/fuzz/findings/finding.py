"""What a search has found."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from emulator.fuzz.actions import Action
from emulator.fuzz.breach import Breach
from emulator.fuzz.trail import Trail


class Key(NamedTuple):
    """What tells findings apart: two with the same are one.

    It is the invariant and the shape alone. The kinds of actions of the shrunk trail are not in
    it: the same defect shrinks to other trails from other beginnings (a lost answer here, a power
    cut there), and would be filed once for each. What a judge can tell apart it says in the shape.
    """

    invariant: str
    shape: str

    @classmethod
    def of(cls, breach: Breach) -> Key:
        return cls(breach.invariant, breach.shape)

    @property
    def name(self) -> str:
        """Of the scenario and its file, the same in every run: ``FOUND-I2-5e884898``."""
        digest = hashlib.sha256(f"{self.invariant}\0{self.shape}".encode()).hexdigest()[:8]
        return f"FOUND-{_NO_NAME.sub('-', self.invariant)}-{digest}"


_NO_NAME = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``trail`` ends where ``breach`` shows. ``steps`` and ``seconds`` are what the search had done
    before it broke for the first time, on all its processes, before anything was shrunk; ``was`` is
    how many steps it had then. ``seed`` is the search's, ``process`` which of its processes it was,
    from 0.
    """

    breach: Breach
    trail: Trail
    seed: int = 0
    process: int = 0
    steps: int = 0
    seconds: float = 0.0
    was: int = 0
    target: str = "in process"

    @property
    def key(self) -> Key:
        return Key.of(self.breach)

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(done.action for done in self.trail.steps)

    @property
    def step(self) -> int:
        """The step that breaks it, from 1; 0: it shows in the end."""
        for number, done in enumerate(self.trail.steps, 1):
            if any(Key.of(one) == self.key for one in done.breaches):
                return number
        return 0

    def shrunk(self, trail: Trail, breach: Breach) -> Finding:
        """The same with a shorter trail."""
        return replace(self, trail=trail, breach=breach)


def broken(trail: Trail, key: Key) -> Breach | None:
    """The breach of ``trail`` with that key, if it has one."""
    return next((one for one in trail.all_breaches if Key.of(one) == key), None)
