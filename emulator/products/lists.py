"""The two lists of F2.10A, and what of the register goes onto them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from emulator.products.combination import Combination, combination_of
from emulator.products.register import Register


class ListKind(Enum):
    """By their names in the Code."""

    ELIGIBLE = "SMETS1 Eligible Product Combinations"
    PENDING = "SMETS1 Pending Product Combinations"

    @property
    def file_stem(self) -> str:
        return self.value.lower().replace(" ", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """A line of a list. ``first_added`` and ``through`` are on the Eligible list only.

    Of a Pending combination there is nothing but what it is: how far its tests have come, whether
    they failed and who asked for them are not for the public (letter, paragraph 14).
    """

    combination: Combination
    first_added: date | None = None
    through: str | None = None

    def content(self, kind: ListKind) -> dict[str, Any]:
        found: dict[str, Any] = {"combination": self.combination.id, **self.combination.content}
        if kind is ListKind.ELIGIBLE:
            found["date_first_added"] = None if self.first_added is None else str(self.first_added)
            found["tested_through"] = self.through
        return found


def row_of(content: Mapping[str, Any]) -> ListRow:
    added = content.get("date_first_added")
    return ListRow(
        combination=combination_of(content),
        first_added=None if added is None else date.fromisoformat(added),
        through=content.get("tested_through"),
    )


def rows_of(register: Register, kind: ListKind) -> tuple[ListRow, ...]:
    """What goes onto a list, in an order that says nothing of when it came."""
    entries = sorted(register.entries.values(), key=lambda entry: entry.combination.order)
    if kind is ListKind.PENDING:
        return tuple(
            ListRow(combination=entry.combination) for entry in entries if entry.is_shown_pending
        )
    return tuple(
        ListRow(combination=entry.combination, first_added=entry.first_added, through=entry.through)
        for entry in entries
        if entry.listed
    )
