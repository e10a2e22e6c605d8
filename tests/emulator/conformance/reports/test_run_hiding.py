"""No secret in what people read, whatever the report."""

from __future__ import annotations

import copy
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from emulator.conformance import built_in
from emulator.conformance.reports import Document, Kind, to_json, write
from emulator.conformance.reports.hiding import HIDDEN, Hiding
from emulator.conformance.reports.printable import printable
from emulator.conformance.reports.showing import Showing
from emulator.conformance.running.result import RunResult

PEOPLE = (Kind.TEXT, Kind.JUNIT, Kind.SARIF, Kind.HTML)


def _forms(secret: bytes) -> list[bytes]:
    found = [secret, secret.hex().encode(), secret.hex(" ").encode()]
    return found + [one.upper() for one in found[1:]]


@pytest.mark.parametrize("kind", PEOPLE)
def test_no_secret(kind: Kind, rich: Document, fabricated: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "report"
    write(rich, kind, path)
    octets = path.read_bytes()
    for secret in (fabricated.PASSWORD, fabricated.DEDICATED, fabricated.NEW_SECRET):
        for form in _forms(secret):
            assert form not in octets
    assert b"CLIENT_RANDOM" not in octets
    assert b"2e2e2e" not in octets
    assert path.stat().st_mode & 0o444 != 0


def test_the_octets_are_hidden_one_by_one(rich: Document, fabricated: ModuleType) -> None:
    showing = Showing(rich)
    (case,) = [one for one in showing.cases if one["id"] == "APPL_OPEN_2"]
    picture = showing.picture(case, 2)
    start = fabricated.AARQ.index(fabricated.PASSWORD)
    assert picture.octets[start : start + 8] == (HIDDEN,) * 8
    assert picture.octets[0] == "60"
    assert picture.octets.count(HIDDEN) == 8 + 16
    assert picture.says == "AARQ context=LN mechanism=LLS title=-"
    assert showing.picture(case, 9).says == "set-request"


def test_what_is_known_is_hidden_everywhere(rich: Document, fabricated: ModuleType) -> None:
    """A device that echoes the password in a segment of its own."""
    document = copy.deepcopy(rich)
    case = document["cases"][5]
    case["record"][10]["octets"] = "ff" + fabricated.PASSWORD.hex() + "ff"
    hiding = Hiding(document)
    assert hiding.hidden(case["record"][10]) == frozenset(range(1, 9))
    assert hiding.text(f"it was {fabricated.PASSWORD.hex().upper()}!") == f"it was {HIDDEN}!"
    assert hiding.text("GOOD") == "GOOD"


def test_a_password_in_pieces(fabricated: ModuleType) -> None:
    """Octet by octet over the line, whole only as an APDU: no piece is shown."""
    octets = fabricated.WHOLE[0]
    sent, received = fabricated.Direction.SENT, fabricated.Direction.RECEIVED
    record = [fabricated._entry(0.0, sent, fabricated.Level.APDU, fabricated.AARQ)]
    for octet in octets:
        record.append(fabricated._entry(0.1, sent, fabricated.Level.OCTETS, bytes((octet,))))
        record.append(fabricated._entry(0.1, received, fabricated.Level.OCTETS, b"\xff"))
    case = fabricated.failed_case()
    made = fabricated.case(case.id, case.verdict, case.standing, record=tuple(record))
    showing = Showing(to_json(fabricated.run_of((made,)), built_in()))
    seen = [showing.picture(showing.cases[0], number).octets[0] for number in range(1, len(record))]
    start = octets.index(fabricated.PASSWORD)
    assert seen[2 * start : 2 * (start + 8)] == [HIDDEN, "ff"] * 8
    assert seen[2 * start - 2] == "08"
    assert seen.count(HIDDEN) == 8 + 16


def test_words_of_ours_stay(fabricated: ModuleType) -> None:
    """A password that is a verdict hides no verdict."""
    aarq = fabricated.Aarq.decode(fabricated.AARQ)
    value = fabricated.AuthenticationValue(b"FAILED")
    case = fabricated.failed_case()
    entry = fabricated._entry(
        0.0, fabricated.Direction.SENT, fabricated.Level.APDU,
        aarq._replace(calling_authentication_value=value).encode(), text="was FAILED",
    )  # fmt: skip
    changed = fabricated.case(
        case.id, case.verdict, case.standing, record=(entry,), reasons=("FAILED",)
    )
    shown = Showing(to_json(fabricated.run_of((changed,)), built_in())).document
    assert shown["cases"][0]["verdict"] == "FAILED"
    assert shown["cases"][0]["reasons"] == [HIDDEN]


@settings(max_examples=40)
@given(st.data())
def test_nothing_of_a_page_does_anything(
    runs: SearchStrategy[RunResult], data: st.DataObject
) -> None:
    shown = Showing(to_json(data.draw(runs), built_in())).document
    assert "key_log" not in shown

    def look(value: object) -> None:
        if isinstance(value, str):
            assert value.isprintable()
        elif isinstance(value, (list, dict)):
            for one in value if isinstance(value, list) else (*value, *value.values()):
                look(one)

    look(shown)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("plain", "plain"),
        ("Zähler ≥ 3", "Zähler ≥ 3"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("\ufffe\u2028", "\\ufffe\\u2028"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_printable(text: str, says: str) -> None:
    assert printable(text) == says
