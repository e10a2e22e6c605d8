"""``cosemlab conform report``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emulator.cli.failures import Exit
from emulator.cli.main import main
from emulator.conformance import DISCLAIMER
from emulator.conformance.reports import Document, Kind, write


@pytest.fixture
def result(rich: Document, tmp_path: Path) -> Path:
    path = tmp_path / "result.json"
    write(rich, Kind.JSON, path)
    return path


def test_every_report(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {kind: tmp_path / f"out.{kind}" for kind in ("html", "junit", "sarif", "pcapng")}
    options = [word for kind, path in files.items() for word in (f"--{kind}", str(path))]
    assert main(["conform", "report", str(result), *options]) == Exit.DONE
    assert capsys.readouterr() == ("", "")
    assert files["html"].read_text("utf-8").startswith("<!doctype html>")
    assert ET.parse(files["junit"]).getroot().tag == "testsuites"
    assert json.loads(files["sarif"].read_bytes())["version"] == "2.1.0"
    assert files["pcapng"].read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


@pytest.mark.parametrize("options", [[], ["--text"]])
def test_text(options: list[str], result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "report", str(result), *options]) == Exit.DONE
    out = capsys.readouterr().out
    assert "APPL_OPEN_2" in out
    assert out.endswith(f"{DISCLAIMER}\n")


def test_both(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["conform", "report", str(result), "--text", "--html", str(page)]) == Exit.DONE
    assert page.exists()
    assert "APPL_OPEN_2" in capsys.readouterr().out


def _said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = main(["conform", "report", *arguments])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return status, captured.err


def test_a_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    status, err = _said([str(path)], capsys)
    assert status == Exit.USAGE
    assert err.startswith(f"cosemlab: {path}: schema: ")


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.json"
    status, err = _said([str(path)], capsys)
    assert status == Exit.USAGE
    assert err == f"cosemlab: {path}: cannot be read: No such file or directory\n"


def test_nowhere_to_write(result: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, err = _said([str(result), "--html", str(tmp_path / "none" / "page.html")], capsys)
    assert status == Exit.USAGE
    assert err.endswith("page.html: cannot be written: No such file or directory\n")


def test_without_scapy(
    result: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "scapy.layers", None)
    path = tmp_path / "run.pcapng"
    status, err = _said([str(result), "--pcapng", str(path)], capsys)
    assert status == Exit.USAGE
    assert "cosemlab[scapy]" in err
    assert not path.exists()
