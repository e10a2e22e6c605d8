"""Ledgers with entries of every kind, in SQLite and in a PostgreSQL of our own."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.database import Database, sqlite_url
from emulator.ledger import Entry, Ledger, Outcome
from emulator.ledger.store import LedgerStore
from emulator.policy import LETTER, Actor, Category, Purpose, Question, decide, key_uses

BEGIN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
METER = b"LGB\x47\0\0\0\4"
KEYS = (
    (),
    (KeyRef(METER, "s1sp", KeyKind.GUEK), KeyRef(METER, "s1sp", KeyKind.GAK, version=2)),
    (KeyRef(METER, "s1sp", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 7),),
    (KeyRef(METER, "a/b ü", KeyKind.KEK),),
)


def _sample(count: int) -> list[Entry]:
    """Different entries, one a second."""
    cycle = itertools.cycle(
        itertools.product(Actor, (*Category, None), Purpose, KEYS, Outcome, (False, True))
    )
    entries = []
    # A step that shares no factor with any of the sets, so that all of them vary.
    for number, (actor, category, purpose, keys, outcome, flag) in enumerate(
        itertools.islice(cycle, 0, 37 * count, 37), 1
    ):
        question = Question(actor=actor, purpose=purpose, category=category, keys=key_uses(keys))
        entries.append(
            Entry(
                number=number,
                time=BEGIN + dt.timedelta(seconds=number),
                actor=actor,
                device=f"4C474247{number % 5:08}",
                category=category,
                operation="Seal" if flag else "Open",
                purpose=purpose,
                keys=keys,
                decision=decide(question, LETTER),
                module="software" if flag else "SoftHSM (ü)",
                emulated=not flag,
                sufficient=flag,
                outcome=outcome,
                edition="letter",
                mode="enforce" if outcome is Outcome.REFUSED else "observe",
            )
        )
    return entries


@pytest.fixture(scope="session")
def sample() -> Callable[[int], list[Entry]]:
    return _sample


@pytest.fixture(scope="session")
def record() -> Callable[[Ledger, Entry], None]:
    """Append what an entry says, as Custody does."""

    def record(ledger: Ledger, entry: Entry) -> None:
        said = entry._asdict()
        del said["number"], said["time"]
        ledger.append(**said)

    return record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dcc.db"


@pytest.fixture
def make_store(path: Path) -> Iterator[Callable[[], LedgerStore]]:
    """A store on the SQLite file of the test, opened once more each time."""
    made: list[LedgerStore] = []

    def make() -> LedgerStore:
        made.append(LedgerStore(Database(sqlite_url(path))))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def postgres_url(postgres: Any, request: pytest.FixtureRequest) -> str:
    """Of a database of the test's own, with nothing in it."""
    return postgres.create(f"ledger_{abs(hash(request.node.nodeid))}")
