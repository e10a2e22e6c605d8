"""A PostgreSQL server of the test run's own: a fixture, which conftest.py shows to the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

WHO = ("postgres", "nobody")
"""Users to run PostgreSQL as, for it refuses root: the first that there is."""


class Postgres:
    """A cluster in a directory of its own that listens on a Unix socket there, for its owner."""

    def __init__(self, directory: Path) -> None:
        (initdb,) = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))[-1:]
        self._bin = initdb.parent
        self._directory = directory
        self._as: dict[str, Any] = {"cwd": "/"}
        self.user = "owner"
        if os.geteuid() == 0:
            owner = next(name for name in WHO if _exists(name))
            shutil.chown(directory, owner)
            self._as |= {"user": owner, "extra_groups": []}
        self._run(
            "initdb", "-D", str(directory / "data"), "-U", self.user, "-A", "trust", "--no-sync"
        )
        options = f"-k {directory} -c listen_addresses= -c fsync=off"
        log = str(directory / "log")
        self._run("pg_ctl", "-D", str(directory / "data"), "-w", "-l", log, "-o", options, "start")

    def url(self, name: str = "postgres") -> str:
        return f"postgresql+psycopg://{self.user}@/{name}?host={self._directory}"

    def create(self, name: str) -> str:
        """A database; gives its URL."""
        engine = sa.create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self.url(name)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._directory / "data"), "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **self._as,
        )
        assert done.returncode == 0, f"{program} has failed; see {self._directory}"


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not under pytest's own folder, into which no other user may look.
    directory = Path(tempfile.mkdtemp(prefix="cosemlab-pg-"))
    cluster = Postgres(directory)
    yield cluster
    cluster.stop()
    shutil.rmtree(directory)
