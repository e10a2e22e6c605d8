"""Lines that fuzzers reach, and the judgements of those that none does."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from devices.profile import ProfileError
from dlms.acse.aare import Aare
from dlms.errors import CodecError
from emulator.cli import fuzz_coverage, fuzz_learning_options
from emulator.cli.main import main
from emulator.fuzz.coverage import reporting
from emulator.fuzz.coverage.judging import Judgement, Verdict, judged, judgements
from emulator.fuzz.coverage.measuring import Measured, measured
from emulator.fuzz.coverage.playing import PLAYS
from emulator.fuzz.coverage.scope import ROOT, Place, files, functions, place

AARE = "dlms/acse/aare.py"


def short() -> None:
    """One AARE that is none."""
    with pytest.raises(CodecError):
        Aare.decode(b"\x61\x00")


def lines_of(file: str, text: str) -> list[int]:
    source = (ROOT / file).read_text("utf-8").splitlines()
    return [number for number, line in enumerate(source, 1) if text in line]


@pytest.fixture(scope="module")
def of_short() -> dict[str, Measured]:
    return {one.file: one for one in measured(["short"], {"short": short})}


def test_what_runs_at_import_is_in_no_function() -> None:
    known = functions(AARE)
    (table,) = lines_of(AARE, "_RESULTS = {")
    assert table not in known
    (line,) = lines_of(AARE, "known = _RESULTS.get(content)")
    assert place(AARE, line) == Place(AARE, "_result", "known = _RESULTS.get(content)")
    (inner,) = lines_of(AARE, "missing = cls._fields")
    assert known[inner] == "Aare.decode"


def test_lines_that_a_play_runs_are_reached_and_no_others(of_short: dict[str, Measured]) -> None:
    found = of_short[AARE]
    (missing,) = lines_of(AARE, "missing = cls._fields")
    (result,) = lines_of(AARE, "known = _RESULTS.get(content)")
    assert missing in found.reached["short"]
    assert missing not in found.never
    assert result in found.never
    assert Place(AARE, "_result", "known = _RESULTS.get(content)") in found.places
    untouched = of_short["dlms/transfer/server.py"]
    assert not untouched.reached["short"]
    assert set(untouched.never) == untouched.lines


def test_every_file_of_the_protocol_is_in_scope_but_the_data_model() -> None:
    scope = files()
    assert {"dlms/association/server.py", "dlms/security/protect.py", "devices/token.py"} <= {
        *scope
    }
    assert not any(one.startswith("dlms/cosem/tables/") for one in scope)
    assert all((ROOT / one).is_file() for one in scope)


# Judgements -------------------------------------------------------------------------------------


def row(file: str, function: str = "*", *texts: str) -> Judgement:
    return Judgement(file, function, texts, Verdict.CANNOT, "why")


HERE = Place("dlms/a.py", "A.b", 'raise CodecError(f"{x}", known[0])')


@pytest.mark.parametrize(
    ("judgement", "fits"),
    [
        (row("dlms/a.py"), True),
        (row("dlms/*.py"), True),
        (row("devices/*.py"), False),
        (row("dlms/a.py", "A.b"), True),
        (row("dlms/a.py", "*.b"), True),
        (row("dlms/a.py", "A.c"), False),
        (row("dlms/a.py", "*", "raise CodecError*"), True),
        (row("dlms/a.py", "*", "return*", "*known[0])"), True),
        (row("dlms/a.py", "*", "*known[1])"), False),
    ],
)
def test_judgement_is_of_file_function_and_text(judgement: Judgement, fits: bool) -> None:
    assert judgement.is_of(HERE) is fits


def test_the_first_that_fits_counts_and_what_fits_nothing_is_named() -> None:
    other = HERE._replace(function="c", text="pass")
    first, second, idle = row("dlms/*.py", "A.*"), row("dlms/a.py", "A.b"), row("dlms/z.py")
    found = judged([HERE, other], (first, second, idle))
    assert found.places == ((HERE, first),)
    assert found.open == (other,)
    assert found.idle == (second, idle)


def test_judgements_of_the_package_are_of_what_is_there() -> None:
    """A function that was renamed has taken its judgement with it."""
    scope = files()
    for one in judgements():
        mine = [file for file in scope if fnmatchcase(file, one.file)]
        assert mine, one
        names = {name for file in mine for name in functions(file).values()}
        assert any(fnmatchcase(name, one.function) for name in names), one
        assert one.why.endswith("."), one


def test_no_verdict_is_no_judgement(tmp_path: Path) -> None:
    path = tmp_path / "judged.toml"
    path.write_text('[[place]]\nfile = "dlms/a.py"\nverdict = "maybe"\nwhy = "?"\n')
    with pytest.raises(ProfileError, match=r"judged\.toml"):
        judgements(path)


# The command ------------------------------------------------------------------------------------


@pytest.fixture
def quick(of_short: dict[str, Measured], monkeypatch: pytest.MonkeyPatch) -> None:
    found = (of_short[AARE],)
    monkeypatch.setattr(fuzz_coverage, "measured", lambda plays: found)


@pytest.mark.usefixtures("quick")
def test_line_without_a_judgement_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "judged.toml"
    path.write_text("place = []\n")
    assert main(["fuzz", "coverage", "--judged", str(path)]) == 1
    said = capsys.readouterr().out
    assert "dlms/acse/aare.py: _result\n    known = _RESULTS.get(content)" in said
    path.write_text('[[place]]\nfile = "*"\nverdict = "cannot"\nwhy = "It is a test."\n')
    page = tmp_path / "page.md"
    assert main(["fuzz", "coverage", "--judged", str(path), "--into", str(page)]) == 0
    assert "0 not judged" in capsys.readouterr().out
    assert "`dlms/acse/aare.py`: `Aare.__repr__`" in page.read_text()


def test_fuzzer_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "coverage", "luck"]) == 2
    assert "there is no fuzzer luck: scenarios" in capsys.readouterr().err


def test_page_of_the_docs_has_every_file() -> None:
    page = (ROOT / "docs" / "fuzz-coverage.md").read_text("utf-8")
    shown = {
        line.split(" | ")[0].strip("| ") for line in page.splitlines() if line.startswith("| d")
    }
    assert shown == {one for one in files() if functions(one)}
    assert " 0 not judged" in page
    assert reporting.HEAD[0] in page


def test_command_names_every_fuzzer_without_importing_one() -> None:
    assert tuple(PLAYS) == fuzz_learning_options.PLAYS
