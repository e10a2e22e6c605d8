"""The JSON document of a run: there and back, and what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from emulator.conformance import DISCLAIMER, UnknownCheck, built_in
from emulator.conformance.reports import Document, Kind, NoRun, read, to_json, write
from emulator.conformance.reports.as_run import to_run
from emulator.conformance.reports.reading import checked
from emulator.conformance.running.result import RunResult, Standing, Verdict


@settings(max_examples=60)
@given(st.data())
def test_there_and_back(runs: SearchStrategy[RunResult], data: st.DataObject) -> None:
    run = data.draw(runs)
    document = to_json(run, built_in())
    again = json.loads(json.dumps(document))
    assert again == document
    assert to_run(checked(again, "it")) == run


def test_of_a_file(rich: Document, fabricated: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write(rich, Kind.JSON, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(path) == rich
    assert to_run(read(path)) == fabricated.rich_run()


def test_what_it_says(rich: Document) -> None:
    assert rich["disclaimer"] == DISCLAIMER
    assert rich["schema_version"] == 1
    assert rich["summary"]["cases"] == 9
    assert rich["summary"]["verdicts"] == {
        **dict.fromkeys((one.value for one in Verdict), 1),
        "FAILED": 2,
        "PASSED": 2,
    }
    assert rich["summary"]["standings"][Standing.UNEXPECTED_PASS.value] == 1
    names = [one["name"] for one in rich["groups"]]
    assert names == ["hdlc", "appl", "cosem", "x-wrapper"]
    (derived,) = [one for one in rich["cases"] if one["id"].startswith("X_")]
    assert derived["requirement"]["origin"] == "derived"
    assert derived["requirement"]["origin_says"].startswith("derived, no official test")
    (failed,) = [one for one in rich["cases"] if one["id"] == "APPL_OPEN_2"]
    check = built_in().checks["APPL_OPEN_2"]
    assert failed["requirement"]["title"] == check.title
    assert failed["requirement"]["clause"] == check.clause
    assert failed["record"][1]["octets"].startswith("0001001000010")
    assert failed["record"][5]["counter"] == 7


def test_a_run_does_not_show_its_keys(fabricated: ModuleType) -> None:
    assert "CLIENT_RANDOM" not in repr(fabricated.rich_run())


def test_comments_of_a_key_log(fabricated: ModuleType) -> None:
    lines = ("# TLS secrets log file", "", *fabricated.KEY_LOG)
    document = to_json(fabricated.run_of((), key_log=lines), built_in())
    assert tuple(document["key_log"]) == fabricated.KEY_LOG


def test_a_case_of_no_check(fabricated: ModuleType) -> None:
    case = fabricated.case("NO_SUCH_1", Verdict.PASSED, Standing.GOOD)
    with pytest.raises(UnknownCheck, match="NO_SUCH_1"):
        to_json(fabricated.run_of((case,)), built_in())


def _set(*path: str | int, value: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for one in path[:-1]:
            document = document[one]
        document[path[-1]] = value

    return change


def _delete(*path: str | int) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for one in path[:-1]:
            document = document[one]
        del document[path[-1]]

    return change


CASE = ("cases", 5)
WRONG: dict[str, tuple[Callable[[Any], None], str]] = {
    "another file": (_set("schema", value="junit"), "schema: 'cosemlab conformance run' is needed"),
    "later version": (_set("schema_version", value=2), "schema_version: 2 cannot be read"),
    "missing": (_delete("seed"), "the document: 'seed' is missing"),
    "more": (_set("extra", value=1), "the document: 'extra' belongs to nothing"),
    "verdict": (_set(*CASE, "verdict", value="OK"), r"cases\[5\].verdict: must be one of PASSED"),
    "octets": (
        _set(*CASE, "record", 1, "octets", value="0G"),
        r"cases\[5\].record\[1\].octets: octets are needed",
    ),
    "seconds": (_set(*CASE, "seconds", value=float("nan")), r"cases\[5\].seconds: nan are no"),
    "negative": (_set(*CASE, "seconds", value=-1), r"cases\[5\].seconds: -1 are no"),
    "no number": (_set(*CASE, "seconds", value=True), r"cases\[5\].seconds: a number is needed"),
    "flag": (_set("strict", value=0), "strict: true or false is needed"),
    "port": (_set("port", value=65536), r"port: 65536 is not in 0..65535"),
    "whole": (_set("port", value=1.5), "port: a whole number is needed"),
    "text": (_set("device", value=None), "device: a string is needed"),
    "list": (_set("cases", value={}), "cases: a list is needed"),
    "object": (_set("cases", 0, value=[]), r"cases\[0\]: an object is needed"),
    "pair": (_set(*CASE, "record", 2, "pair", value=[1]), r"record\[2\].pair: 2 of them"),
    "time": (_set("started", value="today"), "started: a time in ISO 8601 is needed"),
    "counted": (_set("summary", "cases", value=8), "summary: does not count what the cases are"),
    "requirement": (
        _set(*CASE, "requirement", "id", value="HDLC_FRAME_P1"),
        r"cases\[5\].requirement.id: must be 'APPL_OPEN_2'",
    ),
    "group": (_delete("groups", 0), r"cases\[0\].requirement.group: is in no group"),
    "evidence": (
        _set(*CASE, "requirement", "evidence_says", value={}),
        r"requirement.evidence.purpose: 'S1' says nothing",
    ),
    "entries": (
        _set(*CASE, "steps", 1, "entries", value=[3, 13]),
        r"steps\[1\].entries: 3..13 are not in the record",
    ),
    "entry": (
        _set(*CASE, "steps", 1, "differences", 0, "entry", value=12),
        r"steps\[1\].differences\[0\].entry: 12 is not in the record",
    ),
    "offset": (
        _set(*CASE, "steps", 1, "differences", 1, "offset", value=4),
        r"differences\[1\].offset: 4 is behind the entry",
    ),
    "no entry": (
        _set(*CASE, "steps", 1, "differences", 0, "entry", value=None),
        r"differences\[0\].offset: of which entry",
    ),
    "key log": (_set("key_log", 0, value="CLIENT_RANDOM topsecret"), r"key_log\[0\]: a line in"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_refused(wrong: str, rich: Document) -> None:
    change, says = WRONG[wrong]
    document = copy.deepcopy(rich)
    change(document)
    with pytest.raises(NoRun, match=f"^a.json: .*{says}") as caught:
        checked(document, "a.json")
    assert "\n" not in str(caught.value)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000, "7"])
def test_no_json(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(NoRun, match=r"run\.json: ") as caught:
        read(path)
    assert "\n" not in str(caught.value)
