"""The ledger: every cryptographic operation of the DCC side, with its tag and its outcome.

It names keys and never holds one. Append-only and in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from dlms.security.keys import KeyRef
from emulator.policy import Actor, Category, Decision, Purpose


class Outcome(Enum):
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


class Entry(NamedTuple):
    """One operation. ``sufficient`` is whether the module's class satisfies the decision."""

    number: int
    actor: Actor
    device: str
    category: Category | None
    operation: str
    purpose: Purpose
    keys: tuple[KeyRef, ...]
    decision: Decision
    module: str
    sufficient: bool
    outcome: Outcome

    def to_json(self) -> dict[str, Any]:
        decision = self.decision
        deciding = decision.deciding_key
        return {
            "number": self.number,
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
            "sufficient": self.sufficient,
            "outcome": self.outcome.value,
        }


class Group(NamedTuple):
    """Entries that were judged alike."""

    actor: str
    category: str
    operation: str
    purpose: str
    module_class: str
    clause: str
    why: str
    sufficient: bool
    outcome: str
    operations: int


class Ledger:
    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def append(
        self,
        *,
        actor: Actor,
        device: str,
        category: Category | None,
        operation: str,
        purpose: Purpose,
        keys: tuple[KeyRef, ...],
        decision: Decision,
        module: str,
        sufficient: bool,
        outcome: Outcome,
    ) -> None:
        self._entries.append(
            Entry(
                len(self._entries) + 1,
                actor,
                device,
                category,
                operation,
                purpose,
                keys,
                decision,
                module,
                sufficient,
                outcome,
            )
        )

    def summary(self) -> list[Group]:
        """Entries grouped by who did what for which reason, strictest class first."""
        counts: Counter[tuple[Any, ...]] = Counter()
        for entry in self._entries:
            decision = entry.decision
            category = "not SMETS1" if entry.category is None else entry.category.value
            counts[
                -decision.module_class,
                entry.actor.value,
                category,
                entry.operation,
                entry.purpose.value,
                decision.module_class.name,
                decision.clause,
                decision.why,
                entry.sufficient,
                entry.outcome.value,
            ] += 1
        return [Group._make((*key[1:], n)) for key, n in sorted(counts.items())]
