"""The ledger: every cryptographic operation of the DCC side, with its tag and its outcome.

It names keys and never holds one. Append-only and in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from dlms.security.keys import KeyKind, KeyRef
from emulator.policy import Actor, Category, Decision, ModuleClass, Purpose


class Outcome(Enum):
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


class Entry(NamedTuple):
    """One operation. ``sufficient`` is whether the module's class satisfies the decision,
    ``emulated`` whether the module only plays one of that class.
    """

    number: int
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
            "emulated": self.emulated,
            "sufficient": self.sufficient,
            "outcome": self.outcome.value,
        }


class Group(NamedTuple):
    """Operations of one party for one purpose that were judged alike.

    ``operations`` counts them by name; ``deciding`` is the kind of key that decided, if any did;
    ``emulated`` as in :class:`Entry`.
    """

    module_class: ModuleClass
    clause: str
    actor: Actor
    category: Category | None
    purpose: Purpose
    deciding: KeyKind | None
    sufficient: bool
    emulated: bool
    outcome: Outcome
    operations: dict[str, int]


class Ledger:
    """``on_entry`` is told each entry as it is made."""

    def __init__(self, on_entry: Callable[[Entry], None] | None = None) -> None:
        self._entries: list[Entry] = []
        self._on_entry = on_entry

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
        emulated: bool,
        sufficient: bool,
        outcome: Outcome,
    ) -> None:
        entry = Entry(
            len(self._entries) + 1,
            actor,
            device,
            category,
            operation,
            purpose,
            keys,
            decision,
            module,
            emulated,
            sufficient,
            outcome,
        )
        self._entries.append(entry)
        if self._on_entry is not None:
            self._on_entry(entry)

    def summary(self) -> list[Group]:
        """Entries grouped by who did what under which clause, strictest class first."""
        groups: dict[tuple[Any, ...], Counter[str]] = {}
        for entry in self._entries:
            decision = entry.decision
            deciding = decision.deciding_key
            group = (
                decision.module_class,
                decision.clause,
                entry.actor,
                entry.category,
                entry.purpose,
                None if deciding is None else deciding.kind,
                entry.sufficient,
                entry.emulated,
                entry.outcome,
            )
            groups.setdefault(group, Counter())[entry.operation] += 1
        return [
            Group._make((*group, dict(sorted(counts.items()))))
            for group, counts in sorted(groups.items(), key=lambda item: _order(item[0]))
        ]

    def reasons(self) -> list[tuple[str, str]]:
        """Each clause with each reason that was given, once."""
        return sorted({(entry.decision.clause, entry.decision.why) for entry in self._entries})


def _order(group: tuple[Any, ...]) -> tuple[Any, ...]:
    """Strictest class first, then by clause and by name."""
    module_class, *rest = group
    return -module_class, *("" if part is None else str(_value(part)) for part in rest)


def _value(part: Any) -> Any:
    return getattr(part, "value", part)
