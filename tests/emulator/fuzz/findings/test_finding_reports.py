"""Findings told: a page, JUnit, SARIF; each with what breaks, its steps, and how to play it."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emulator.fuzz.actions import Get, Open
from emulator.fuzz.findings import summary
from emulator.fuzz.findings.clauses import clause_of
from emulator.fuzz.findings.filing import file
from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.findings.reports.junit import junit
from emulator.fuzz.findings.reports.page import html
from emulator.fuzz.findings.reports.reported import Reported, reported
from emulator.fuzz.findings.reports.sarif import sarif
from emulator.fuzz.findings.summary import Summary

SEARCH = Summary(
    target="in process",
    profile="laboratory",
    seed=7,
    processes=2,
    steps=4000,
    runs=99,
    seconds=8.0,
    cosemlab="1",
    plants=("careless how=stale-random",),
    seconds_to_first=1.25,
    covered=(("open", "Get accepted"), ("open", "Open refused"), ("closed", "Open accepted")),
)


@pytest.fixture
def told(tmp_path: Path, found: Callable[..., Finding], note: object) -> Reported:
    steps = (Open(client="dco"), Get(client="dco", attribute=note), Open(client="dco"))  # type: ignore[arg-type]
    path = file(tmp_path, found(*steps, was=31, seconds=1.25))
    summary.write(tmp_path / "run.json", SEARCH)
    return reported([path, tmp_path / "run.json"])


class Text(HTMLParser):
    """The text of a page, and what is open in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.opened: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "details" and ("open", None) in attributes:
            self.opened.append("")

    def handle_data(self, data: str) -> None:
        self.said.append(data)
        if self.opened and not self.opened[-1]:
            self.opened[-1] = data

    @property
    def whole(self) -> str:
        return " ".join(" ".join(self.said).split())


def test_the_page_has_all_of_it(told: Reported) -> None:
    page = Text(html(told, "1"))
    for words in (
        "1 finding.",
        "2 states, 3 transitions",
        "4000 in 99 runs, 500 a second",
        "after 1.2 s",
        "R-HLS-4 a challenge comes twice",
        "Four passes with fresh random challenges",
        "from 31 steps to 3",
        "careless how=stale-random",
        "1. dco opens an association",
        "2. dco reads 1/0-0:96.1.9.255/2",
        "dco → meter AARQ context=LN_CIPHERED",
        "dco ← meter AARE ACCEPTED",
        "calling-authentication-value",
        "dco/GUEK floor",
        "cosemlab fuzz replay",
    ):
        assert words in page.whole, words


def test_the_step_that_breaks_it_is_the_one_that_is_open(told: Reported) -> None:
    assert [one.strip() for one in Text(html(told, "1")).opened] == ["3."]


def test_the_page_loads_nothing_and_runs_nothing(told: Reported) -> None:
    page = html(told, "1")
    assert "script" not in Text(page).tags
    assert "script-src 'none'" in unescape(page)
    assert "http://" not in page
    assert "https://" not in page


def test_what_comes_from_a_meter_is_no_markup(
    tmp_path: Path, told: Reported, found: Callable[..., Finding]
) -> None:
    path = told.findings[0].path
    document = json.loads(path.read_text())
    document["scenarios"][0]["found"]["words"] = "<script>alert(1)</script>\x1b[31m"
    path.write_text(json.dumps(document))
    again = reported([path])
    page = html(again, "1")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\x1b" not in page
    ET.fromstring(junit(again).split("\n", 1)[1])
    assert (
        "\x1b"
        not in json.loads(json.dumps(sarif(again, "1")))["runs"][0]["results"][0]["message"]["text"]
    )


def test_a_search_that_found_nothing_says_so() -> None:
    nothing = Reported(findings=(), searches=(SEARCH,))
    assert "Nothing was found." in Text(html(nothing, "1")).whole
    root = ET.fromstring(junit(nothing).split("\n", 1)[1])
    assert (root.get("tests"), root.get("failures")) == ("1", "0")
    assert root.find("testsuite/testcase/failure") is None
    assert sarif(nothing, "1")["runs"][0]["results"] == []


def test_junit_has_a_case_that_fails(told: Reported) -> None:
    root = ET.fromstring(junit(told).split("\n", 1)[1])
    assert (root.get("tests"), root.get("failures")) == ("1", "1")
    (case,) = root.iter("testcase")
    assert case.get("classname") == "fuzz.R-HLS-4"
    assert case.get("time") == "1.250"
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "a challenge comes twice"
    assert (failure.text or "").splitlines()[-1] == "3. dco opens an association <- breaks it"
    assert "again: cosemlab fuzz replay" in (case.findtext("system-out") or "")


def test_sarif_points_to_the_file_and_the_step(told: Reported) -> None:
    (run,) = sarif(told, "1")["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "R-HLS-4"
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == told.findings[0].path.as_posix()
    assert result["partialFingerprints"] == {"invariantAndShape/v1": "FOUND-R-HLS-4-d83053eb"}
    flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [one["importance"] for one in flow] == ["important", "important", "essential"]
    assert run["properties"]["searches"][0]["transitions"] == 3


def test_what_shows_in_the_end_is_marked_there(
    tmp_path: Path, found: Callable[..., Finding]
) -> None:
    finding = found(Open(client="dco"), Open(client="dco"))
    ended = reported([file(tmp_path, finding)]).findings[0]
    assert ended.found.step == 2
    document = json.loads(ended.path.read_text())
    document["scenarios"][0]["steps"] = document["scenarios"][0]["steps"][:1]
    document["scenarios"][0]["found"]["step"] = 0
    ended.path.write_text(json.dumps(document))
    again = reported([ended.path])
    assert Text(html(again, "1")).opened == ["In the end, when all is quiet "]
    flow = sarif(again, "1")["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"][0]
    assert flow["locations"][-1]["importance"] == "essential"
    assert "in the end, when all is quiet <- breaks it" in junit(again).replace("&lt;", "<")


def test_a_search_is_read_as_it_was_written(tmp_path: Path) -> None:
    summary.write(tmp_path / "run.json", SEARCH)
    assert reported([tmp_path / "run.json"]).searches == (SEARCH,)
    (tmp_path / "run.json").write_text('{"format": "cosemlab-fuzz-run", "version": 9}')
    with pytest.raises(ValueError, match=r"run\.json\.version: 1 is needed"):
        reported([tmp_path / "run.json"])


def test_a_case_is_no_finding(scenario_folder: Path) -> None:
    with pytest.raises(ValueError, match=r"kl-ic\.json: KL-IC-01.* was not found by a search"):
        reported([scenario_folder / "kl-ic.json"])


def test_clauses_are_of_the_invariant_or_its_family() -> None:
    named = clause_of("R-IC-6")
    assert named is not None
    assert named.source.startswith("GB 9.2.3.3.7.3")
    channel = clause_of("KL-TL-09")
    assert channel is not None
    assert channel == clause_of("KL-TL-01")
    assert clause_of("I1") != clause_of("I2")
    assert clause_of("X") is None
