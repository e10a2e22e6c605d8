"""A database that is damaged is refused at start, and the line says what is wrong with it.

Octets that nothing depends on may change; then everything is what it was.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.main import main
from emulator.journal import StoreError
from emulator.memory.kept_memories import KeptMemories
from emulator.memory.storage_keys import Sealing, wrapping_key
from emulator.memory.store import Store
from emulator.workspace import Workspace

SECRET = bytes(range(0x40, 0x60))
TITLE = b"EHL\1\0\0\0\1"
FLIPS = int(os.environ.get("COSEMLAB_FLIPS", "1000"))


@pytest.fixture
def filled(folder: Path, load: Any, fill: Any, contents: Any) -> Any:
    """A folder with a meter, and what it is to remember."""
    with KeptMemories(folder, SECRET) as memories:
        memory = load(memories)
        fill(memory)
        memory.commit()
        return folder, contents(memory)


def found(folder: Path, load: Any, contents: Any, secret: bytes = SECRET) -> Any:
    with KeptMemories(folder, secret) as memories:
        return contents(load(memories))


def sql(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "meters.sqlite", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def refusal(folder: Path, secret: bytes = SECRET) -> str:
    """What is said; and nothing has been left locked, so that what is mended can be opened."""
    lines = set()
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            KeptMemories(folder, secret)
        lines.add(str(caught.value))
    (line,) = lines
    assert line.startswith(str(folder / "meters.sqlite"))
    assert "\n" not in line
    return line


def test_flipped_octets(filled: Any, load: Any, contents: Any) -> None:
    folder, before = filled
    path = folder / "meters.sqlite"
    whole, chance = path.read_bytes(), random.Random(1)
    with Store(path, SECRET) as store:
        kept = store.load(TITLE)
    used = [place for place, octet in enumerate(whole) if octet]
    lines: list[str] = []
    for place in chance.choices(used, k=FLIPS):
        octets = bytearray(whole)
        octets[place] ^= 1 << chance.randrange(8)
        path.write_bytes(octets)
        try:
            store = Store(path, SECRET)
        except StoreError as error:
            lines.append(str(error))
            continue
        assert store.load(TITLE) == kept, place
        store.close()
    assert len(lines) > FLIPS * 0.8, "most of it matters"
    assert all(line.startswith(str(path)) and "\n" not in line for line in lines)
    path.write_bytes(whole)
    assert found(folder, load, contents) == before


@pytest.mark.parametrize("part", [0, 1, 15, 16, 100, 4096, 4097, 8192, -1, -4096])
def test_truncated(filled: Any, part: int) -> None:
    folder, _ = filled
    path = folder / "meters.sqlite"
    path.write_bytes(path.read_bytes()[:part])
    refusal(folder)


def test_missing(filled: Any) -> None:
    folder, _ = filled
    (folder / "meters.sqlite").unlink()
    line = refusal(folder)
    assert "is missing" in line
    assert "a new workspace begins anew" in line
    assert not (folder / "meters.sqlite").exists()


def test_another_file(filled: Any) -> None:
    folder, _ = filled
    (folder / "meters.sqlite").write_bytes(b"{}\n" * 1000)
    assert refusal(folder).endswith("is damaged: file is not a database")


def test_a_database_of_something_else(filled: Any) -> None:
    folder, _ = filled
    (folder / "meters.sqlite").unlink()
    sql(folder, "CREATE TABLE notes (text)")
    (folder / "meters.sqlite").chmod(0o600)
    assert "application_id is 0, 1129272141 was expected" in refusal(folder)


def test_readable_by_others(filled: Any) -> None:
    folder, _ = filled
    (folder / "meters.sqlite").chmod(0o644)
    with pytest.raises(PermissionError, match=r"meters\.sqlite has mode 0644"):
        KeptMemories(folder, SECRET)


def test_what_only_sqlite_can_see(filled: Any) -> None:
    """The number of free pages in its header, say: every row is there, but not for long."""
    folder, _ = filled
    path = folder / "meters.sqlite"
    octets = bytearray(path.read_bytes())
    octets[39] += 1
    path.write_bytes(octets)
    assert "reelist" in refusal(folder)


WRONG: dict[str, tuple[str, str]] = {
    "a later cosemlab": ("PRAGMA user_version = 2", "user_version is 2, 1 was expected"),
    "no table": ("DROP TABLE memory", "is damaged: it has no table memory"),
    "another table": ("ALTER TABLE memory ADD more", "is damaged: it has no table memory"),
    "no fleet": ("DELETE FROM fleet", "another secret"),
    "two fleets": ("INSERT INTO fleet SELECT * FROM fleet", "another secret"),
    "a value": (
        "UPDATE memory SET value = x'06' WHERE section = 'figures'",
        "meter 45484C0100000001, section figures, key 'lived': its seal does not fit",
    ),
    "a value of another row": (
        "UPDATE memory SET (value, seal) = (SELECT value, seal FROM memory WHERE section = 'keys' "
        "ORDER BY key LIMIT 1) WHERE section = 'keys'",
        "section keys, key",
    ),
    "another key": ("UPDATE memory SET key = 6 WHERE section = 'alerts'", "section alerts, key 6"),
    "another meter": ("UPDATE memory SET meter = x'01'", "table memory, meter 01, section"),
    "another section": (
        "UPDATE memory SET section = 'rows' WHERE section = 'values'",
        "section rows, key",
    ),
    "a row less": (
        "DROP TRIGGER one_less; DELETE FROM memory WHERE section = 'users'",
        "it has no trigger one_less",
    ),
    "all rows less": (
        "UPDATE tally SET rows = rows + 1",
        "table memory, meter 45484C0100000001: 30 rows, 31 were expected",
    ),
    "no tally": (
        "DELETE FROM tally",
        "table memory, meter 45484C0100000001: 30 rows, 0 were expected",
    ),
    "no seal": ("UPDATE memory SET seal = 0 WHERE section = 'users'", "section users, key 'dco'"),
    "another version": (
        "UPDATE memory SET version = 2 WHERE section = 'users'",
        "section users, key 'dco'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_as_it_was_written(filled: Any, name: str) -> None:
    folder, _ = filled
    statement, words = WRONG[name]
    sql(folder, *statement.split("; "))
    assert words in refusal(folder)


FORMS: dict[str, tuple[Any, ...]] = {
    "section unknown here": ("colours", "x", 1, b"", "this cosemlab has no such section"),
    "later version": ("figures", "x", 2, b"1", "version 2, 1 was expected"),
    "no JSON": ("figures", "x", 1, b"{", "Expecting property name"),
    "JSON of another type": ("figures", "x", 1, b'"1"', "str is no int"),
    "key of another type": ("figures", 5, 1, b"1", "int is no str"),
    "value of another type": ("figures", "x", 1, "1", "str is no bytes"),
    "too few parts": ("alerts", 1, 1, b"[1]", "list index out of range"),
    "no such kind": ("key_versions", '["dco","NONE"]', 1, b"1", "'NONE'"),
    "A-XDR too short": ("values", bytes(14), 1, b"\5\0", "double-long"),
    "A-XDR and more": ("values", bytes(14), 1, b"\0\0", "1 octets"),
    "no running number": ("rows", bytes(3), 1, b"\0", "unpack requires"),
    "not wrapped": (
        "keys",
        '["45484c0100000001","dco","GUEK","LONG_LIVED",3]',
        1,
        bytes(24),
        "InvalidUnwrap",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_sealed_and_yet_no_row_of_ours(filled: Any, name: str) -> None:
    folder, _ = filled
    *row, words = FORMS[name]
    connection = sqlite3.connect(folder / "meters.sqlite", isolation_level=None)
    connection.execute(
        "INSERT INTO memory VALUES (?, ?, ?, ?, ?, ?)",
        (TITLE, *row, Sealing(SECRET).seal(TITLE, *row)),
    )
    connection.close()
    line = refusal(folder)
    assert f"table memory, meter 45484C0100000001, section {row[0]}, key {row[1]!r}: " in line
    assert words in line


def test_another_fleet(filled: Any) -> None:
    folder, _ = filled
    line = refusal(folder, bytes(32))
    assert line.endswith("belongs to a fleet with another secret: its keys cannot be unwrapped")


def test_storage_keys_are_of_one_meter_and_fleet() -> None:
    keys = {wrapping_key(s, t) for s in (SECRET, bytes(32)) for t in (TITLE, TITLE[::-1])}
    assert len(keys) == 4
    assert Sealing(SECRET).seal(b"ab", "c") != Sealing(SECRET).seal(b"a", "bc")
    assert Sealing(SECRET).seal(1) != Sealing(SECRET).seal("1") != Sealing(bytes(32)).seal("1")


# The command --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(b""), "application_id is 0"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "is damaged"),
        (lambda path: sql(path.parent, "PRAGMA user_version = 9"), "user_version is 9"),
    ],
)
def test_up_refuses_it(
    harm: Callable[[Path], object],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    workspace = tmp_path / "workspace"
    Workspace(workspace)
    harm(workspace / "meters.sqlite")
    assert main(["up", "secure", "--workspace", str(workspace)]) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith(f"cosemlab: {workspace / 'meters.sqlite'} ")
    assert words in line
    assert captured.out == ""
    assert not (workspace / "sandbox.json").exists()
