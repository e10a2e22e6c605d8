"""``cosemlab fuzz``: scenarios as tables and JSON, and one of them step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.cli.main import main
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.scenario.reading import parse

STEPS: list[dict[str, Any]] = [
    {"do": "open", "client": "dco", "expect": "accepted"},
    {"do": "rotate", "client": "dco", "kinds": ["GUEK"], "expect": "accepted"},
]


@pytest.fixture
def finding(tmp_path: Path) -> Path:
    path = tmp_path / "finding.json"
    _write(path, STEPS)
    return path


def _write(path: Path, steps: list[dict[str, Any]]) -> None:
    scenario = {"name": "FOUND-1", "title": "found", "steps": steps}
    path.write_text(
        json.dumps({"format": "cosemlab-scenarios", "version": 1, "scenarios": [scenario]})
    )


def test_those_that_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "scenarios", "KL-IC-04", "KL-HL-10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:3] == ["KL-HL-10", "not", "here"]
    assert lines[3].split()[:3] == ["KL-IC-04", "as", "expected"]
    assert lines[-1] == (
        "2 cases, 1 of them played in 1 courses, 0 failed; 1 cannot be played here"
    )


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "scenarios", "KL-IC-03", "--json"]) == 0
    plain, knob = json.loads(capsys.readouterr().out)
    assert plain["passed"]
    assert knob["knob"]["field"] == "max_forward_jump"
    assert knob["courses"] == [{"binding": "", "problems": []}]


def test_the_list_plays_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "scenarios", "--list", "KL-KT-23"]) == 0
    out = capsys.readouterr().out
    assert "KL-KT-23/module" in out
    assert main(["fuzz", "scenarios", "--list", "--json", "KL-KT-23"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_one_that_comes_out_otherwise(finding: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(finding, [STEPS[0], {**STEPS[1], "expect": "refused"}])
    assert main(["fuzz", "scenarios", "--from", str(finding.parent)]) == 1
    out = capsys.readouterr().out
    assert "FOUND-1: step 2: accepted (done), refused was expected" in out
    assert main(["fuzz", "replay", str(finding)]) == 1
    assert "NOT AS EXPECTED: step 2" in capsys.readouterr().out


def test_a_replay_shows_octets_and_what_they_mean(
    finding: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", "replay", str(finding)]) == 0
    out = capsys.readouterr().out
    assert "1. open client=dco" in out
    assert "AARQ context=LN_CIPHERED mechanism=HLS_GMAC" in out
    assert "-> dco: CB" in out
    assert "= accepted" in out
    assert main(["fuzz", "replay", str(finding), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert [step["outcome"] for step in result["steps"]] == ["accepted", "accepted"]
    assert result["steps"][1]["line"][0][:2] == ["->", "dco"]


def test_a_replay_says_what_is_ciphered(finding: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also under the keys that a step brings: the last GET is sealed by the new GUEK."""
    get = {"do": "get", "client": "dco", "attribute": [1, "0-0:96.1.9.255", 2]}
    _write(finding, [*STEPS, {"do": "hang", "client": "dco"}, STEPS[0], get])
    assert main(["fuzz", "replay", str(finding)]) == 0
    out = capsys.readouterr().out
    assert ": ActionRequest(" in out
    assert ": GetResponse(" in out
    assert main(["fuzz", "replay", str(finding), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    said = [row[3].partition(": ")[2].partition("(")[0] for row in result["steps"][-1]["line"]]
    assert said == ["GetRequest", "GetResponse"]


def test_recorded_octets_must_pass_again(finding: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (scenario,) = parse(json.loads(finding.read_text()))
    target = InProcess()
    steps = []
    for step in scenario.courses[0].steps:
        line = target.do(step.action).line
        recorded = [[one.direction.value, one.client, one.octets.hex()] for one in line]
        steps.append({**step.written, "recorded": recorded})
    _write(finding, steps)
    assert main(["fuzz", "replay", str(finding)]) == 0
    steps[1]["recorded"][0][2] = "00"
    _write(finding, steps)
    capsys.readouterr()
    assert main(["fuzz", "replay", str(finding)]) == 1
    assert "step 2: other octets passed than were recorded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["scenarios", "KL-XX"], "no scenario's name begins with 'KL-XX'"),
        (["scenarios", "--from", "/nowhere"], "/nowhere: there are no scenarios"),
        (["replay", "/nowhere.json"], "/nowhere.json: cannot be read"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
