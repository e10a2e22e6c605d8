"""What another edition would have said of the operations that were done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from dlms.security.keys import KeyKind
from emulator.ledger.entry import Entry
from emulator.ledger.errors import LedgerError
from emulator.policy import EDITIONS, Actor, Category, Decision, Edition, Purpose, decide
from emulator.policy.diff import Verdict


class ChangedGroup(NamedTuple):
    """Operations that change in the same way, counted by name. ``key`` is the kind of key that
    decides under the other edition, if any does.
    """

    actor: Actor
    category: Category | None
    purpose: Purpose
    key: KeyKind | None
    before: Verdict
    after: Verdict
    operations: dict[str, int]

    @property
    def changes_class(self) -> bool:
        return self.before.module_class is not self.after.module_class

    @property
    def size(self) -> int:
        return sum(self.operations.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """``before`` is as it was recorded, by the editions named in ``recorded``.

    ``unlike`` are the numbers of entries of which the edition that is recorded does not say today
    what is recorded: its table has changed since, or it is none of ours.
    """

    edition: str
    recorded: tuple[str, ...]
    operations: int
    groups: tuple[ChangedGroup, ...]
    unlike: tuple[int, ...]

    @property
    def class_changed(self) -> int:
        return sum(group.size for group in self.groups if group.changes_class)

    @property
    def clause_changed(self) -> int:
        """The clause alone."""
        return sum(group.size for group in self.groups if not group.changes_class)


def other_edition(recorded: Iterable[str]) -> Edition:
    """The one that is left. :class:`LedgerError` if it is not clear which that is."""
    used = sorted(set(recorded))
    others = [edition for name, edition in EDITIONS.items() if name not in used]
    if len(others) != 1:
        raise LedgerError(
            f"recorded under {', '.join(used) or 'no edition'}: say under which edition it is to be"
            f" replayed, of {', '.join(EDITIONS)}"
        )
    return others[0]


def what_if(entries: Iterable[Entry], edition: Edition | None = None) -> WhatIf:
    """Ask ``edition``, or the one that is left, each question again."""
    entries = list(entries)
    recorded = tuple(sorted({entry.edition for entry in entries}))
    if edition is None:
        edition = other_edition(recorded)
    changed: dict[tuple[object, ...], Counter[str]] = {}
    groups: dict[tuple[object, ...], ChangedGroup] = {}
    unlike = []
    for entry in entries:
        question = entry.question()
        own = EDITIONS.get(entry.edition)
        if own is None or _grounds(decide(question, own)) != _grounds(entry.decision):
            unlike.append(entry.number)
        decision = decide(question, edition)
        before, after = _verdict(entry.decision), _verdict(decision)
        if before == after:
            continue
        deciding = None if decision.deciding_key is None else decision.deciding_key.kind
        found = ChangedGroup(
            entry.actor, entry.category, entry.purpose, deciding, before, after, {}
        )
        name = tuple(found[:-1])
        groups.setdefault(name, found)
        changed.setdefault(name, Counter())[entry.operation] += 1
    filled = [
        group._replace(operations=dict(sorted(changed[name].items())))
        for name, group in groups.items()
    ]
    return WhatIf(
        edition=edition.name,
        recorded=recorded,
        operations=len(entries),
        groups=tuple(sorted(filled, key=lambda group: (not group.changes_class, -group.size))),
        unlike=tuple(unlike),
    )


def _grounds(decision: Decision) -> tuple[object, ...]:
    """A decision but for its wording."""
    return decision.module_class, decision.clause, decision.deciding_key


def _verdict(decision: Decision) -> Verdict:
    return Verdict(decision.module_class, decision.clause)
