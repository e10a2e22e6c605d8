"""The database: transactions, versions of tables, files for their owner alone."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from emulator.database import Database, DatabaseError, sqlite_url

METADATA = sa.MetaData()
THINGS = sa.Table(
    "things",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("word", sa.String, nullable=False),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dcc.db"


def opened(path: Path) -> Database:
    database = Database(sqlite_url(path))
    database.use("things", 1, METADATA)
    return database


def words(database: Database) -> list[str]:
    with database.begin() as connection:
        return list(connection.scalars(sa.select(THINGS.c.word).order_by(THINGS.c.number)))


def test_what_is_done_lasts(path: Path) -> None:
    first = opened(path)
    with first.begin() as connection:
        connection.execute(THINGS.insert().values(number=1, word="one"))
    first.close()
    again = opened(path)
    assert words(again) == ["one"]
    again.close()


def test_a_file_is_for_its_owner_alone(path: Path) -> None:
    opened(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(DatabaseError, match="others must have no access"):
        Database(sqlite_url(path))


def test_all_or_nothing(path: Path) -> None:
    database = opened(path)
    with pytest.raises(LookupError), database.begin() as connection:  # noqa: PT012
        connection.execute(THINGS.insert().values(number=1, word="one"))
        raise LookupError
    assert words(database) == []
    database.close()


def test_errors_show_no_values(path: Path) -> None:
    database = opened(path)
    with pytest.raises(DatabaseError) as caught, database.begin() as connection:  # noqa: PT012
        for _ in range(2):
            connection.execute(THINGS.insert().values(number=1, word="a wrapped key"))
    assert "UNIQUE constraint failed" in str(caught.value)
    assert "a wrapped key" not in str(caught.value)
    database.close()


def test_tables_of_another_version_are_left_alone(path: Path) -> None:
    opened(path).close()
    database = Database(sqlite_url(path))
    with pytest.raises(DatabaseError, match="things in version 1, and this is for version 2"):
        database.use("things", 2, METADATA)
    database.close()


def test_writers_wait_for_each_other(path: Path) -> None:
    """Both read what is there and write what comes after it: none of it twice, none lost."""
    opened(path).close()

    def count() -> None:
        database = opened(path)
        for _ in range(20):
            with database.begin() as connection:
                last = connection.scalar(sa.select(sa.func.max(THINGS.c.number))) or 0
                connection.execute(THINGS.insert().values(number=last + 1, word="next"))
        database.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database = opened(path)
    assert len(words(database)) == 80
    database.close()


def test_who_opens_a_new_file_while_another_writes_waits(path: Path) -> None:
    """SQLite itself refuses that at once, where the file has no log yet."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    path.chmod(0o600)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor() as threads:
        opening = threads.submit(opened, path)
        with pytest.raises(TimeoutError):
            opening.result(0.2)
        other.close()
        opening.result().close()


@pytest.mark.parametrize("url", ["nonsense", "what://ever", "sqlite:////no/such/folder/file"])
def test_what_is_no_database(url: str) -> None:
    with pytest.raises(DatabaseError, match="cannot use the database"):
        Database(url)


def test_no_password_is_shown() -> None:
    database = Database("postgresql+psycopg://me:hidden@127.0.0.1:1/nowhere")
    assert "hidden" not in f"{database!r} {database}"
    with pytest.raises(DatabaseError) as caught:
        database.use("things", 1, METADATA)
    assert "hidden" not in str(caught.value)


def test_a_second_door_to_a_file_does_not_open_the_lock_of_the_first(path: Path) -> None:
    """POSIX takes a lock away when its process closes the file by any descriptor: another process
    must still be kept out while a transaction is going on here.
    """
    script = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "connection.execute('PRAGMA locking_mode = EXCLUSIVE')\n"
        "connection.execute('BEGIN EXCLUSIVE')\n"
    )

    def other() -> str:
        command = [sys.executable, "-c", script, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stderr

    plain = sqlite3.connect(path, isolation_level=None)
    plain.execute("CREATE TABLE locked (x)")
    path.chmod(0o600)
    plain.execute("BEGIN IMMEDIATE")
    assert "database is locked" in other()
    Database(sqlite_url(path)).close()
    assert "database is locked" in other()
    plain.execute("ROLLBACK")
    assert other() == ""
    plain.close()
