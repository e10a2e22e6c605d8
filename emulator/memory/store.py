"""States of meters in one SQLite file: a commit is there whole or not at all, whenever it ends.

The file is in WAL mode with ``synchronous`` FULL: what :meth:`Store.keep` has taken is on the disk
when it returns. Every row has a seal (an HMAC under a key of the fleet's) over its meter, section,
key and value, for SQLite itself does not notice an octet that has changed in a value. And the
rows of each meter are counted, for it does not notice either when some of them are lost. One
process has the file at a time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeAlias

from devices.remembering import Changed
from emulator.journal import StoreError, locked, sync_directory
from emulator.memory.sections import UNREADABLE, Section, sections
from emulator.memory.storage_keys import Sealing, fingerprint, wrapping_key
from tls.files import check_private

VERSION = 1
"""``user_version`` of the file: that of its tables. Rows have versions of their own."""

_APPLICATION = 0x434F534D  # "COSM"
_SCHEMA = (
    "CREATE TABLE fleet (fingerprint BLOB NOT NULL)",
    "CREATE TABLE memory (meter BLOB NOT NULL, section TEXT NOT NULL, key NOT NULL, "
    "version INTEGER NOT NULL, value BLOB NOT NULL, seal BLOB NOT NULL, "
    "PRIMARY KEY (meter, section, key)) WITHOUT ROWID",
    "CREATE TABLE tally (meter BLOB PRIMARY KEY, rows INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TRIGGER one_more AFTER INSERT ON memory BEGIN INSERT INTO tally VALUES (NEW.meter, 1) "
    "ON CONFLICT DO UPDATE SET rows = rows + 1; END",
    "CREATE TRIGGER one_less AFTER DELETE ON memory BEGIN "
    "UPDATE tally SET rows = rows - 1 WHERE meter = OLD.meter; END",
)
_KEEP = (
    "INSERT INTO memory (meter, section, key, version, value, seal) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET version = excluded.version, value = excluded.value, "
    "seal = excluded.seal"
)
_DROP = "DELETE FROM memory WHERE meter = ? AND section = ? AND key = ?"
_READ = "SELECT section, key, version, value, seal FROM memory WHERE meter = ?"

Kept: TypeAlias = Mapping[str, list[tuple[Any, Any]]]
"""Keys and values by section, in the order of the keys."""


class NotKept(StoreError):
    """Nothing was written, say because there is no room, and what was kept is kept. A later try may
    do better.
    """


class Store:
    """Opens ``path``, which :meth:`create` has made.

    :class:`~emulator.journal.StoreError` if it is missing, in use, damaged, of another version or
    of another fleet, with what was found and what was expected.
    """

    def __init__(self, path: Path, fleet_secret: bytes) -> None:
        self._path = path
        self._fleet_secret = fleet_secret
        self._sealing = Sealing(fleet_secret)
        self._sections: dict[bytes, Mapping[str, Section]] = {}
        self._usable = False
        if not path.exists():
            raise StoreError(
                f"{path} is missing: its meters would have their first keys and their first credit "
                "again; a workspace that an older cosemlab has made has none, and a new workspace "
                "begins anew"
            )
        check_private(path)
        self._lock = locked(path)
        try:
            self._connection = _connect(path)
            try:
                self._check()
            except BaseException:
                self._connection.close()
                raise
        except StoreError:
            os.close(self._lock)
            raise
        except (sqlite3.Error, AttributeError, *UNREADABLE) as error:
            # The last ones where something has another type than was written.
            os.close(self._lock)
            busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            raise StoreError(f"{path} is {'in use' if busy else 'damaged'}: {error}") from error
        except BaseException:
            os.close(self._lock)
            raise
        self._usable = True

    @classmethod
    def create(cls, path: Path, fleet_secret: bytes) -> None:
        """Make an empty one. ``FileExistsError`` if there is a file already."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        connection = _connect(path)
        try:
            connection.execute("BEGIN")
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("INSERT INTO fleet VALUES (?)", (fingerprint(fleet_secret),))
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        finally:
            connection.close()
        sync_directory(path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others open it."""
        if self._lock < 0:
            return
        self._usable = False
        try:
            self._connection.close()
        finally:
            os.close(self._lock)
            self._lock = -1

    def load(self, title: bytes) -> Kept:
        """What was last kept of the meter ``title``."""
        if not self._usable:
            raise self._closed()
        kept: dict[str, list[tuple[Any, Any]]] = {}
        for section, key, value in self._read(title):
            kept.setdefault(section, []).append((key, value))
        return kept

    def values(self, section: str, key: Any) -> list[Any]:
        """What the meters have under ``key`` in a section, those that have it."""
        titles = self._connection.execute("SELECT meter FROM tally").fetchall()
        return [
            value
            for (title,) in titles
            for name, found, value in self._read(title)
            if (name, found) == (section, key)
        ]

    def keep(self, title: bytes, changed: Mapping[str, Changed[Any, Any]]) -> None:
        """Write down what has changed in the sections of the meter ``title``, all or nothing.

        :class:`NotKept` if there is no room. Any other :class:`~emulator.journal.StoreError` is for
        good: nobody knows what is on the disk then, and a second try would not tell.
        """
        if not self._usable:
            raise self._closed()
        kept, gone = self._rows(title, changed)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_KEEP, kept)
            self._connection.executemany(_DROP, gone)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _rows(
        self, title: bytes, changed: Mapping[str, Changed[Any, Any]]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        kept, gone = [], []
        known = self._known(title)
        for name, (now, lost) in changed.items():
            section = known[name]
            for key, value in now.items():
                try:
                    row = name, section.key.write(key), section.version, section.value.write(value)
                except UNREADABLE as error:
                    raise NotKept(
                        f"{self._path} has no form for {name} {key!r}: {error}"
                    ) from error
                kept.append((title, *row, self._sealing.seal(title, *row)))
            gone += [(title, name, section.key.write(key)) for key in lost]
        return kept, gone

    def _known(self, title: bytes) -> Mapping[str, Section]:
        known = self._sections.get(title)
        if known is None:
            known = self._sections[title] = sections(wrapping_key(self._fleet_secret, title))
        return known

    def _failed(self, error: sqlite3.Error) -> StoreError:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        if full:
            try:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                full = False
        if full:
            return NotKept(f"{self._path}: {error}")
        self._usable = False
        return StoreError(f"{self._path}: {error}")

    def _closed(self) -> StoreError:
        return StoreError(f"{self._path}: nothing can be written any more")

    # Whether it is what it should be --------------------------------------------------------------

    def _check(self) -> None:
        ask = self._connection.execute
        for pragma, expected in (("application_id", _APPLICATION), ("user_version", VERSION)):
            (found,) = ask(f"PRAGMA {pragma}").fetchone()
            if found != expected:
                raise StoreError(
                    f"{self._path} is no store of meters as this cosemlab makes them: "
                    f"{pragma} is {found}, {expected} was expected"
                )
        (said,) = ask("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise StoreError(f"{self._path} is damaged: {' '.join(said.split())}")
        found = [sql for (sql,) in ask("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
        for statement in _SCHEMA:
            if statement not in found:
                _, kind, name, _ = statement.lower().split(" ", 3)
                raise StoreError(
                    f"{self._path} is damaged: it has no {kind} {name} as version {VERSION} has it"
                )
        fleets = [octets for (octets,) in ask("SELECT fingerprint FROM fleet")]
        if fleets != [fingerprint(self._fleet_secret)]:
            raise StoreError(
                f"{self._path} belongs to a fleet with another secret: its keys cannot be unwrapped"
            )
        tally = dict(ask("SELECT meter, rows FROM tally").fetchall())
        titles = {title for (title,) in ask("SELECT DISTINCT meter FROM memory")}
        for title in sorted(titles | tally.keys()):
            rows = sum(1 for _ in self._read(title))
            if rows != tally.get(title, 0):
                raise StoreError(
                    f"{self._path} is damaged: table memory, meter {title.hex().upper()}: "
                    f"{rows} rows, {tally.get(title, 0)} were expected"
                )

    def _read(self, title: bytes) -> Iterator[tuple[str, Any, Any]]:
        known = self._known(title)
        for name, stored_key, version, stored, seal in self._connection.execute(_READ, (title,)):
            try:
                if not self._sealing.fits(seal, title, name, stored_key, version, stored):
                    raise ValueError("its seal does not fit: it is damaged")
                section = known.get(name)
                if section is None:
                    raise ValueError("this cosemlab has no such section")
                if version != section.version:
                    raise ValueError(f"version {version}, {section.version} was expected")
                key, value = section.key.read(stored_key), section.value.read(stored)
            except UNREADABLE as error:
                raise StoreError(
                    f"{self._path}: table memory, meter {title.hex().upper()}, section {name}, "
                    f"key {stored_key!r}: {str(error) or type(error).__name__}"
                ) from error
            yield name, key, value


def _connect(
    path: Path, connection: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    opened = sqlite3.connect(path, isolation_level=None, factory=connection)
    opened.execute("PRAGMA journal_mode = WAL")
    opened.execute("PRAGMA synchronous = FULL")
    opened.execute("PRAGMA secure_delete = ON")
    return opened
