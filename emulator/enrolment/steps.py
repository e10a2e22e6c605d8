"""The steps of an enrolment, in their order, and the states that one is in."""

from __future__ import annotations

from enum import Enum, IntEnum


class Step(IntEnum):
    """The number is that of the last step that is done."""

    PLANNED = 0
    AUTHORISED = 1
    HANDED_OVER = 2
    VALIDATED = 3
    VERIFIED = 4
    ROTATED = 5
    REGISTERED = 6
    ACCESS_ENDED = 7
    COMMISSIONED = 8

    @property
    def text(self) -> str:
        return self.name.lower().replace("_", " ")


class State(Enum):
    PLANNED = "planned"
    UNDER_WAY = "under way"
    FAILED = "failed"
    """It can be resumed; beyond the point of no return it must be."""
    ROLLED_BACK = "rolled back"
    """The meter is the supplier's as before. It can be planned anew."""
    ENROLLED = "enrolled"


class Kind(Enum):
    """Installation types of the TMAD. Active: the supplier asks, its system is there. Dormant: the
    meter has lost its smart service, and the system may be gone.
    """

    ACTIVE = "active"
    DORMANT = "dormant"


MAX_ATTEMPTS = 5
"""Of one step. "At least five migration attempts" is among the proposed Excluded Categories of the
TMAD (DCC, SMETS1 consultation on various matters).
"""


class EnrolmentError(Exception):
    """Something does not let a meter be enrolled; the text says what, and of which meter."""


class NotPossible(EnrolmentError):
    """Trying again would not help: what was handed over, or the meter, is not as it must be."""
