"""The ledger of the head end of a test, as plain data."""

from __future__ import annotations

from collections import Counter
from typing import Any

from emulator.ledger import Ledger
from emulator.pytest_plugin.in_loop import InLoop


class BenchLedger:
    """Every cryptographic operation of the DCC side, in order. What the meters compute inside is
    not in it.
    """

    def __init__(self, ledger: Ledger, in_loop: InLoop) -> None:
        self.ledger = ledger
        self._in_loop = in_loop

    def __len__(self) -> int:
        return self._in_loop(lambda: len(self.ledger))

    def entries(self, *, after: int = 0, **fields: object) -> list[dict[str, Any]]:
        """Entries as ``cosemlab ledger list --json`` has them, whose fields are the given ones:
        ``entries(actor="S1SP", operation="Seal", clause="G2.44(c)(iii)")``; ``after`` is the number
        of an entry, or how many there were before.

        ``ValueError`` if entries have no such field.
        """
        rows = self._in_loop(lambda: [entry.to_json() for entry in self.ledger])
        for name in fields:
            if rows and name not in rows[0]:
                raise ValueError(f"an entry has no {name!r}; it has {', '.join(rows[0])}")
        return [
            row
            for row in rows
            if row["number"] > after and all(row[name] == wanted for name, wanted in fields.items())
        ]

    def count(self, *by: str, after: int = 0, **fields: object) -> dict[tuple[Any, ...], int]:
        """How many entries there are for each combination of the fields ``by``:
        ``count("actor", "clause")`` gives ``{("S1SP", "G2.44(c)"): 12, ...}``.
        """
        rows = self.entries(after=after, **fields)
        return dict(Counter(tuple(row[name] for name in by) for row in rows))

    def insufficient(self, *, after: int = 0) -> list[dict[str, Any]]:
        """Those for which no module at hand was strong enough."""
        return self.entries(after=after, sufficient=False)
