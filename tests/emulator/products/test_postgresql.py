"""The register in PostgreSQL: a server of the test's own, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

STARTUP = 60
"""Seconds until a server is ready."""


def programs() -> Path:
    """The folder of the server's programs, which Debian keeps off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not folders:
        pytest.skip("PostgreSQL's server is not installed")
    return folders[0]


def user() -> dict[str, Any]:
    """Whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return {}
    try:
        return {"user": pwd.getpwnam("postgres").pw_name, "extra_groups": []}
    except KeyError:
        pytest.skip("there is no user for PostgreSQL's server, and root must not be it")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The server's, which answers on a socket in it: with a short name, for a socket's sake."""
    bin, who = programs(), user()
    folder = Path(tempfile.mkdtemp(prefix="cosemlab-pg-"))
    if who:
        shutil.chown(folder, who["user"])
    data = str(folder / "data")

    def run(*command: str) -> None:
        subprocess.run(
            [bin / command[0], *command[1:], "-D", data],
            check=True,
            timeout=STARTUP,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **who,
        )

    run("initdb", "-A", "trust", "-U", "me", "--no-sync")
    options = f"-F -c listen_addresses='' -k {folder}"
    run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
    try:
        yield folder
    finally:
        run("pg_ctl", "stop", "-w", "-m", "fast")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server(
    folder: Path, make_desk: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """A desk with the example data, published, on the server."""
    desk = make_desk(tmp_path_factory.mktemp("server"))
    desk.url = f"postgresql+psycopg://me@/postgres?host={folder}"
    published(desk)
    return desk


def published(desk: Any) -> dict[str, bytes]:
    desk.done("seed", "--on", "2019-03-01")
    files: dict[str, bytes] = desk.publish("--on", "2019-03-26")
    return files


def test_the_same_lists_as_from_sqlite(server: Any, desk: Any) -> None:
    assert server.files() == published(desk)
    assert server.publish_again("2019-03-26") == desk.files()
    assert server.done("list", "--internal") == desk.done("list", "--internal")


@pytest.mark.parametrize("table", ["products_acts", "products_publications"])
@pytest.mark.parametrize("change", ["UPDATE {} SET day = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_it_only_adds(server: Any, folder: Path, table: str, change: str) -> None:
    with (
        closing(psycopg.connect(f"host={folder} user=me dbname=postgres")) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="only ever added to"),
    ):
        connection.execute(change.format(table))
