"""A published version of a list.

The number of a version counts what has changed for the public: publishing the same again makes no
new version, so that it does not show when something happened that is not on the list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from emulator.products.canonical import canonical
from emulator.products.lists import ListKind, ListRow, row_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    kind: ListKind
    version: int
    day: date
    rows: tuple[ListRow, ...]

    @property
    def content(self) -> dict[str, Any]:
        return {
            "list": self.kind.value,
            "version": self.version,
            "publication_date": str(self.day),
            "combinations": [row.content(self.kind) for row in self.rows],
        }

    @property
    def content_hash(self) -> str:
        """Of name, version, date and rows."""
        return f"sha256:{hashlib.sha256(canonical(self.content)).hexdigest()}"

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(row.combination.id for row in self.rows)


def publication_of(content: Mapping[str, Any]) -> Publication:
    """From what :attr:`Publication.content` gave."""
    return Publication(
        kind=ListKind(content["list"]),
        version=content["version"],
        day=date.fromisoformat(content["publication_date"]),
        rows=tuple(row_of(row) for row in content["combinations"]),
    )
