"""The database of the DCC side: SQLite by default, any other that SQLAlchemy knows by URL.

What is kept in it is kept by those who know what it means: each brings its tables, with a version
of their shape, and finds them as it left them or is told that it cannot.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from tls.files import check_private, write_private

_SQLITE = "sqlite"
_POSTGRESQL = "postgresql"
_MAKING = 0x436F7365
"""The lock of who makes tables: a number that nobody else uses."""
_BUSY = 30.0
"""Seconds to wait for another process that is writing."""

_PRAGMAS = (
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",  # what is erased is overwritten
)

_SHAPES = sa.Table(
    "shapes",
    sa.MetaData(),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)


class DatabaseError(Exception):
    """The database is not usable; the text says why and shows no password."""


def sqlite_url(path: Path) -> URL:
    """The URL of a file."""
    return URL.create(_SQLITE, database=str(path))


class Database:
    """``url`` as SQLAlchemy has it: ``sqlite:///file``, ``postgresql+psycopg://host/name``.

    A file is made where there is none, for its owner alone. Several threads and several processes
    may use one database.
    """

    def __init__(self, url: str | URL) -> None:
        try:
            self.url = make_url(url)
            if self.url.get_backend_name() == _SQLITE and self.url.database:
                _private(Path(self.url.database))
            self._engine = sa.create_engine(self.url, **self._options())
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, OSError) as error:
            raise DatabaseError(f"cannot use the database: {error}") from error
        if self.is_sqlite:
            sa.event.listen(self._engine, "connect", _connected)
            sa.event.listen(self._engine, "begin", _begun)

    def __repr__(self) -> str:
        return f"<Database {self}>"

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == _SQLITE

    def use(self, name: str, version: int, metadata: sa.MetaData) -> None:
        """Make the tables that are not there. :class:`DatabaseError` if they have the shape of
        another ``version``.
        """
        with self.begin() as connection:
            if self.url.get_backend_name() == _POSTGRESQL:
                # Two that make the same tables at once would fail there.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING)))
            _SHAPES.metadata.create_all(connection)
            found = connection.scalar(sa.select(_SHAPES.c.version).where(_SHAPES.c.name == name))
            if found is None:
                metadata.create_all(connection)
                connection.execute(_SHAPES.insert().values(name=name, version=version))
            elif found != version:
                raise DatabaseError(
                    f"{self} has the tables of {name} in version {found}, and this is for "
                    f"version {version}: give another database"
                )

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction: all of it is done, and lasts, when the block is left; nothing of it if by
        an exception. In SQLite nobody else writes meanwhile; elsewhere, rows that must not change
        are locked (``with_for_update``).
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            # Its text would show the values of a statement, among them wrapped keys.
            cause = getattr(error, "orig", None) or error
            raise DatabaseError(f"{self}: {cause}") from None

    def forget_erased(self) -> None:
        """Leave nothing in the files of what was erased: SQLite keeps it in its log until that is
        begun anew, which waits until nobody reads. Nothing to do elsewhere: that is the server's.
        """
        if self.is_sqlite:
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._engine.dispose()

    def _options(self) -> dict[str, Any]:
        if self.url.get_backend_name() != _SQLITE:
            return {"hide_parameters": True}
        return {"hide_parameters": True, "connect_args": {"timeout": _BUSY}}


def _private(path: Path) -> None:
    """Make the file if there is none, for its owner alone; else insist that it is.

    One that is there is not opened: to close it again would cancel the locks by which this very
    process, in another connection, keeps others from writing at the same time (POSIX; SQLite, "How
    To Corrupt An SQLite Database File", 2.2).
    """
    if not path.exists():
        with suppress(FileExistsError):  # somebody was faster
            write_private(path, b"")
    check_private(path)


def _connected(connection: sqlite3.Connection, _: Any) -> None:
    """The driver's own idea of when a transaction begins is switched off."""
    connection.isolation_level = None
    _log_ahead(connection)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Write ahead to a log, which a new file does not do yet.

    Of several who open it, all read first what it does; then none can get it for itself, and SQLite
    refuses them at once, whatever the time-out ("Register A Callback To Handle SQLITE_BUSY Errors":
    no waiting where that could be a deadlock). So each begins anew, until one was alone.
    """
    given_up = time.monotonic() + _BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > given_up:
                raise
        time.sleep(random.uniform(0.001, 0.01))  # not in step with the others


def _begun(connection: sa.Connection) -> None:
    """Writers wait for each other at once, not when the first of them has read and wants to write:
    one that has read could not go on then.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")
