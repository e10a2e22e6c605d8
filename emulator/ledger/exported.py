"""A ledger in a file: exported for others to look at, and read again to verify it there."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from emulator.ledger.chain import Head, Link, genesis, head_from
from emulator.ledger.errors import LedgerError
from emulator.ledger.filters import Filter
from emulator.ledger.record import FIELDS
from emulator.ledger.verification import Verification

COLUMNS = ("number", *FIELDS, "previous", "hash")


def write_csv(path: Path, links: Iterable[Link]) -> int:
    """A line for each, under a line with the names of the columns; gives how many there are."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for link in links:
            table.writerow(_cells(link))
            count += 1
    return count


def write_json(path: Path, links: Iterable[Link], ledger: str) -> int:
    """An object with ``head`` and ``entries``, one to a line. The head is that of the last."""
    head = genesis(ledger)
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"entries": [')
        for link in links:
            row = dict(zip(COLUMNS, _cells(link), strict=True))
            file.write((",\n" if count else "\n") + json.dumps(row))
            head = Head(ledger, link.number, link.hash)
            count += 1
        file.write(f'\n],\n"head": {json.dumps(head.to_json())}}}\n')
    return count


class ExportedLedger:
    """What :func:`write_json` has written. :class:`LedgerError` if it is nothing of the kind."""

    def __init__(self, path: Path) -> None:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise LedgerError(f"{path}: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise LedgerError(f"{path} is no JSON: {error}") from None
        entries = document.get("entries") if isinstance(document, dict) else None
        if not isinstance(entries, list) or not all(_is_row(row) for row in entries):
            raise LedgerError(f"{path} is no ledger, as 'cosemlab ledger export --json' writes it")
        self._links = [_link(row) for row in entries]
        self._head = head_from(document.get("head"))

    def head(self) -> Head:
        return self._head

    def links(self, only: Filter | None = None, after: int | None = None) -> Iterator[Link]:
        return (
            link
            for link in self._links
            if (only is None or only.wants(link.record)) and (after is None or link.number > after)
        )

    def verify(self, known: Head | None = None, *, since: bool = False) -> Head:
        """As :meth:`emulator.ledger.store.LedgerStore.verify`."""
        verification = Verification(self._head.ledger, known, since=since)
        verification.add(self.links(None, known.number if since and known is not None else None))
        return verification.finish(self._head)

    def close(self) -> None:
        """There is nothing to close."""


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and type(row.get("number")) is int


def _cells(link: Link) -> tuple[Any, ...]:
    return (link.number, *link.record, link.previous, link.hash)


def _link(row: dict[str, Any]) -> Link:
    number, *record, previous, digest = (row.get(name) for name in COLUMNS)
    return Link(number, tuple(record), previous, digest)
