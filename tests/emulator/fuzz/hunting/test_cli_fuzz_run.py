"""``cosemlab fuzz run``, and what becomes of its files: replay, minimise, report."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.cli.fuzz_plant import plant
from emulator.cli.fuzz_progress import ProgressLine, told
from emulator.cli.main import main
from emulator.fuzz.actions import Plant
from emulator.fuzz.hunting.hunted import Progress

RUN = ["fuzz", "run", "--processes", "1", "--seed", "1", "--setting", "shared"]
DEFECT = ["--plant", "careless:how=stale-random"]
NAME = "FOUND-R-HLS-4-d83053eb"


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that has found a defect."""
    folder = tmp_path_factory.mktemp("search") / "out"
    assert main([*RUN, *DEFECT, "--steps", "1500", "--first", "--out", str(folder)]) == 1
    return folder


@pytest.fixture
def finding(out: Path) -> Path:
    return out / f"{NAME.lower()}.json"


def test_a_search_writes_what_it_finds(out: Path, finding: Path) -> None:
    assert sorted(one.name for one in out.iterdir()) == [finding.name, "run.json"]
    run = json.loads((out / "run.json").read_text())
    assert run["findings"] == [NAME]
    assert run["plants"] == ["careless how=stale-random"]
    assert run["covered"]


def test_it_tells_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, *DEFECT, "--steps", "1500", "--first"]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[:3] == [
        f"{NAME}: R-HLS-4: a challenge comes twice",
        "  1. dco opens an association",
        "  2. dco opens an association  <- breaks it",
    ]
    assert told.out.splitlines()[-1].startswith("1 found; ")
    assert "R-HLS-4: a challenge comes twice; after" in told.err


def test_nothing_found_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "--steps", "60", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["steps"], found["found"], found["findings"]) == (60, [], [])


def test_a_finding_is_played_again(finding: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "replay", str(finding)]) == 1
    said = capsys.readouterr().out
    assert "planted: careless how=stale-random" in said
    assert "NOT AS EXPECTED: step 2: R-HLS-4: a challenge comes twice" in said
    assert "the octets of all 8 APDUs are those that were found" in said


def test_where_it_is_mended_it_passes(
    finding: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(finding.read_text())
    del document["scenarios"][0]["plants"]
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(document))
    assert main(["fuzz", "replay", str(mended)]) == 0
    assert "nothing is broken: R-HLS-4 holds here" in capsys.readouterr().out
    assert main(["fuzz", "replay", str(mended), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["remark"].startswith("other octets than were found")
    assert main(["fuzz", "scenarios", "--from", str(tmp_path)]) == 0
    assert "as expected" in capsys.readouterr().out


def test_a_long_one_is_made_smaller(
    finding: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(finding.read_text())
    scenario = document["scenarios"][0]
    scenario["steps"] = [
        {"do": "wait", "seconds": 5},
        {"do": "open", "client": "s1sp", "lose": "request"},
        *scenario["steps"],
    ]
    del scenario["found"]
    long, short = tmp_path / "long.json", tmp_path / "short.json"
    long.write_text(json.dumps(document))
    assert main(["fuzz", "minimise", str(long), "-o", str(short), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["was"], len(told["steps"]), told["is_done"]) == (4, 2, True)
    (written,) = json.loads(short.read_text())["scenarios"]
    assert written["name"] == NAME
    assert written["found"]["was"] == 4
    assert main(["fuzz", "replay", str(short)]) == 1


def test_what_breaks_nothing_cannot_be_made_smaller(
    scenario_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = [str(scenario_folder / "kl-ic.json"), "KL-IC-05", "-o", str(tmp_path / "out.json")]
    assert main(["fuzz", "minimise", *case]) == 1
    assert "KL-IC-05: it does not break any invariant" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_reports(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(one) for one in out.iterdir()]
    wanted = [tmp_path / name for name in ("a.html", "a.xml", "a.sarif")]
    options = ["--html", str(wanted[0]), "--junit", str(wanted[1]), "--sarif", str(wanted[2])]
    assert main(["fuzz", "report", *files, *options]) == 0
    assert capsys.readouterr().out == ""
    assert wanted[0].read_text().startswith("<!doctype html>")
    assert NAME in wanted[1].read_text()
    assert json.loads(wanted[2].read_text())["version"] == "2.1.0"
    assert main(["fuzz", "report", *files]) == 0
    assert "R-HLS-4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--setting", "nope"], "laboratory has no setting 'nope'; there are: two hands"),
        (["run", "--plant", "nope"], "nope"),
        (["run", "--plant", "careless:how"], "a parameter is written as name=value"),
        (["run", "--profile", "nope"], "nope"),
        (["run", "--steps", "0"], "more than 0"),
        (["minimise", "/nowhere.json"], "/nowhere.json: cannot be read"),
        (["report", "/nowhere.json"], "/nowhere.json: cannot be read"),
    ],
)
def test_mistakes_of_the_caller_are_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_parameters_of_a_defect() -> None:
    assert plant("forget:association=dco,counter=floor") == Plant(
        fault="forget", parameters=(("association", "dco"), ("counter", "floor"))
    )
    assert plant("loss:every=3") == Plant(fault="loss", parameters=(("every", 3),))


def test_nobody_waits_for_hypothesis_to_get_a_meter() -> None:
    code = (
        "import sys; from emulator.cli.main import parser; parser();"
        "print([name for name in ('hypothesis', 'emulator.fuzz.hunting', 'emulator.fuzz.machine')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Progress -----------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_moving_line() -> None:
    out = Terminal()
    line = ProgressLine(out)
    for seconds in (1.0, 1.2):
        line(Progress(steps=100, seconds=seconds))
    line.finish()
    assert out.getvalue().count("\r\x1b[K") == 3
    assert "\n" not in out.getvalue()


def test_elsewhere_there_is_a_line_now_and_then() -> None:
    out = io.StringIO()
    line = ProgressLine(out)
    for tenth in range(120):
        line(Progress(steps=tenth, seconds=tenth / 10))
    assert len(out.getvalue().splitlines()) == 3
    assert "\x1b" not in out.getvalue()


def test_how_far_it_is() -> None:
    progress = Progress(
        steps=500, seconds=2.0, runs=9, states=3, transitions=7, findings=2, shrinking=1, left=8.0
    )
    assert told(progress) == (
        "2 s, 500 steps in 9 runs, 250 steps/s, 3 states, 7 transitions, 2 found (1 being shrunk),"
        " 8 s left"
    )
