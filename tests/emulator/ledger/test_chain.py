"""The chain, against an implementation of ``docs/ledger.md`` by hand, and against every change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.database import Database, sqlite_url
from emulator.ledger import Entry, LedgerError
from emulator.ledger.chain import Head, genesis, head_from
from emulator.ledger.errors import Tampered
from emulator.ledger.store import ENTRIES, HEAD, LedgerStore

COUNT = 12
COLUMNS = tuple(ENTRIES.columns.keys())
ORDER = (
    "time", "actor", "device", "category", "operation", "purpose", "keys", "module_class", "clause",
    "why", "deciding_key", "module", "emulated", "sufficient", "outcome", "edition", "mode",
)  # fmt: skip


@pytest.fixture(scope="module")
def database(
    tmp_path_factory: pytest.TempPathFactory, sample: Callable[[int], list[Entry]]
) -> Iterator[Database]:
    """A ledger with twelve entries, to be tampered with inside a transaction."""
    database = Database(sqlite_url(tmp_path_factory.mktemp("chain") / "dcc.db"))
    LedgerStore(database).append(sample(COUNT))
    yield database
    database.close()


@pytest.fixture(scope="module")
def rows(database: Database) -> list[dict[str, Any]]:
    with database.begin() as connection:
        return [dict(row) for row in connection.execute(sa.select(ENTRIES)).mappings()]


@pytest.fixture(scope="module")
def head(database: Database) -> Head:
    return LedgerStore(database).head()


def replace(database: Database, rows: list[dict[str, Any]], head: Head) -> LedgerStore:
    with database.begin() as connection:
        connection.execute(ENTRIES.delete())
        if rows:
            connection.execute(ENTRIES.insert(), rows)
        connection.execute(HEAD.update().values(**head._asdict()))
    return LedgerStore(database)


def bad_number(
    database: Database, rows: list[dict[str, Any]], head: Head, known: Head | None = None
) -> int:
    with pytest.raises(Tampered) as caught:
        replace(database, rows, head).verify(known)
    assert str(caught.value).startswith(f"entry {caught.value.number}: ")
    return caught.value.number


def by_hand(ledger: str, rows: list[dict[str, Any]]) -> list[str]:
    """The hashes, as docs/ledger.md has it."""
    found = [hashlib.sha256(b"cosemlab ledger genesis 1\x00" + bytes.fromhex(ledger)).digest()]
    for row in rows:
        octets = [row[name].encode("utf-8") for name in ORDER]
        covered = b"cosemlab ledger entry 1\x00" + found[-1]
        covered += row["number"].to_bytes(8, "big")
        covered += b"".join(len(one).to_bytes(4, "big") for one in octets) + b"".join(octets)
        found.append(hashlib.sha256(covered).digest())
    return [one.hex() for one in found]


def test_the_hashes_are_what_the_page_says(rows: list[dict[str, Any]], head: Head) -> None:
    first, *hashes = by_hand(head.ledger, rows)
    assert [row["hash"] for row in rows] == hashes
    assert [row["previous"] for row in rows] == [first, *hashes[:-1]]
    assert head == (head.ledger, COUNT, hashes[-1])
    assert any(not row["keys"].isascii() or not row["module"].isascii() for row in rows)


def test_untouched_it_holds(database: Database, rows: list[dict[str, Any]], head: Head) -> None:
    assert replace(database, rows, head).verify() == head
    assert replace(database, rows, head).verify(head) == head


OTHER = st.one_of(
    st.text(max_size=8).filter(lambda text: "\0" not in text),
    st.binary(max_size=4),
    st.integers(-(2**63), 2**63 - 1).map(str),
)


@settings(max_examples=300)
@given(data=st.data())
def test_every_change_of_a_field_is_found(
    database: Database, rows: list[dict[str, Any]], head: Head, data: st.DataObject
) -> None:
    which = data.draw(st.integers(0, COUNT - 1), "row")
    column = data.draw(st.sampled_from(COLUMNS[1:]), "column")
    there = rows[which][column]
    value = data.draw(
        st.one_of(
            OTHER,
            st.sampled_from([row[column] for row in rows]),
            st.just(there.swapcase()),
            st.just(there + " "),
            st.just(there[:-1]),
        ).filter(lambda value: value != there),
        "value",
    )
    changed = [dict(row) for row in rows]
    changed[which][column] = value
    assert bad_number(database, changed, head) == which + 1


@settings(max_examples=100)
@given(which=st.integers(0, COUNT - 1), octets=st.binary(min_size=1, max_size=3))
def test_octets_that_are_no_text(
    database: Database, rows: list[dict[str, Any]], head: Head, which: int, octets: bytes
) -> None:
    """SQLite does not look at what it is told to be text."""
    store = replace(database, rows, head)
    with database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_entries SET why = why || CAST(? AS TEXT) WHERE number = ?",
            (octets, which + 1),
        )
    with pytest.raises(Tampered) as caught:
        store.verify()
    assert caught.value.number == which + 1


@settings(max_examples=200)
@given(data=st.data())
def test_every_other_order_is_found(
    database: Database, rows: list[dict[str, Any]], head: Head, data: st.DataObject
) -> None:
    """Entries change places and take the numbers of those places; the first out of place is bad."""
    order = data.draw(st.permutations(range(COUNT)).filter(lambda o: list(o) != sorted(o)))
    moved = [{**rows[place], "number": number} for number, place in enumerate(order, 1)]
    first = next(number for number, place in enumerate(order, 1) if place != number - 1)
    assert bad_number(database, moved, head) == first


@settings(max_examples=100)
@given(gone=st.sets(st.integers(1, COUNT), min_size=1), numbered=st.booleans())
def test_every_removal_is_found(
    database: Database, rows: list[dict[str, Any]], head: Head, gone: set[int], numbered: bool
) -> None:
    """Also if those that are left are numbered anew."""
    left = [row for row in rows if row["number"] not in gone]
    if numbered:
        left = [{**row, "number": number} for number, row in enumerate(left, 1)]
    assert bad_number(database, left, head) == min(gone)


@settings(max_examples=100)
@given(data=st.data())
def test_every_insertion_is_found(
    database: Database, rows: list[dict[str, Any]], head: Head, data: st.DataObject
) -> None:
    """A copy of any entry at any place, also where there is no place."""
    copied = data.draw(st.sampled_from(rows))
    place = data.draw(st.one_of(st.integers(1, COUNT + 1), st.sampled_from((-5, 0))))
    if place < 1:
        assert bad_number(database, [*rows, {**copied, "number": place}], head) == place
        return
    there = [*rows[: place - 1], copied, *rows[place - 1 :]]
    there = [{**row, "number": number} for number, row in enumerate(there, 1)]
    # A copy right before or behind itself: the second of the two is what does not belong.
    expected = place + 1 if copied["number"] == place else place
    assert bad_number(database, there, head) == expected


@settings(max_examples=50)
@given(kept=st.integers(0, COUNT - 1))
def test_an_end_that_is_cut_off(
    database: Database, rows: list[dict[str, Any]], head: Head, kept: int
) -> None:
    """Who cuts off the end and sets the head back is found by a head that was kept elsewhere."""
    digest = rows[kept - 1]["hash"] if kept else genesis(head.ledger).hash
    shorter = Head(head.ledger, kept, digest)
    assert replace(database, rows[:kept], shorter).verify() == shorter
    assert bad_number(database, rows[:kept], shorter, known=head) == kept + 1
    assert bad_number(database, rows[:kept], head) == kept + 1


def rewritten(ledger: str, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Head]:
    """All hashes made anew, as one can who may write everything."""
    hashes = by_hand(ledger, rows)
    new = [
        {**row, "previous": previous, "hash": digest}
        for row, previous, digest in zip(rows, hashes, hashes[1:], strict=False)
    ]
    return new, Head(ledger, len(rows), hashes[-1])


@pytest.mark.parametrize("which", range(COUNT))
def test_a_chain_that_is_made_anew(
    which: int, database: Database, rows: list[dict[str, Any]], head: Head
) -> None:
    changed = [dict(row) for row in rows]
    changed[which]["outcome"] = "CHANGED"
    new, new_head = rewritten(head.ledger, changed)
    assert replace(database, new, new_head).verify() == new_head
    assert bad_number(database, new, new_head, known=head) == COUNT
    early = Head(head.ledger, which + 1, rows[which]["hash"])
    assert bad_number(database, new, new_head, known=early) == which + 1


def test_a_head_of_another_ledger(
    database: Database, rows: list[dict[str, Any]], head: Head
) -> None:
    other, other_head = rewritten("ab" * 16, rows)
    store = replace(database, other, other_head)
    assert store.verify() == other_head
    with pytest.raises(LedgerError, match=f"this is ledger {'ab' * 16}, and the head is of"):
        store.verify(head)
    # The id alone, with the old hashes.
    assert bad_number(database, rows, Head("ab" * 16, COUNT, head.hash)) == 1


@pytest.mark.parametrize("begin", [0, 1, 5, COUNT])
def test_from_a_head_on(
    begin: int, database: Database, rows: list[dict[str, Any]], head: Head
) -> None:
    """What is before it is taken as verified, what is after it is looked at."""
    digest = rows[begin - 1]["hash"] if begin else genesis(head.ledger).hash
    known = Head(head.ledger, begin, digest)
    before = [{**row, "why": "changed"} if row["number"] <= begin else row for row in rows]
    assert replace(database, before, head).verify(known, since=True) == head
    if begin == COUNT:
        return
    after = [{**row, "why": "changed"} if row["number"] == COUNT else row for row in rows]
    store = replace(database, after, head)
    with pytest.raises(Tampered) as caught:
        store.verify(known, since=True)
    assert caught.value.number == COUNT


def test_a_wrong_head_to_go_on_from(
    database: Database, rows: list[dict[str, Any]], head: Head
) -> None:
    store = replace(database, rows, head)
    with pytest.raises(Tampered) as caught:
        store.verify(Head(head.ledger, 5, "0" * 64), since=True)
    assert caught.value.number == 6
    with pytest.raises(Tampered, match="entry 1: the head that is known of the empty ledger"):
        store.verify(Head(head.ledger, 0, "0" * 64))
    with pytest.raises(Tampered) as caught:
        store.verify(Head(head.ledger, COUNT + 1, "0" * 64), since=True)
    assert caught.value.number == COUNT + 1


@pytest.mark.parametrize("number", [COUNT - 1, COUNT + 1])
def test_a_head_of_the_ledgers_own_that_is_elsewhere(
    number: int, database: Database, rows: list[dict[str, Any]], head: Head
) -> None:
    expected = max(number, COUNT) if number < COUNT else COUNT + 1
    assert bad_number(database, rows, head._replace(number=number)) == expected
    assert bad_number(database, rows, head._replace(hash="0" * 64)) == COUNT


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"ledger": "00" * 16, "number": 1},
        {"ledger": "00" * 15, "number": 1, "hash": "0" * 64},
        {"ledger": "00" * 16, "number": -1, "hash": "0" * 64},
        {"ledger": "00" * 16, "number": True, "hash": "0" * 64},
        {"ledger": "00" * 16, "number": 1, "hash": "A" * 64},
    ],
)
def test_what_is_no_head(document: object) -> None:
    with pytest.raises(LedgerError, match="a head has ledger, number and hash"):
        head_from(document)


def test_nothing_secret_is_stored(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    """Only names: of a key there is the holder's title, scope, kind, lifetime and version."""
    shown = {part for row in rows for part in row["keys"].strip("[]").split(",") if part}
    assert '"4C47424700000004/s1sp/GAK/LONG_LIVED/2"' in shown
    assert all(part.count("/") in (4, 5) for part in shown)
