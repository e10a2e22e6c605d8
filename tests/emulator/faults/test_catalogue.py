"""The catalogue: what comes with the package, and files of a user's own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from devices.profile import ProfileError
from emulator.cli.fault import drawn_into
from emulator.control import ControlError
from emulator.faults import KINDS, built_in, load_file
from emulator.serving.taps import WAYS

DOCS = Path(__file__).parents[3] / "docs" / "faults.md"


def test_the_page_shows_the_catalogue_of_today() -> None:
    """``make docs`` writes it."""
    text = DOCS.read_text("utf-8")
    assert text.count("<!-- end of faults -->") == 2
    assert drawn_into(text) == text


def test_what_was_asked_for_is_there() -> None:
    kinds = {row.kind.name for row in built_in().rows.values()}
    assert kinds == set(KINDS)
    assert kinds >= {
        "latency", "loss", "corruption", "stall", "truncate", "duplicate", "hang-up", "reboot",
        "busy", "wrong-key", "counter-jump", "clock-drift", "clock-step", "tamper", "certificate",
        "rewrite", "say", "careless", "configured", "forget",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_default_is_what_is_described(kind: object) -> None:
    assert kind.taken({}, {}).keys() == {one.name for one in kind.parameters}  # type: ignore
    assert set(kind.ways(kind.taken({}, {}))) <= set(WAYS)  # type: ignore
    assert all(one.argument.help for one in kind.parameters)  # type: ignore


@pytest.mark.parametrize("row", built_in().rows.values(), ids=built_in().rows)
def test_every_row_differs_from_its_kind_or_says_what_it_is_for(row: object) -> None:
    assert row.help != row.kind.help  # type: ignore[attr-defined]
    row.kind.taken({}, row.parameters)  # type: ignore[attr-defined]


def test_a_kind_is_a_fault_too() -> None:
    row = built_in().find("latency")
    assert (row.kind, dict(row.parameters), row.duration, row.times) == (
        KINDS["latency"], {}, None, None,
    )  # fmt: skip


def test_an_unknown_fault_names_those_that_there_are() -> None:
    with pytest.raises(ControlError, match=r"no fault 'slwo' \(did you mean 'slow'\?\)$"):
        built_in().find("slwo")
    with pytest.raises(ControlError, match=r"no fault 'qqq'; there are: slow, .*; kinds: latency,"):
        built_in().find("qqq")


def extended(tmp_path: Path, text: str) -> object:
    path = tmp_path / "own.toml"
    path.write_text(text)
    return load_file(path, built_in())


def test_a_file_adds_faults(tmp_path: Path) -> None:
    catalogue = extended(
        tmp_path,
        """
        [sleepy]
        kind = "latency"
        help = "too late"
        parameters = { fixed = 45, jitter = "30s" }
        for = "1h"
        count = 7
        """,
    )
    row = catalogue.rows["sleepy"]  # type: ignore[attr-defined]
    assert row.kind is KINDS["latency"]
    assert row.parameters == {"fixed": 45, "jitter": "30s"}
    assert (row.duration, row.times) == (dt.timedelta(hours=1), 7)
    assert catalogue.rows.keys() == {*built_in().rows, "sleepy"}  # type: ignore[attr-defined]


ROW = '[x]\nkind = "{}"\nhelp = "h"\n{}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ROW.format("latncy", ""),
            "own.toml:2: x.kind: 'latncy' is no kind (did you mean 'latency'?)",
        ),
        ("[x]\nhelp = 'h'\n", "own.toml:1: x.kind: a string is needed, and missing"),
        ("[x]\nkind = 'loss'\n", "own.toml:1: x.help: a string is needed, and missing"),
        ("[x]\nkind = 3\n", "own.toml:2: x.kind: a string is needed, not 3"),
        ("x = 3\n", "own.toml:1: x: a table is needed, not 3"),
        (
            ROW.format("latency", "parmeters = {}"),
            "own.toml:4: x.parmeters: unknown key (did you mean 'parameters'?)",
        ),
        (
            ROW.format("latency", "parameters = { fixd = 1 }"),
            "own.toml:4: x.parameters.fixd: latency has no such parameter (did you mean 'fixed'?);"
            " known are direction, fixed, jitter",
        ),
        (
            ROW.format("latency", "parameters = { fixed = 3601 }"),
            "own.toml:4: x.parameters.fixed: fixed is a duration, as 1d12h or 90s, or a number of"
            " seconds (at least 0s, at most 3600s), not 3601",
        ),
        (
            ROW.format("loss", "[x.parameters]\nof = 'apdu'\nevery = 0.5"),
            "own.toml:6: x.parameters.every: every is a whole number (at least 1",
        ),
        (ROW.format("latency", "for = 'soon'"), "own.toml:4: x.for: for is a duration"),
        (ROW.format("latency", "count = 0"), "own.toml:4: x.count: count is a whole number"),
        (ROW.format("stall", "count = 1"), "own.toml:4: x.count: stall has no count"),
        (ROW.format("reboot", "for = '1s'"), "own.toml:1: x: reboot is done once"),
        (ROW.replace("[x]", "[slow]").format("loss", ""), "own.toml:1: slow: there is a fault of"),
        (ROW.replace("[x]", "[loss]").format("loss", ""), "own.toml:1: loss: there is a kind of"),
        ("[x\n", "own.toml: Expected ']'"),
        ("", None),
    ],
)
def test_a_file_that_is_not_right(tmp_path: Path, text: str, expected: str | None) -> None:
    if expected is None:
        assert extended(tmp_path, text) == built_in()
        return
    with pytest.raises(ProfileError) as caught:
        extended(tmp_path, text)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(expected)
    assert "\n" not in str(caught.value)


def test_all_that_is_wrong_is_said(tmp_path: Path) -> None:
    text = ROW.format("latency", "parameters = { fixed = -1, jiter = 2 }\n[y]\nkind = 'no'\n")
    with pytest.raises(ProfileError) as caught:
        extended(tmp_path, text)
    assert [error.place.path for error in caught.value.all] == [
        ("x", "parameters", "fixed"),
        ("x", "parameters", "jiter"),
        ("y", "kind"),
    ]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"own.toml: cannot be read: No such file"):
        load_file(tmp_path / "own.toml", built_in())
    (tmp_path / "own.toml").write_bytes(b"\xff")
    with pytest.raises(ProfileError, match=r"own.toml: is not UTF-8"):
        load_file(tmp_path / "own.toml", built_in())
