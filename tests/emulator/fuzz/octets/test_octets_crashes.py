"""A crash: what it is told apart by, its file, and how it gets small."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dlms.errors import CodecError
from dlms.octets import Reader
from emulator.fuzz.octets import crash, laws, shrinking
from emulator.fuzz.octets.crash import Crash, CrashFileError
from emulator.fuzz.octets.harness import Harness, Outcome, Unlawful


def play(octets: bytes) -> Outcome:
    """Two defects: one behind an octet 7, one in our own reader."""
    if b"\7\7" in octets:
        raise Unlawful("no two sevens", octets.hex())
    Reader(octets).take(4, "head")
    return Outcome.TAKEN


HARNESS = Harness(
    name="mine.planted", takes="octets", play=play, seeds=lambda: (b"1234",), words=lambda: (b"\7",)
)


def test_a_crash_is_where_our_own_code_raises_it() -> None:
    found = crash.found(HARNESS, b"12")
    assert found is not None
    assert (found.kind, found.place) == ("CodecError", "dlms/octets.py take")
    assert found.words == "head: 4 octets needed, 2 left at octet 0"
    assert crash.found(HARNESS, b"1234") is None


def test_a_law_is_told_apart_by_its_name() -> None:
    one, other = crash.found(HARNESS, b"1234\7\7"), crash.found(HARNESS, b"\7\7")
    assert one is not None
    assert other is not None
    assert one.mark == other.mark == ("mine.planted", "law", "no two sevens")


def test_the_way_to_a_law_has_the_error_below_it() -> None:
    def encode(value: object) -> bytes:
        return Reader(b"").take(1, "x")

    harness = replace(HARNESS, play=laws.codec(lambda octets: 1, encode, (CodecError,)))
    found = crash.found(harness, b"")
    assert found is not None
    assert found.place == "what is decoded can be encoded"
    assert found.frames[-1] == "dlms/octets.py take"


def test_a_crash_gets_as_small_as_it_can() -> None:
    first = crash.found(HARNESS, bytes(range(1, 200)) + b"\7\7" + bytes(range(1, 200)))
    assert first is not None
    assert shrinking.shrunk(HARNESS, first).octets == b"\7\7"


def test_another_crash_on_the_way_is_not_taken_for_it() -> None:
    first = crash.found(HARNESS, b"\7\7\7")
    assert first is not None
    small = shrinking.shrunk(HARNESS, first)
    assert small.mark == first.mark
    assert small.octets == b"\7\7"


def test_a_file_says_all_of_it(tmp_path: Path) -> None:
    found = crash.found(HARNESS, b"12")
    assert found is not None
    path = found.write(tmp_path / "new")
    assert crash.read(path) == found
    written = json.loads(path.read_text())
    assert written["hex"] == "3132"
    assert written["replay"].endswith(f"mine.planted --replay {path.name}")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "cosemlab-octets", "version": 2}'])
def test_a_file_that_is_no_crash(tmp_path: Path, text: str) -> None:
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(CrashFileError, match=r"f\.json"):
        crash.read(path)
    with pytest.raises(CrashFileError, match="cannot be read"):
        crash.read(tmp_path / "missing.json")


def test_files_of_different_crashes_have_different_names() -> None:
    names = {
        Crash(harness="a.b", octets=b"", kind=kind, place=place).file_name
        for kind in ("KeyError", "law")
        for place in ("x", "y")
    }
    assert len(names) == 4
