"""What a head end was caught at is a file like any other finding: played again, made smaller,
reported; those of the repository are met by our own head end.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from emulator.cli.main import main
from emulator.fuzz.findings.encounters import filing
from emulator.fuzz.findings.encounters.replaying import meet_again
from emulator.fuzz.findings.reports.junit import junit
from emulator.fuzz.findings.reports.page import html
from emulator.fuzz.findings.reports.reported import reported
from emulator.fuzz.findings.reports.sarif import sarif
from emulator.fuzz.head_ends.driven import Driven, command_of
from emulator.fuzz.head_ends.judging import judged
from emulator.fuzz.head_ends.mischief import Encounter, Errand, Mischief
from emulator.fuzz.head_ends.searching import Caught, search
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.place import ScenarioError
from emulator.fuzz.scenario.reading import parse, read, read_all

FOLDER = Path(__file__).parents[4] / "fixtures" / "scenarios"
ENCOUNTERS = [one for one in read_all(sorted(FOLDER.glob("*.json"))) if one.encounter is not None]
STUBBORN = Path(__file__).parent / "stubborn_head_end.py"
LIAR = shlex.join((sys.executable, "-c", "print('[]')", "{material}"))
"""A head end that never calls, and says that it has read."""
NAMED = Driven(command=("naive", "{material}"), forgets=True)


async def caught_at(naive: Any, tmp_path: Path) -> tuple[Path, Caught]:
    """A finding, by a search."""
    kept: list[Caught] = []
    await search(
        naive("plain-responses"), most=75, seed=0, tasks=("read",), stop_at_first=True,
        on_caught=kept.append,
    )  # fmt: skip
    return filing.file(tmp_path / "found", kept[0], NAMED), kept[0]


async def test_a_finding_has_all_of_it(naive: Any, tmp_path: Path) -> None:
    path, caught = await caught_at(naive, tmp_path)
    (scenario,) = read(path)
    assert (scenario.encounter, scenario.head_end) == (caught.encounter, NAMED)
    assert path.name == f"{scenario.name.lower()}.json"
    found = scenario.found
    assert found is not None
    assert (found.invariant, found.step, found.seed) == ("H-TAKEN", 1, 0)
    assert found.steps == caught.number > 0
    (seen,) = found.seen
    assert seen.outcome == "success"
    assert seen.breaks == (str(caught.breach),)
    assert any(row[0] == "--" and "misbehaves: " in row[3] for row in seen.line)
    inside = [row[3].partition(": ")[2].partition("(")[0] for row in seen.line if row[2]]
    assert inside.count("GetRequest") == 2
    plain = [row for row in seen.line if row[3].startswith("GetResponse(")]
    assert len(plain) == 1  # what the meter said without any protection
    assert {one.name for one in found.keys} >= {"dco/GUEK", "dco/GAK", "dco/KEK"}


async def test_reports_tell_of_it(naive: Any, tmp_path: Path) -> None:
    path, caught = await caught_at(naive, tmp_path)
    told = reported([path])
    page = html(told, "1")
    for words in ("H-TAKEN", "head end → meter", "the meter misbehaves: ", "from 2 errands and"):
        assert words in page, words
    assert f"after {caught.number} encounters" in page
    assert "no association" not in page
    assert "read; at exchange" in junit(told)
    ET.fromstring(junit(told).split("\n", 1)[1])
    (result,) = sarif(told, "1")["runs"][0]["results"]
    assert result["ruleId"] == "H-TAKEN"
    (place,) = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert place["importance"] == "essential"


@pytest.mark.parametrize("scenario", ENCOUNTERS, ids=lambda one: one.id)
async def test_ours_gets_along_with_what_others_were_caught_at(scenario: Scenario) -> None:
    again = await meet_again(scenario, Driven(answer=0.5))
    assert again.problems == ()
    assert all(any(row[2] for row in one.line) for one in again.errands)


def test_one_is_there() -> None:
    assert any(one.found and one.found.invariant == "H-KEYS" for one in ENCOUNTERS)


def test_from_the_search_to_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "found"
    run = ["fuzz", "run", "--head-end", LIAR, "--first", "--steps", "9", "--out", str(out)]
    assert main([*run, "--json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)["found"]
    path = Path(told["file"])
    assert path.parent == out
    assert main(["fuzz", "replay", str(path)]) == 1
    printed = capsys.readouterr()
    assert "NOT AS EXPECTED: errand 1: H-VALUE: it believes []" in printed.out
    assert "sys.executable" not in printed.err
    assert LIAR.split()[0] in printed.err  # what was started is said
    assert main(["fuzz", "replay", str(path), "--json", "--command", "own"]) == 0
    (again,) = json.loads(capsys.readouterr().out)
    assert again["passed"]
    assert again["errands"][0]["outcome"] == "success"
    assert main(["fuzz", "minimise", str(path), "--command", "own"]) == 1
    assert "the head end does not break H-VALUE" in capsys.readouterr().err
    assert main(["fuzz", "report", str(path), str(out / "run.json")]) == 0
    assert "1 found in " in capsys.readouterr().out


def test_what_is_not_needed_is_taken_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = shlex.join(
        (sys.executable, str(STUBBORN), "{task}", "{material}", str(tmp_path / "counters"))
    )
    large = Encounter(
        errands=(
            Errand(
                task="rotate-keys",
                mischiefs=(Mischief(at=1, kind="same-twice"), Mischief(at=3, kind="lost-answer")),
            ),
        )
    )
    errand = {
        "task": "rotate-keys",
        "mischiefs": [{"at": 1, "kind": "same-twice"}, {"at": 3, "kind": "lost-answer"}],
    }
    path, least = tmp_path / "large.json", tmp_path / "least.json"
    scenario = {"name": "LARGE", "title": "it is", "encounter": {"errands": [errand]}}
    scenario["head_end"] = {"answer": 1.0}  # interpreters start slowly where others work too
    path.write_text(
        json.dumps({"format": "cosemlab-scenarios", "version": 1, "scenarios": [scenario]})
    )
    (read_in,) = read(path)
    assert read_in.encounter == large
    assert main(["fuzz", "minimise", str(path), "-o", str(least), "--command", command]) == 0
    assert "3 errands and mischiefs, shrunk to 2" in capsys.readouterr().out
    (smaller,) = read(least)
    assert smaller.encounter is not None
    assert smaller.encounter.errands[0].mischiefs == (Mischief(at=3, kind="lost-answer"),)
    assert smaller.head_end.command == command_of(command)


def test_scenarios_are_played_with_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source,) = (path for path in FOLDER.glob("found-h-keys*.json"))
    (tmp_path / source.name).write_text(source.read_text())
    assert main(["fuzz", "scenarios", "--from", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "FOUND-H-KEYS-4338f3a0  as expected" in printed
    assert "1 encounters of our own head end, 0 failed" in printed


@pytest.mark.parametrize(
    ("encounter", "says"),
    [
        ({"errands": [{"task": "read", "mischiefs": [{"at": 1, "kind": "x"}]}]}, "no such misch"),
        ({"errands": [{"task": "sleep"}]}, r"errands\[0\]: no such task: sleep"),
        ({"errands": [], "meter": "x"}, "encounter: no such meter: x"),
        ({}, "missing 1 required"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(encounter: Any, says: str) -> None:
    scenario = {"name": "N", "title": "t", "encounter": encounter}
    with pytest.raises(ScenarioError, match=says):
        parse({"format": "cosemlab-scenarios", "version": 1, "scenarios": [scenario]})


def test_a_command_must_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    path = next(FOLDER.glob("found-h-keys*.json"))
    assert main(["fuzz", "replay", str(path), "--command", "true"]) == 2
    assert "--command: {material} is missing" in capsys.readouterr().err
    assert main(["fuzz", "run", "--head-end", "true"]) == 2
    assert "--head-end: {material} is missing" in capsys.readouterr().err


async def test_each_errand_has_its_breaches(naive: Any) -> None:
    """What is judged of all errands together is told where it shows first, and once."""
    errand = Errand(task="read", mischiefs=(Mischief(at=4, kind="exception-absurd"),))
    encounter = Encounter(errands=(Errand(task="read"), errand, Errand(task="read")))
    (jumped,) = await naive("believes-counters").play(Encounter(errands=(errand,)))
    (quiet,) = await naive().play(Encounter(errands=(Errand(task="read"),)))
    by_errand = judged(encounter, (quiet, jumped, jumped))
    assert [["H-JUMP" in {one.invariant for one in each}] for each in by_errand] == [
        [False],
        [True],
        [False],
    ]
