"""A ledger in a file: what is written is what was stored, and is verified there."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.ledger import Entry, LedgerError
from emulator.ledger.errors import Tampered
from emulator.ledger.exported import COLUMNS, ExportedLedger, write_csv, write_json
from emulator.ledger.filters import Filter
from emulator.ledger.record import entry_of


@pytest.fixture
def exported(make_store: Any, tmp_path: Path, sample: Callable[[int], list[Entry]]) -> Path:
    store = make_store()
    store.append(sample(20))
    path = tmp_path / "ledger.json"
    assert write_json(path, store.links(), store.head().ledger) == 20
    return path


def changed(path: Path, change: Callable[[Any], object]) -> ExportedLedger:
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return ExportedLedger(path)


def test_it_is_the_same_ledger(
    exported: Path, make_store: Any, sample: Callable[[int], list[Entry]]
) -> None:
    store, file = make_store(), ExportedLedger(exported)
    assert list(file.links()) == list(store.links())
    assert file.head() == file.verify() == store.head()
    assert [entry_of(link.number, link.record) for link in file.links()] == sample(20)
    only = Filter(operation="Seal")
    assert list(file.links(only)) == list(store.links(only))
    assert [link.number for link in file.links(after=18)] == [19, 20]


def test_an_empty_one(make_store: Any, tmp_path: Path) -> None:
    store = make_store()
    path = tmp_path / "empty.json"
    assert write_json(path, store.links(), store.head().ledger) == 0
    assert ExportedLedger(path).verify() == store.head()


def test_as_a_table(make_store: Any, tmp_path: Path, sample: Callable[[int], list[Entry]]) -> None:
    store = make_store()
    store.append(sample(20))
    path = tmp_path / "ledger.csv"
    assert write_csv(path, store.links()) == 20
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert rows == [
        [str(link.number), *link.record, link.previous, link.hash] for link in store.links()
    ]


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (lambda d: d["entries"][4].update(why="changed"), 5),
        (lambda d: d["entries"][4].pop("why"), 5),
        (lambda d: d["entries"][4].update(why=7), 5),
        (lambda d: d["entries"][4].update(why="\ud800"), 5),
        (lambda d: d["entries"].pop(4), 5),
        (lambda d: d["entries"].pop(), 20),
        (lambda d: d["entries"].reverse(), 1),
        (lambda d: d["head"].update(number=19), 20),
        (lambda d: d["head"].update(number=21), 21),
        (lambda d: d["head"].update(hash="0" * 64), 20),
        (lambda d: d["head"].update(ledger="0" * 32), 1),
    ],
)
def test_what_was_changed_is_found(
    change: Callable[[Any], object], number: int, exported: Path
) -> None:
    with pytest.raises(Tampered) as caught:
        changed(exported, change).verify()
    assert caught.value.number == number


def test_a_head_from_before(exported: Path) -> None:
    file = ExportedLedger(exported)
    early = file.head()._replace(number=7, hash=list(file.links())[6].hash)
    assert file.verify(early) == file.verify(early, since=True) == file.head()
    cut = changed(exported, lambda d: d["entries"].__delitem__(slice(10, None)))
    with pytest.raises(Tampered) as caught:
        cut.verify(file.head())
    assert caught.value.number == 11


PAGE = Path(__file__).parents[3] / "docs" / "ledger.md"


def verified_by_the_page(path: Path) -> subprocess.CompletedProcess[str]:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    arguments = [sys.executable, "-c", program, str(path)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def test_by_the_program_of_the_documentation(exported: Path) -> None:
    """Which uses nothing of this package."""
    head = ExportedLedger(exported).head()
    done = verified_by_the_page(exported)
    assert (done.stdout, done.stderr) == (f"20 {head.hash}\n", "")
    changed(exported, lambda d: d["entries"][4].update(why="changed"))
    done = verified_by_the_page(exported)
    assert (done.stdout, done.stderr) == ("", "entry 5 is not as it was written\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no JSON"),
        ("[]", "is no ledger"),
        ('{"entries": 7, "head": {}}', "is no ledger"),
        ('{"entries": [7], "head": {}}', "is no ledger"),
        ('{"entries": [{"number": "1"}], "head": {}}', "is no ledger"),
        ('{"entries": []}', "a head has ledger, number and hash"),
    ],
)
def test_what_is_no_ledger(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(LedgerError, match=says):
        ExportedLedger(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"none\.json: No such file"):
        ExportedLedger(tmp_path / "none.json")
