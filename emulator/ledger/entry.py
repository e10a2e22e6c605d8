"""One entry: an operation, its tag and its outcome."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import Any, NamedTuple

from dlms.security.keys import KeyRef
from emulator.policy import Actor, Category, Decision, Purpose, Question, key_uses


class Outcome(Enum):
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


class Entry(NamedTuple):
    """One operation. ``sufficient`` is whether the module's class satisfies the decision,
    ``emulated`` whether the module only plays one of that class. ``edition`` is the name of the one
    that decided, ``mode`` what was to happen if no module was strong enough.

    ``number`` is that in the ledger which holds the entry: a command counts its own.
    """

    number: int
    time: dt.datetime
    actor: Actor
    device: str
    category: Category | None
    operation: str
    purpose: Purpose
    keys: tuple[KeyRef, ...]
    decision: Decision
    module: str
    emulated: bool
    sufficient: bool
    outcome: Outcome
    edition: str
    mode: str

    def question(self) -> Question:
        """What the policy was asked. Where no key decided, no key was shown to it: that a key is
        destroyed names the key, and is no use of it.
        """
        keys = () if self.decision.deciding_key is None else key_uses(self.keys)
        return Question(actor=self.actor, purpose=self.purpose, category=self.category, keys=keys)

    def to_json(self) -> dict[str, Any]:
        decision = self.decision
        deciding = decision.deciding_key
        return {
            "number": self.number,
            "time": time_text(self.time),
            "actor": self.actor.value,
            "device": self.device,
            "category": None if self.category is None else self.category.value,
            "operation": self.operation,
            "purpose": self.purpose.value,
            "keys": [str(key) for key in self.keys],
            "module_class": decision.module_class.name,
            "clause": decision.clause,
            "why": decision.why,
            "deciding_key": None if deciding is None else str(deciding),
            "module": self.module,
            "emulated": self.emulated,
            "sufficient": self.sufficient,
            "outcome": self.outcome.value,
            "edition": self.edition,
            "mode": self.mode,
        }


def time_text(time: dt.datetime) -> str:
    """ISO 8601 in UTC to the microsecond, always as long: such texts sort as the times do."""
    in_utc = time if time.tzinfo is dt.UTC else time.astimezone(dt.UTC)
    return in_utc.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"
