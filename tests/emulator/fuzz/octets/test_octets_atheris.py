"""Real runs under atheris, each bounded by its number of inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.fuzz.octets import crash, merging, registry, running
from emulator.fuzz.octets.progress import Progress
from emulator.fuzz.octets.running import NoAtheris, Plan, Ran

PLANTED = Path(__file__).with_name("planted_octets.py")
RUNS = 20_000


def run(name: str, tmp_path: Path, runs: int = RUNS) -> tuple[Ran, list[Progress]]:
    pytest.importorskip("atheris", reason="atheris has wheels for Linux alone")
    told: list[Progress] = []
    plan = Plan(out=tmp_path / "out", folder=tmp_path, runs=runs, file=PLANTED)
    (ran,) = running.run([registry.get(name, PLANTED)], plan, told.append)
    return ran, told


def test_a_planted_defect_is_found_made_small_and_replayed(tmp_path: Path) -> None:
    ran, told = run("planted.index", tmp_path)
    (found,) = ran.crashes
    assert found.kind == "IndexError"
    assert found.octets == b"COSE"
    (path,) = (tmp_path / "out").glob("*.json")
    assert crash.read(path) == found
    again = crash.found(registry.get("planted.index", PLANTED), found.octets)
    assert again is not None
    assert again.mark == found.mark
    assert ran.progress.runs >= RUNS  # it goes on behind a crash
    assert ran.progress.edges > 0
    assert len(told) > 2
    reached = [octets for octets in ran.found if octets.startswith(b"COS")]
    assert reached, "coverage has led nowhere"
    kept = merging.merged(registry.get("planted.index", PLANTED), ran.found)
    assert [len(one.octets) for one in kept] == [1, 1, 2, 3]


def test_what_ends_the_process_is_filed_too(tmp_path: Path) -> None:
    ran, _ = run("planted.abort", tmp_path)
    assert ran.crashes
    assert all(one.octets.startswith(b"C") for one in ran.crashes)
    assert {one.place for one in ran.crashes} == {"the process"}


def test_where_nothing_is_wrong_nothing_is_found(tmp_path: Path) -> None:
    ran, _ = run("planted.none", tmp_path, runs=2000)
    assert ran.crashes == ()
    assert ran.progress.runs >= 2000


def test_where_there_is_no_atheris_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoAtheris, match=r"pip install 'cosemlab\[atheris\]'"):
        running.run([], Plan(out=tmp_path, folder=tmp_path))
