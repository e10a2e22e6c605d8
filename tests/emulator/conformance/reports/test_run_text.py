"""A run in a terminal: while it goes on, and at its end."""

from __future__ import annotations

import io
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from emulator.conformance import DISCLAIMER, built_in
from emulator.conformance.reports import Document, hexadecimal, to_json
from emulator.conformance.reports.progress import Progress
from emulator.conformance.reports.showing import Picture
from emulator.conformance.reports.terminal import Painter, summary
from emulator.conformance.running.result import RunResult


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _lines(document: Document, *, colours: bool = False) -> list[str]:
    return list(summary(document, Painter(colours=colours)))


def test_a_failure(rich: Document) -> None:
    lines = _lines(rich)
    text = "\n".join(lines)
    start = lines.index(
        "  FAILED  APPL_OPEN_2  Users are identified by the calling-AE-invocation-id"
    )
    part = lines[start:]
    assert part[2].startswith("      GB Ed. 8, 9.4.2.2 (official id, of DLMS UA 1001-6")
    assert "      step unlisted: FAILED" in part
    assert "        sent      an AARQ" in part
    assert "          expected  result 1" in part
    assert any(one.startswith("          actual    result 0 ") for one in part)
    at = next(
        number for number, one in enumerate(part) if one.startswith("            0010  01 00 ")
    )
    assert part[at + 1] == "                     ^^"
    assert "                  octet 17 in result" in part
    assert any(one.startswith("            0.400 -> apdu: glo- general") for one in part)
    assert "                  octet 3 is not there" in part
    assert lines[-1] == DISCLAIMER
    assert "\x1b" not in text
    assert "step listed" not in text


def test_a_mark_far_behind_is_shown() -> None:
    picture = Picture("", ("aa",) * 1000, (), frozenset({700}))
    rows = list(hexadecimal.rows(picture, 2))
    assert [row.start for row in rows] == [0, 16, 672, 688, 704]
    assert [row.marks for row in rows if row.marks] == [frozenset({700})]
    shown = sum(len(row.octets) + row.skipped for row in rows)
    assert shown + hexadecimal.left_out(picture, 2) == 1000


def test_what_is_counted(rich: Document) -> None:
    lines = _lines(rich)
    assert lines[-5:-2] == [
        "9 cases: 2 PASSED, 1 NON_STRICT, 1 INFORMATIONAL, 1 INAPPLICABLE, 1 INCONCLUSIVE,"
        " 2 FAILED, 1 ERROR",
        "1 of them expected failure",
        "1 of them unexpected pass",
    ]
    text = "\n".join(lines)
    assert "HDLC_FRAME_P1" not in text
    assert "HDLC_FRAME_N2" in text
    assert "declared to fail: known since v3" in text
    assert "X_WPDU_VER" in text


def test_no_case_at_all(fabricated: ModuleType) -> None:
    lines = _lines(to_json(fabricated.run_of(()), built_in()))
    assert "0 cases: none was run" in lines


def test_colours(rich: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    assert any("\x1b[31m" in one for one in _lines(rich, colours=True))
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Painter.of(Terminal()).mark("x") == "\x1b[31mx\x1b[0m"
    assert Painter.of(io.StringIO()).mark("x") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Painter.of(Terminal()).mark("x") == "x"


@settings(max_examples=40)
@given(st.data())
def test_any_run(runs: SearchStrategy[RunResult], data: st.DataObject) -> None:
    for line in _lines(to_json(data.draw(runs), built_in())):
        assert line.isprintable()


def _played(out: io.StringIO, fabricated: ModuleType) -> str:
    run = fabricated.rich_run()
    progress = Progress(out, len(run.cases), built_in())
    for case in run.cases:
        progress.began(case.id)
        progress.ended(case)
    progress.finish()
    return out.getvalue()


def test_progress_without_a_terminal(fabricated: ModuleType) -> None:
    text = _played(io.StringIO(), fabricated)
    assert "\x1b" not in text
    assert "\r" not in text
    lines = text.splitlines()
    assert lines[:4] == [
        "hdlc: HDLC data link",
        "  PASSED        HDLC_FRAME_P1 (0.2 s)",
        "  FAILED        HDLC_FRAME_N1 (0.2 s) [expected failure]",
        "  PASSED        HDLC_FRAME_N2 (0.2 s) [unexpected pass]",
    ]
    assert "  INCONCLUSIVE  APPL_IDLE_N1 (0.2 s) no meter & no key" in lines
    assert len(lines) == 9 + 4


def test_progress_on_a_terminal(fabricated: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = _played(Terminal(), fabricated)
    assert "\r\x1b[K[1 of 9] HDLC_FRAME_P1\r\x1b[K" in text
    assert "[9 of 9] X_WPDU_VER\r\x1b[K" in text
    assert text.endswith("\r\x1b[K")
    assert "\x1b[2J" not in text
