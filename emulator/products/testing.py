"""Requests of testing (H14.36A): who asks, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum


class ParticipantKind(Enum):
    """A Testing Participant is a Party or a Manufacturer."""

    PARTY = "Party"
    MANUFACTURER = "Manufacturer"


class Progress(Enum):
    REQUESTED = "requested"
    """The DCC has not yet determined whether testing is required."""
    NOT_REQUIRED = "testing not required"
    DEVELOPING = "developing"
    TESTING = "testing"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    COMPLETED = "completed"
    """The combination has come onto the Eligible list."""


PENDING = frozenset({Progress.DEVELOPING, Progress.TESTING})
"""The DCC "is developing and/or testing its ability" (letter, paragraph 13)."""

AFTER: dict[Progress, frozenset[Progress]] = {
    Progress.REQUESTED: frozenset({Progress.NOT_REQUIRED, *PENDING}),
    Progress.DEVELOPING: frozenset({Progress.TESTING, Progress.FAILED}),
    Progress.TESTING: frozenset({Progress.DEVELOPING, Progress.FAILED}),
}
"""What the DCC may say next. Whoever has asked may withdraw as long as there is a row here; after
an end there is none, and it may be asked for again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A combination's testing as one Testing Participant has asked for it, since ``day`` at
    ``progress``.

    ``confidential``: the Testing Participant has indicated, pursuant to clause 9 of the Enduring
    Testing Approach Document, that it be treated as confidential. It is the indication of the one
    who has asked: what another one asks for openly is not withheld for it, or that one would see
    from the list that there is somebody else.
    """

    participant: str
    kind: ParticipantKind
    progress: Progress
    confidential: bool
    day: date

    @property
    def is_live(self) -> bool:
        return self.progress in AFTER

    @property
    def is_pending(self) -> bool:
        return self.progress in PENDING
