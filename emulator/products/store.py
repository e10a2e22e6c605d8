"""The register in a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import NamedTuple

import sqlalchemy as sa

from emulator.database import Database
from emulator.products import history
from emulator.products.acts import Act, Record
from emulator.products.canonical import canonical
from emulator.products.checks import check
from emulator.products.errors import NotAllowed, ProductsError
from emulator.products.lists import ListKind, rows_of
from emulator.products.publication import Publication, publication_of
from emulator.products.register import Register
from emulator.products.tables import ACTS, METADATA, NAME, PUBLICATIONS, VERSION


class Dated(NamedTuple):
    """An act, the day it is of (``None``: today), and where it stands, for errors."""

    act: Act
    day: date | None = None
    where: str = ""


class ProductStore:
    """``now`` is the time in UTC. What is public comes from :meth:`publications` and
    :meth:`published` alone, and they read nothing but what was published.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._now = now
        database.use(NAME, VERSION, METADATA)

    # For the DCC alone -----------------------------------------------------------------------

    def write(self, acts: Sequence[Dated]) -> Register:
        """All of them or none; the register after them. :class:`ProductsError` says of all that
        cannot be written why.
        """
        now = self._now()
        with self._changing() as connection:
            register = Register.after(history.read(connection))
            published = _last_day(_publications(connection))
            problems: dict[str, ProductsError] = {}
            for act, day, where in acts:
                if act.id in problems:
                    continue  # what comes after an act that cannot be written says nothing new
                try:
                    of = _not_in_future(day, now)
                    check(register, act, of, published)
                except ProductsError as error:
                    problems[act.id] = type(error)(f"{where}{error}")
                else:
                    register.take(act, of)
            if problems:
                first, *_ = problems.values()
                raise type(first)("\n".join(map(str, problems.values())))
            days = ((day or now.date(), act) for act, day, _ in acts)
            history.append(connection, days, now)
        return register

    def records(self) -> list[Record]:
        """The history, in the order in which it was written."""
        with self._database.begin() as connection:
            return history.read(connection)

    def register(self, day: date | None = None) -> Register:
        """As it stands, or as it stood on a day by what is known now."""
        return Register.after(self.records(), day)

    @contextmanager
    def publishing(self, day: date | None = None) -> Iterator[list[Publication]]:
        """Publish: both lists as they are in force then. It lasts when the block ends well."""
        now = self._now()
        of = _not_in_future(day, now)
        with self._changing() as connection:
            known = _publications(connection)
            last = _last_day(known)
            if last is not None and of < last:
                raise NotAllowed(f"lists were published on {last}: none of {of} comes after them")
            records = history.read(connection)
            register = Register.after(records, of)
            found = []
            for kind in ListKind:
                publication, is_new = _next(known, kind, of, register)
                if is_new:
                    _add(connection, publication, len(records))
                found.append(publication)
            yield found

    # For everybody ---------------------------------------------------------------------------

    def publications(self) -> list[Publication]:
        """Every version of both lists."""
        with self._database.begin() as connection:
            return _publications(connection)

    def published(self, day: date | None = None) -> list[Publication]:
        """The versions in force, or those that were on a day; none of a list that had none."""
        return in_force(self.publications(), day)

    def reproduced(self, day: date) -> list[Publication]:
        """What was in force on a day, made again from the history. :class:`ProductsError` if that
        is not what was published.
        """
        with self._database.begin() as connection:
            known = in_force(_publications(connection), day)
            records = history.read(connection)
            covered = {
                (row.list, row.version): row.acts
                for row in connection.execute(sa.select(PUBLICATIONS))
            }
        for publication in known:
            acts = covered[publication.kind.value, publication.version]
            register = Register.after(records[:acts], publication.day)
            if rows_of(register, publication.kind) != publication.rows:
                raise ProductsError(
                    f"{publication.kind.value}, version {publication.version}: the history does "
                    "not give what was published"
                )
        return known

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        with self._database.begin() as connection:
            if not self._database.is_sqlite:
                for table in (ACTS, PUBLICATIONS):
                    connection.execute(sa.text(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE"))
            yield connection


def in_force(publications: Iterable[Publication], day: date | None = None) -> list[Publication]:
    """The last version of each list, up to a day."""
    last = {one.kind: one for one in publications if day is None or one.day <= day}
    return [last[kind] for kind in ListKind if kind in last]


def _not_in_future(day: date | None, now: datetime) -> date:
    today = now.date()
    if day is not None and day > today:
        raise ProductsError(f"{day} has not come yet: it is {today} (UTC)")
    return day or today


def _publications(connection: sa.Connection) -> list[Publication]:
    """By version. :class:`ProductsError` if one is not what its hash was made of."""
    query = sa.select(PUBLICATIONS).order_by(PUBLICATIONS.c.version, PUBLICATIONS.c.list)
    found = []
    for row in connection.execute(query):
        publication = publication_of(json.loads(row.content))
        if publication.content_hash != row.content_hash:
            raise ProductsError(f"{row.list}, version {row.version}, is not what was published")
        found.append(publication)
    return found


def _last_day(publications: Iterable[Publication]) -> date | None:
    return max((one.day for one in publications), default=None)


def _next(
    known: Iterable[Publication], kind: ListKind, day: date, register: Register
) -> tuple[Publication, bool]:
    """The version in force from now on, and whether it is a new one."""
    last = next((one for one in in_force(known) if one.kind is kind), None)
    rows = rows_of(register, kind)
    if last is not None and last.rows == rows:
        return last, False
    version = 1 if last is None else last.version + 1
    return Publication(kind=kind, version=version, day=day, rows=rows), True


def _add(connection: sa.Connection, publication: Publication, acts: int) -> None:
    connection.execute(
        PUBLICATIONS.insert().values(
            list=publication.kind.value,
            version=publication.version,
            day=str(publication.day),
            content=canonical(publication.content).decode(),
            content_hash=publication.content_hash,
            acts=acts,
        )
    )
