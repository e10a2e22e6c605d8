"""Entries in groups: what was judged alike, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from dlms.security.keys import KeyKind
from emulator.ledger.entry import Entry, Outcome
from emulator.policy import Actor, Category, ModuleClass, Purpose


class Group(NamedTuple):
    """Operations of one party for one purpose that were judged alike.

    ``operations`` counts them by name; ``deciding`` is the kind of key that decided, if any did.
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


def summarise(entries: Iterable[Entry]) -> list[Group]:
    """Entries grouped by who did what under which clause, strictest class first."""
    groups: dict[tuple[Any, ...], Counter[str]] = {}
    for entry in entries:
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


def _order(group: tuple[Any, ...]) -> tuple[Any, ...]:
    """Strictest class first, then by clause and by name."""
    module_class, *rest = group
    return -module_class, *("" if part is None else str(_value(part)) for part in rest)


def _value(part: Any) -> Any:
    return getattr(part, "value", part)
