"""Versions of the lists: numbered, dated, hashed, made again from the history, never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from emulator.database import Database
from emulator.products.acts import Requested
from emulator.products.combination import combination
from emulator.products.device_model import device_model
from emulator.products.store import Dated, ProductStore
from emulator.products.testing import ParticipantKind


def versions(desk: Any) -> list[tuple[str, int, str]]:
    return [
        (one["list"].split()[1], one["version"], one["publication_date"])
        for one in desk.json("history")["versions"]
    ]


def three(desk: Any) -> list[dict[str, bytes]]:
    """Three publications; the second changes the Pending list, the third both."""
    first = desk.publish("--on", "2019-03-01")
    id = desk.request("Aclara", "--on", "2019-03-02")
    desk.progress(id, "testing", "--on", "2019-03-02")
    second = desk.publish("--on", "2019-03-03")
    desk.done("eligible", id, "--on", "2019-03-04")
    return [first, second, desk.publish("--on", "2019-03-05")]


def test_a_version_is_new_if_something_on_the_list_is(desk: Any) -> None:
    three(desk)
    desk.publish("--on", "2019-03-06")
    assert versions(desk) == [
        ("Eligible", 1, "2019-03-01"),
        ("Eligible", 2, "2019-03-05"),
        ("Pending", 1, "2019-03-01"),
        ("Pending", 2, "2019-03-03"),
        ("Pending", 3, "2019-03-05"),
    ]


def test_each_is_made_again_from_the_history(desk: Any) -> None:
    published = three(desk)
    # What is written later is of no account, whatever day it is of.
    late = desk.request("Itron", "--on", "2019-03-02")
    desk.progress(late, "testing", "--on", "2019-03-02")
    days = ("2019-03-01", "2019-03-03", "2019-03-05")
    for day, files in zip(days, published, strict=True):
        assert desk.publish_again(day) == files
    assert desk.publish_again("2019-03-04") == published[1]
    assert desk.publish_again("2019-02-28") == published[1]  # none then: nothing is written
    assert len(versions(desk)) == 5


def test_what_is_of_a_later_day_is_not_on_the_list_yet(desk: Any) -> None:
    """Though it is written already, when a list of an earlier day is published."""
    id = desk.request("Itron", "--on", "2019-03-10")
    desk.progress(id, "testing", "--on", "2019-03-10")
    desk.done("eligible", *desk.described("Aclara"), "--on", "2019-03-10")
    published = desk.publish("--on", "2019-03-05")
    assert desk.on_list("Pending") == desk.on_list("Eligible") == []
    assert desk.publish_again("2019-03-05") == published
    desk.publish("--on", "2019-03-10")
    assert desk.on_list("Pending") == [id]
    assert len(desk.on_list("Eligible")) == 1
    assert desk.publish_again("2019-03-09") == published


def test_the_lists_of_a_day(desk: Any) -> None:
    three(desk)
    counts = [
        [len(one["combinations"]) for one in desk.json("list", "--as-of", day)["lists"]]
        for day in ("2019-02-28", "2019-03-01", "2019-03-04", "2019-03-05")
    ]
    assert counts == [[], [0, 0], [0, 1], [1, 0]]


def test_what_was_published_is_not_changed_afterwards(desk: Any) -> None:
    three(desk)
    described = desk.described("Itron")
    for arguments in (
        ("eligible", *described, "--on", "2019-03-04"),
        ("publish", "--out", str(desk.lists), "--on", "2019-03-04"),
    ):
        refused = desk.run(*arguments)
        assert refused.status == 1
        assert "lists were published on 2019-03-05" in refused.err
    desk.done("eligible", *described, "--on", "2019-03-05")


def test_several_write_at_once(desk: Any) -> None:
    """Acts get numbers one after another, and none is lost."""
    one = combination([device_model("ESME", "Aclara", "E1", "1", "1.0.0")], "CSP North")

    def write(name: str) -> None:
        database = Database(desk.url)
        store = ProductStore(database)
        for number in range(5):
            participant = f"{name} {number}"
            kind = ParticipantKind.PARTY
            store.write([Dated(Requested(combination=one, participant=participant, kind=kind))])
        database.close()

    with ThreadPoolExecutor() as threads:
        assert [*threads.map(write, ("One", "Two", "Three"))] == [None] * 3
    acts = desk.json("history", "--internal")["acts"]
    assert [act["number"] for act in acts] == [*range(1, 16)]
    assert len({act["detail"]["participant"] for act in acts}) == 15


TABLES = ("products_acts", "products_publications")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET day = '2019-03-02'"])
def test_the_database_only_adds(desk: Any, table: str, change: str) -> None:
    three(desk)
    connection = sqlite3.connect(desk.database)
    with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
        connection.execute(change.format(table))
    connection.close()


CHANGES = [
    ("products_acts", "UPDATE products_acts SET day = '2018-03-02' WHERE number = 2"),
    ("products_acts", "UPDATE products_acts SET detail = '{}' WHERE number = 2"),
    ("products_acts", "UPDATE products_acts SET kind = 'removed' WHERE number = 3"),
    ("products_acts", "DELETE FROM products_acts WHERE number = 1"),
    ("products_acts", "DELETE FROM products_acts WHERE number = 2"),
]


def changed(desk: Any, table: str, statement: str) -> None:
    """As somebody who is not stopped by triggers."""
    connection = sqlite3.connect(desk.database)
    for what in ("update", "delete"):
        connection.execute(f"DROP TRIGGER {table}_no_{what}")
    assert connection.execute(statement).rowcount == 1
    connection.commit()
    connection.close()


@pytest.mark.parametrize(("table", "statement"), CHANGES)
def test_a_changed_history_is_noticed(desk: Any, table: str, statement: str) -> None:
    three(desk)
    changed(desk, table, statement)
    for arguments in (
        ("list", "--internal"),
        ("publish", "--out", str(desk.lists)),
        ("publish", "--out", str(desk.lists), "--as-of", "2019-03-05"),
    ):
        refused = desk.run(*arguments)
        assert refused.status == 2
        assert refused.err == "cosemlab: the history of the register is not what was written\n"


def test_a_changed_publication_is_noticed(desk: Any) -> None:
    three(desk)
    statement = (
        "UPDATE products_publications SET content = replace(content, '2019-03-04', '2019-03-01') "
        "WHERE version = 2 AND list LIKE '%Eligible%'"
    )
    changed(desk, "products_publications", statement)
    refused = desk.run("list")
    assert refused.status == 2
    assert "Eligible Product Combinations, version 2, is not what was published" in refused.err


def test_a_history_that_does_not_give_what_was_published(
    make_desk: Callable[[Path], Any], tmp_path: Path
) -> None:
    """A publication of one register beside the history of another."""
    desks = []
    for name, maker in (("one", "Aclara"), ("other", "Itron")):
        folder = tmp_path / name
        folder.mkdir()
        desk = make_desk(folder)
        desk.done("eligible", *desk.described(maker), "--on", "2019-03-01")
        desk.publish("--on", "2019-03-01")
        desks.append(desk)
    connection = sqlite3.connect(desks[0].database)
    connection.execute("ATTACH ? AS other", (str(desks[1].database),))
    for what in ("update", "delete"):
        connection.execute(f"DROP TRIGGER products_publications_no_{what}")
    connection.execute("DELETE FROM products_publications")
    connection.execute(
        "INSERT INTO products_publications SELECT * FROM other.products_publications"
    )
    connection.commit()
    connection.close()
    refused = desks[0].run("publish", "--out", str(tmp_path / "x"), "--as-of", "2019-03-01")
    assert refused.status == 2
    assert "the history does not give what was published" in refused.err
    assert not (tmp_path / "x").exists()
