"""Entries that last: in SQLite and in PostgreSQL, by several writers, and after a kill."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from emulator.database import Database, DatabaseError, sqlite_url
from emulator.ledger import Entry, LedgerError, Outcome
from emulator.ledger.chain import genesis
from emulator.ledger.filters import Filter
from emulator.ledger.record import entry_of
from emulator.ledger.store import ENTRIES, HEAD, PAGE, LedgerStore
from emulator.policy import Actor, Category, ModuleClass, Purpose

APPENDING = Path(__file__).with_name("appending.py")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, path: Path) -> str:
    if request.param == "sqlite":
        return str(sqlite_url(path))
    found: str = request.getfixturevalue("postgres_url")
    return found


def read(store: LedgerStore, only: Filter | None = None) -> list[Entry]:
    return [entry_of(link.number, link.record) for link in store.links(only)]


def test_what_is_written_is_read(url: str, sample: Callable[[int], list[Entry]]) -> None:
    entries = sample(300)
    store = LedgerStore(Database(url))
    assert store.head() == genesis(store.head().ledger)
    head = store.append(entries)
    store.close()
    again = LedgerStore(Database(url))
    assert again.head() == head == again.verify()
    assert read(again) == entries
    again.close()


def test_it_goes_on_where_it_was(url: str, sample: Callable[[int], list[Entry]]) -> None:
    entries = sample(30)
    first, second = LedgerStore(Database(url)), LedgerStore(Database(url))
    assert first.head() == second.head()
    for begin in range(0, 30, 10):
        first.append(entries[begin : begin + 5])
        second.append(entries[begin + 5 : begin + 10])
    assert first.verify() == second.verify()
    assert read(second) == entries
    first.close()
    second.close()


def test_two_ledgers_are_two(tmp_path: Path, sample: Callable[[int], list[Entry]]) -> None:
    """The same entries in another ledger have other hashes."""
    heads = set()
    for name in ("one", "two"):
        store = LedgerStore(Database(sqlite_url(tmp_path / name)))
        heads |= {genesis(store.head().ledger).hash, store.append(sample(1)).hash}
        store.close()
    assert len(heads) == 4


def test_more_than_a_page(make_store: Any, sample: Callable[[int], list[Entry]]) -> None:
    store = make_store()
    entries = sample(2 * PAGE)
    store.append(entries)
    assert [entry.number for entry in read(store)] == list(range(1, 2 * PAGE + 1))
    assert store.verify().number == 2 * PAGE
    half = Filter(operation="Seal")
    assert read(store, half) == [entry for entry in entries if entry.operation == "Seal"]


@pytest.mark.parametrize(
    ("only", "wanted"),
    [
        (Filter(actor=Actor.DCO), lambda e: e.actor is Actor.DCO),
        (Filter(device="4C47424700000003"), lambda e: e.device == "4C47424700000003"),
        (Filter(category=Category.CATEGORY_1), lambda e: e.category is Category.CATEGORY_1),
        (Filter(smets1=False), lambda e: e.category is None),
        (Filter(operation="Open"), lambda e: e.operation == "Open"),
        (Filter(purpose=Purpose.OTHER), lambda e: e.purpose is Purpose.OTHER),
        (
            Filter(module_class=ModuleClass.LEVEL_3),
            lambda e: e.decision.module_class is ModuleClass.LEVEL_3,
        ),
        (Filter(clause="G2.44(a)"), lambda e: e.decision.clause == "G2.44(a)"),
        (Filter(module="software"), lambda e: e.module == "software"),
        (Filter(outcome=Outcome.FAILED), lambda e: e.outcome is Outcome.FAILED),
        (Filter(insufficient=True), lambda e: not e.sufficient),
    ],
)
def test_filters(only: Filter, wanted: Any, url: str, sample: Callable[[int], list[Entry]]) -> None:
    """The same in a database and on records in memory."""
    entries = sample(500)
    expected = [entry for entry in entries if wanted(entry)]
    assert 0 < len(expected) < 500
    store = LedgerStore(Database(url))
    store.append(entries)
    assert read(store, only) == expected
    pairs = zip(entries, store.links(), strict=True)
    assert [entry for entry, link in pairs if only.wants(link.record)] == expected
    store.close()


def test_from_a_time_to_another(url: str, sample: Callable[[int], list[Entry]]) -> None:
    entries = sample(10)
    store = LedgerStore(Database(url))
    store.append(entries)
    only = Filter(since=entries[2].time, until=entries[5].time)
    assert read(store, only) == entries[2:5]
    store.close()


# Several writers ----------------------------------------------------------------------------------


def start(url: str, name: str, count: int, flush: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(APPENDING), url, name, str(count), str(flush)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_on_a_new_ledger(url: str) -> None:
    """Nothing of any is lost or twice, and each one's own is in order."""
    writers = [start(url, f"writer {number}", 60, 7) for number in range(4)]
    said = [writer.communicate()[1] for writer in writers]
    ended = [(writer.returncode, err) for writer, err in zip(writers, said, strict=True)]
    assert ended == [(0, "")] * 4
    store = LedgerStore(Database(url))
    assert store.verify().number == 240
    by_writer: dict[str, list[str]] = defaultdict(list)
    for entry in read(store):
        by_writer[entry.device].append(entry.operation)
    assert by_writer == {
        f"writer {number}": [str(one) for one in range(1, 61)] for number in range(4)
    }
    store.close()


def test_a_writer_that_is_killed(url: str) -> None:
    """The chain is whole, with all that was flushed in it, and goes on."""
    writer = start(url, "killed", 1_000_000, 10)
    assert writer.stdout is not None
    for _ in range(20):
        said = writer.stdout.readline()
    writer.kill()
    said = (writer.stdout.readlines() or [said])[-1]
    writer.communicate()
    assert writer.returncode == -9
    store = LedgerStore(Database(url))
    head = store.verify()
    assert head.number >= int(said) >= 200
    assert [entry.operation for entry in read(store)] == [
        str(number) for number in range(1, head.number + 1)
    ]
    after = start(url, "after", 10, 10)
    _, err = after.communicate()
    assert (after.returncode, err) == (0, "")
    assert store.verify(head).number == head.number + 10
    store.close()


# What is no ledger --------------------------------------------------------------------------------


def test_a_batch_is_written_whole_or_not(
    make_store: Any, path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    """Something is where the last of the batch belongs."""
    store = make_store()
    head = store.append(sample(3))
    database = Database(sqlite_url(path))
    with database.begin() as connection:
        connection.execute(
            ENTRIES.insert().values(number=6, **dict.fromkeys(ENTRIES.columns.keys()[1:], "there"))
        )
    database.close()
    with pytest.raises(DatabaseError, match="UNIQUE"):
        store.append(sample(3))
    assert store.head() == head
    assert [link.number for link in store.links()] == [1, 2, 3, 6]


@pytest.mark.parametrize(
    "damage", [{"ledger": "no id"}, {"number": -1}, {"hash": "0"}, {"hash": "G" * 64}]
)
def test_a_head_that_is_damaged(damage: dict[str, Any], make_store: Any, path: Path) -> None:
    make_store()
    database = Database(sqlite_url(path))
    with database.begin() as connection:
        connection.execute(sa.update(HEAD).values(**damage))
    with pytest.raises(LedgerError, match="head is damaged"):
        LedgerStore(database)
    database.close()


def test_an_entry_of_another_version(
    make_store: Any, path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    """What this software does not know it does not read as something else."""
    make_store().append(sample(2))
    database = Database(sqlite_url(path))
    with database.begin() as connection:
        connection.execute(sa.update(ENTRIES).values(purpose="CHAT").where(ENTRIES.c.number == 2))
    database.close()
    with pytest.raises(LedgerError, match="entry 2 cannot be read: 'CHAT'"):
        read(make_store())
