"""Where entries last: a table that is only ever appended to, and a row for its head."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from emulator.database import Database, DatabaseError
from emulator.ledger.chain import ID_LENGTH, Head, Link, chained, genesis, head_from
from emulator.ledger.entry import Entry
from emulator.ledger.errors import LedgerError
from emulator.ledger.filters import Filter
from emulator.ledger.record import FIELDS, record_of
from emulator.ledger.verification import Verification

VERSION = 1
PAGE = 1000
"""Entries read at once. In SQLite who reads keeps writers waiting, so not for long."""

_METADATA = sa.MetaData()

ENTRIES = sa.Table(
    "ledger_entries",
    _METADATA,
    sa.Column(
        "number",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    *(sa.Column(name, sa.Text, nullable=False) for name in FIELDS),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)

HEAD = sa.Table(
    "ledger_head",
    _METADATA,
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("ledger", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
_PLACE = 1
"""There is one head: what is locked by who appends."""

# Made once: to make a statement takes longer than to execute it.
_LOCK = sa.select(HEAD).with_for_update()
_MOVE = HEAD.update().values(number=sa.bindparam("to"), hash=sa.bindparam("digest"))


class LedgerStore:
    """Several threads and several processes may append to one ledger at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.use("ledger", VERSION, _METADATA)
        try:
            self.head()
        except _NoHead:
            self._begin()

    def append(self, entries: Sequence[Entry]) -> Head:
        """Add all of them or none, and give the new head. Their numbers are given here."""
        with self._database.begin() as connection:
            head = self._head(connection)
            rows = []
            for entry in entries:
                record = record_of(entry)
                before, head = head, chained(head, record)
                rows.append((head.number, *record, before.hash, head.hash))
            _insert(connection, rows)
            connection.execute(_MOVE, {"to": head.number, "digest": head.hash})
        return head

    def head(self) -> Head:
        """What the ledger says of itself. :class:`LedgerError` if that is damaged."""
        with self._database.begin() as connection:
            return self._head(connection)

    def links(self, only: Filter | None = None, after: int | None = None) -> Iterator[Link]:
        """The entries in order, as they are stored: those that ``only`` lets through, and those
        with a number above ``after``.
        """
        for links, _ in self._pages(only, after):
            yield from links

    def verify(self, known: Head | None = None, *, since: bool = False) -> Head:
        """Go along the chain to its end and give the head (see :class:`Verification`).

        :class:`~emulator.ledger.errors.Tampered` names the first entry that is not as it was
        written. Others may append meanwhile.
        """
        verification = Verification(self.head().ledger, known, since=since)
        after = known.number if since and known is not None else None
        claimed = verification.head
        for links, head in self._pages(None, after):
            verification.add(links)
            claimed = head
        return verification.finish(claimed)

    def close(self) -> None:
        self._database.close()

    def _begin(self) -> None:
        ledger = secrets.token_hex(ID_LENGTH)
        try:
            with self._database.begin() as connection:
                connection.execute(HEAD.insert().values(place=_PLACE, **genesis(ledger)._asdict()))
        except DatabaseError:
            self.head()  # somebody else was faster

    def _head(self, connection: sa.Connection) -> Head:
        rows = connection.execute(_LOCK).all()
        if not rows:
            raise _NoHead(f"{self._database}: the ledger has no head")
        try:
            (row,) = rows
            return head_from({"ledger": row.ledger, "number": row.number, "hash": row.hash})
        except (LedgerError, ValueError):
            raise LedgerError(f"{self._database}: the ledger's own head is damaged") from None

    def _pages(self, only: Filter | None, after: int | None) -> Iterator[tuple[list[Link], Head]]:
        """Pages, the last of which may be empty, each with the head at that moment."""
        size = PAGE
        while True:
            try:
                links, head = self._page(only, after, size)
            except DatabaseError:
                # Octets that are no text cannot be read in any company.
                if size == 1:
                    links, head = self._unreadable(only, after)
                else:
                    size = 1
                    continue
            yield links, head
            if len(links) < size:
                return
            after = links[-1].number

    def _page(self, only: Filter | None, after: int | None, size: int) -> tuple[list[Link], Head]:
        with self._database.begin() as connection:
            head = self._head(connection)
            rows = connection.execute(_query(sa.select(ENTRIES), only, after).limit(size)).all()
        return [_link(row) for row in rows], head

    def _unreadable(self, only: Filter | None, after: int | None) -> tuple[list[Link], Head]:
        with self._database.begin() as connection:
            head = self._head(connection)
            query = _query(sa.select(ENTRIES.c.number), only, after).limit(1)
            number = connection.scalar(query)
        return [Link(number, (None,) * len(FIELDS), None, None)], head


class _NoHead(LedgerError):
    """The tables are new."""


_COLUMNS = tuple(column.name for column in ENTRIES.columns)
_MARKS = {"qmark": "?", "format": "%s", "pyformat": "%s"}
"""What stands for a value, by the driver's style."""


def _insert(connection: sa.Connection, rows: list[tuple[Any, ...]]) -> None:
    """By the driver itself where its style is known: that halves the time of an entry."""
    mark = _MARKS.get(connection.dialect.paramstyle)
    if mark is None:
        named = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        connection.execute(ENTRIES.insert(), named)
        return
    columns, marks = ", ".join(_COLUMNS), ", ".join(mark for _ in _COLUMNS)
    # Nothing of it is from outside: names of columns, and marks.
    connection.exec_driver_sql(f"INSERT INTO {ENTRIES.name} ({columns}) VALUES ({marks})", rows)


def _query(query: sa.Select[Any], only: Filter | None, after: int | None) -> sa.Select[Any]:
    if after is not None:
        query = query.where(ENTRIES.c.number > after)
    for test in () if only is None else only.tests():
        query = query.where(test.holds(ENTRIES.c[test.field], test.value))
    return query.order_by(ENTRIES.c.number)


def _link(row: Any) -> Link:
    number, *record, previous, digest = row
    return Link(number, tuple(record), previous, digest)
