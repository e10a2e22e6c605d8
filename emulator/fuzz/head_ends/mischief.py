"""What our meter does to a head end at one exchange, by name.

Most are vices of :mod:`emulator.conformance.hostile`, which a conformance run shows for a whole
task; here they are there for one exchange and gone at the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from emulator.conformance.hostile.rows import VICES


class Bound(Enum):
    """What a head end may make of it."""

    ENDS = "ends"
    """It must ask for nothing more in that association."""
    REFUSED = "refused"
    """It must not take that answer."""
    HARMLESS = "harmless"
    """It may go on; what it believes must be right all the same."""

    __hash__ = object.__hash__


OWN = {
    "lost-answer": "the request is carried out, and the answer is lost",
    "lost-request": "the request is lost",
    "power": "the request is lost, and the meter's power fails and comes back",
    "replayed": "an earlier answer comes again, from this association or one before",
    "lower-counter": "an answer that verifies has a counter below those before",
    "garbled": "some octet of the answer is another",
}
"""Those that are not of a vice, with what they are."""

_BOUND = {
    Bound.ENDS: (
        "equal-challenge", "wrong-pass-4", "no-pass-4", "no-title", "weaker-name",
        "plain-context-name", "superset",
    ),
    Bound.REFUSED: (
        "flipped-tag", "flipped-ciphertext", "other-invoke-id", "plain-response", "exception-lower",
        "exception-absurd", "replayed", "lower-counter", "garbled",
    ),
    Bound.HARMLESS: (
        "exception-higher", "same-twice", "fresh-twice", "notification-between", "lost-answer",
        "lost-request", "power",
    ),
}  # fmt: skip

KINDS: dict[str, Bound] = {name: bound for bound, names in _BOUND.items() for name in names}
"""All, by name."""

METERS = ("none", "other-title", "weaker-mechanism", "plain-context")
"""Of what kind the meter is through all: nobody may believe one of them but the first."""

TASKS = ("read", "rotate-keys", "top-up")
"""What a head end may be asked to do."""

HIGHEST = 16
"""Exchanges of a task: in an association that reads two values there are six."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mischief:
    """At exchange ``at`` of a task, from 1: the AARQ, pass 3, each request, and all of them again
    where the head end tries again.
    """

    at: int
    kind: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not 1 <= self.at <= HIGHEST:
            raise ValueError(f"no such mischief: {self.kind} at exchange {self.at}")

    def __str__(self) -> str:
        said = OWN.get(self.kind) or VICES[self.kind].help
        return f"at exchange {self.at}: {said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A task that the head end is given. ``power`` is whether the meter has been off before it."""

    task: str
    mischiefs: tuple[Mischief, ...] = ()
    power: bool = False

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"no such task: {self.task}")

    @property
    def head(self) -> str:
        """Without its mischiefs."""
        return f"{self.task}, after a loss of power" if self.power else self.task

    def __str__(self) -> str:
        return "; ".join((self.head, *map(str, self.mischiefs)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """Errands one after the other at one meter, whose keys and counters go on. ``seed`` draws what
    is left to chance, keys among it.
    """

    errands: tuple[Errand, ...]
    meter: str = "none"
    seed: str = "0"

    def __post_init__(self) -> None:
        if self.meter not in METERS:
            raise ValueError(f"no such meter: {self.meter}")

    @property
    def size(self) -> int:
        """Errands, and all that is not as it should be."""
        wrong = sum(len(one.mischiefs) + one.power for one in self.errands)
        return len(self.errands) + wrong + (self.meter != METERS[0])
