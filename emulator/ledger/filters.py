"""Which entries are wanted."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from emulator.ledger.entry import Outcome, time_text
from emulator.ledger.record import FIELDS
from emulator.policy import Actor, Category, ModuleClass, Purpose


class Comparison(NamedTuple):
    """A field of a record compared with a text; ``holds`` serves columns of a database as well."""

    field: str
    holds: Callable[[Any, Any], Any]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is ``None`` is not asked for. ``smets1`` off wants what is for no SMETS1 Device; from
    ``since`` on and before ``until``.
    """

    actor: Actor | None = None
    device: str | None = None
    category: Category | None = None
    smets1: bool = True
    operation: str | None = None
    purpose: Purpose | None = None
    module_class: ModuleClass | None = None
    clause: str | None = None
    module: str | None = None
    outcome: Outcome | None = None
    insufficient: bool = False
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def tests(self) -> Iterator[Comparison]:
        equal: dict[str, str | None] = {
            "actor": None if self.actor is None else self.actor.name,
            "device": self.device,
            "category": None if self.category is None else self.category.name,
            "operation": self.operation,
            "purpose": None if self.purpose is None else self.purpose.name,
            "module_class": None if self.module_class is None else self.module_class.name,
            "clause": self.clause,
            "module": self.module,
            "outcome": None if self.outcome is None else self.outcome.name,
            "sufficient": "no" if self.insufficient else None,
        }
        if not self.smets1:
            equal["category"] = ""
        for field, value in equal.items():
            if value is not None:
                yield Comparison(field, operator.eq, value)
        if self.since is not None:
            yield Comparison("time", operator.ge, time_text(self.since))
        if self.until is not None:
            yield Comparison("time", operator.lt, time_text(self.until))

    def wants(self, record: tuple[Any, ...]) -> bool:
        """Of what is no text, too: who reads it is to find out."""
        for field, holds, value in self.tests():
            found = record[FIELDS.index(field)]
            if isinstance(found, str) and not holds(found, value):
                return False
        return True
