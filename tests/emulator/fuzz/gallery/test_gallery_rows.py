"""The rows of the gallery: what they say is there, and the page shows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.cli.main import main
from emulator.faults import built_in
from emulator.fuzz.gallery.bug import bugs, settings
from emulator.fuzz.gallery.table import drawn_into, read
from emulator.fuzz.in_process.target import in_process
from emulator.fuzz.scenario.reading import read_all

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "fuzz-gallery.md"
RUN = ROOT / "fixtures" / "gallery" / "measured" / "run.json"
CASES = {one.name for one in read_all(sorted((ROOT / "fixtures" / "scenarios").glob("*.json")))}


def test_there_are_enough() -> None:
    assert len(bugs()) >= 36


def test_each_is_a_fault_with_a_case_and_a_rule() -> None:
    faults = built_in().rows
    for name, bug in bugs().items():
        assert faults[name].help == bug.title
        assert bug.case in CASES, name
        assert re.fullmatch(r"R-[A-Z]+-\d+|I\d|KL-TL-02|letter, .*", bug.rule), name
        assert bug.invariants, name
        assert [plant.fault for plant in bug.setting.plants] == [name]


def test_each_fault_of_the_life_of_keys_is_in_the_gallery() -> None:
    text = (ROOT / "emulator" / "faults" / "key_life.toml").read_text("utf-8")
    assert re.findall(r"^\[([^\]]+)\]$", text, re.MULTILINE) == list(bugs())


@pytest.mark.parametrize("place", settings())
def test_each_place_is_one_where_clients_get_in(place: str) -> None:
    setting = settings()[place]
    assert not setting.plants
    assert in_process(setting).alive().outcome.value == "accepted"


def test_the_page_shows_the_gallery_of_today() -> None:
    """``make docs`` writes it."""
    text = PAGE.read_text("utf-8")
    assert drawn_into(text, bugs(), read(RUN)) == text


def test_the_run_that_is_shown_is_of_all() -> None:
    run = read(RUN)
    assert [one["name"] for one in run["bugs"]] == list(bugs())
    assert run["bounds"]["seconds"] == 60
    assert run["found"] == sum(one["found"] for one in run["bugs"])


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no <!-- fuzz gallery -->"):
        drawn_into("nothing", bugs(), {})


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "run.json"
    other.write_text("[]")
    with pytest.raises(ValueError, match="no run of the gallery"):
        read(other)


def test_the_list_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "gallery", "--list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in bugs())


def test_an_unknown_bug_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "gallery", "half-aray"]) == 2
    assert "no bug 'half-aray' in the gallery; there are: counter-before-tag," in (
        capsys.readouterr().err
    )
