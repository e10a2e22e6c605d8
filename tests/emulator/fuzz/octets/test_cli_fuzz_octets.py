"""``cosemlab fuzz octets``: lists, replays, and what it says of what is not right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from emulator.cli.failures import Exit
from emulator.cli.main import main
from emulator.fuzz.octets import crash, registry, running
from emulator.fuzz.octets.crash import Crash

Printed: TypeAlias = Callable[..., tuple[int, str, str]]
PLANTED = Path(__file__).with_name("planted_octets.py")


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    def run(*args: str) -> tuple[int, str, str]:
        status = main(["fuzz", "octets", *args])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_all_harnesses_are_listed(printed: Printed) -> None:
    status, out, _ = printed("--list", "--json")
    assert status == Exit.DONE
    listed = [row["harness"] for row in json.loads(out)]
    assert listed == [one.name for one in registry.chosen(())]
    assert {name.partition(".")[0] for name in listed} == set(registry.FAMILIES)


def test_some_are_chosen_by_what_they_begin_with(printed: Printed) -> None:
    _, out, _ = printed("--list", "hdlc.s", "wrapper")
    assert [line.split()[0] for line in out.splitlines()[2:]] == [
        "hdlc.stream", "hdlc.station", "wrapper.stream", "wrapper.datagram",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["nobody", "axdr.nothing"])
def test_a_name_that_is_none(printed: Printed, name: str) -> None:
    status, _, err = printed("--list", name)
    assert status == Exit.USAGE
    assert err == f"cosemlab: no harness's name begins with {name!r}\n"


def test_corpora_are_replayed_without_atheris(
    printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.importlib.util, "find_spec", lambda name: None)
    status, out, _ = printed("acse", "hdlc.address", "--replay", "--json")
    assert status == Exit.DONE
    rows = json.loads(out)
    assert [row["harness"] for row in rows] == [
        "acse.aarq", "acse.aare", "acse.rlrq", "acse.rlre", "hdlc.address",
    ]  # fmt: skip
    assert all(row["entries"] > 0 and not row["crashes"] for row in rows)


def test_a_crash_is_replayed(printed: Printed, tmp_path: Path) -> None:
    harness = registry.get("planted.index", PLANTED)
    found = crash.found(harness, b"COSEM")
    assert found is not None
    path = found.write(tmp_path)
    status, out, _ = printed("--from", str(PLANTED), "--replay", str(path))
    assert status == Exit.FAILED
    assert "434F53454D" in out
    assert "IndexError at planted_octets.py planted" in out


def test_a_crash_that_was_mended_passes(printed: Printed, tmp_path: Path) -> None:
    path = Crash(harness="hdlc.address", octets=b"\3", kind="KeyError", place="x").write(tmp_path)
    status, out, _ = printed("--replay", str(path))
    assert status == Exit.DONE
    assert "nothing happens any more" in out


def test_a_file_that_is_no_crash(printed: Printed, tmp_path: Path) -> None:
    status, _, err = printed("--replay", str(tmp_path / "missing.json"))
    assert status == Exit.USAGE
    assert "cannot be read" in err


def test_without_atheris_a_run_says_what_to_install(
    printed: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(running.importlib.util, "find_spec", lambda name: None)
    status, _, err = printed("hdlc.address", "--out", str(tmp_path))
    assert status == Exit.USAGE
    assert "pip install 'cosemlab[atheris]'" in err


def test_a_run_keeps_what_reaches_new_code_and_fails_for_a_crash(
    printed: Printed, tmp_path: Path
) -> None:
    pytest.importorskip("atheris", reason="atheris has wheels for Linux alone")
    status, out, err = printed(
        "planted.index", "--from", str(PLANTED), "--runs", "20000", "--json", "--keep",
        "--corpus", str(tmp_path / "corpus"), "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert status == Exit.FAILED
    (row,) = json.loads(out)
    assert row["runs"] >= 20000
    assert [one["kind"] for one in row["crashes"]] == ["IndexError"]
    assert (tmp_path / "corpus" / "planted.index.json").is_file()
    assert "0 entries before" in err


def test_the_lines_that_a_corpus_reaches_are_told(printed: Printed) -> None:
    status, out, _ = printed("hdlc.frame", "--coverage", "--json")
    assert status == Exit.DONE
    rows = {row["file"]: row for row in json.loads(out)}
    frame = rows["dlms/framing/hdlc/frame.py"]
    assert 0 < len(frame["missing"]) < frame["lines"] / 2
    assert all(file.startswith("dlms/") for file in rows)
