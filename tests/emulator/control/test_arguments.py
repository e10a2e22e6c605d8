"""What is taken for an argument, and what is said of the rest."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from emulator.control import Argument, ControlError, Kind
from emulator.control.arguments import MAX_TEXT, shown, taken

UTC = dt.UTC
HOUR = dt.timedelta(hours=1)


def argument(kind: Kind, **more: Any) -> Argument:
    return Argument(name="what", kind=kind, help="for tests", **more)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.TEXT, "", ""),
        (Kind.TEXT, "x" * MAX_TEXT, "x" * MAX_TEXT),
        (Kind.INTEGER, -3, -3),
        (Kind.NUMBER, 2, 2),
        (Kind.NUMBER, 0.25, 0.25),
        (Kind.FLAG, False, False),
        (Kind.FLAG, True, True),
        (Kind.MOMENT, "2026-03-29", dt.datetime(2026, 3, 29, tzinfo=UTC)),
        (Kind.MOMENT, "2026-03-29T12:30:05", dt.datetime(2026, 3, 29, 12, 30, 5, tzinfo=UTC)),
        (Kind.MOMENT, "2026-03-29T12:30Z", dt.datetime(2026, 3, 29, 12, 30, tzinfo=UTC)),
        (Kind.MOMENT, "2026-03-29T12:30+01:00", dt.datetime(2026, 3, 29, 11, 30, tzinfo=UTC)),
        (Kind.DURATION, "90s", 90 * HOUR / 3600),
        (Kind.DURATION, "1d12h", 36 * HOUR),
        (Kind.DURATION, "1w2d3h4m5s", dt.timedelta(9, seconds=3 * 3600 + 245)),
        (Kind.DURATION, "0s", dt.timedelta()),
        (Kind.DURATION, 1.5, dt.timedelta(seconds=1.5)),
        (Kind.DURATION, 3600, HOUR),
    ],
)
def test_what_is_taken(kind: Kind, value: object, expected: object) -> None:
    found = argument(kind).take(value)
    assert found == expected
    assert type(found) is type(expected)


def test_now_is_the_time_of_this_machine() -> None:
    before = dt.datetime.now(UTC)
    assert before <= argument(Kind.MOMENT).take("now") <= dt.datetime.now(UTC)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, "x" * (MAX_TEXT + 1)),
        (Kind.TEXT, "two\nlines"),
        (Kind.TEXT, 3),
        (Kind.TEXT, ["x"]),
        (Kind.INTEGER, 3.0),
        (Kind.INTEGER, True),
        (Kind.INTEGER, "3"),
        (Kind.NUMBER, True),
        (Kind.NUMBER, "1"),
        (Kind.NUMBER, float("nan")),
        (Kind.NUMBER, float("inf")),
        (Kind.FLAG, 1),
        (Kind.FLAG, "true"),
        (Kind.MOMENT, "tomorrow"),
        (Kind.MOMENT, ""),
        (Kind.MOMENT, 1774785600),
        (Kind.MOMENT, "2026-02-30"),
        (Kind.MOMENT, "0001-01-01T00:00+14:00"),
        (Kind.DURATION, ""),
        (Kind.DURATION, "1h1d"),
        (Kind.DURATION, "1h1h"),
        (Kind.DURATION, "-1h"),
        (Kind.DURATION, "1 h"),
        (Kind.DURATION, "12"),
        (Kind.DURATION, "\u0661h"),
        (Kind.DURATION, "999999999999w"),
        (Kind.DURATION, 1e300),
        (Kind.DURATION, 10**400),
        (Kind.DURATION, True),
        (Kind.DURATION, float("nan")),
    ],
)
def test_what_is_not(kind: Kind, value: object) -> None:
    with pytest.raises(ControlError) as caught:
        argument(kind).take(value)
    assert caught.value.code == "bad-argument"
    assert caught.value.text == f"what is {kind.value}, not {shown(value)}"


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        (Kind.INTEGER, 1, True),
        (Kind.INTEGER, 5, True),
        (Kind.INTEGER, 0, False),
        (Kind.INTEGER, 6, False),
        (Kind.INTEGER, 10**400, False),
        (Kind.NUMBER, 5.0, True),
        (Kind.NUMBER, 5.1, False),
        (Kind.NUMBER, -(10**400), False),
        (Kind.DURATION, "5s", True),
        (Kind.DURATION, "6s", False),
        (Kind.DURATION, 0.5, False),
    ],
)
def test_range(kind: Kind, value: object, good: bool) -> None:
    bounded = argument(kind, least=1, most=5)
    if good:
        bounded.take(value)
        return
    with pytest.raises(ControlError) as caught:
        bounded.take(value)
    unit = "s" if kind is Kind.DURATION else ""
    assert f"(at least 1{unit}, at most 5{unit}), not" in caught.value.text


def test_long_bounds_are_said_in_days() -> None:
    long = argument(Kind.DURATION, least=0, most=86_400 * 400)
    assert long.expected().endswith("a number of seconds (at least 0s, at most 400d)")


def test_choices() -> None:
    one = argument(Kind.TEXT, choices=("on", "off"))
    assert one.take("on") == "on"
    with pytest.raises(ControlError) as caught:
        one.take("of")
    assert caught.value.text == "what is one of on, off, not 'of'"


def test_what_is_missing_and_what_is_too_much() -> None:
    needed = argument(Kind.TEXT, required=True)
    other = Argument(name="other", kind=Kind.FLAG, help="")
    assert taken((needed, other), {"what": "x"}) == {"what": "x"}
    assert taken((needed, other), {"what": "x", "other": None}) == {"what": "x"}
    for given, text in (
        ({}, "what is missing: text"),
        ({"what": None}, "what is missing: text"),
        ({"what": "x", "more": 1}, "no argument 'more'; there are: what, other"),
    ):
        with pytest.raises(ControlError) as caught:
            taken((needed, other), given)
        assert (caught.value.code, caught.value.text) == ("bad-argument", text)
    with pytest.raises(ControlError, match="no argument 'more'; there are none"):
        taken((), {"more": 1})


def test_what_a_peer_has_sent_is_shown_in_one_short_line() -> None:
    assert shown("\x1b[31m\n") == "'\\x1b[31m\\n'"
    assert shown({"a": "secret"}) == "dict"
    assert len(shown("x" * 10_000)) < 50


def test_description() -> None:
    row = argument(Kind.NUMBER, least=1, most=5, required=True).to_json()
    assert json.loads(json.dumps(row)) == {
        "name": "what",
        "type": "number",
        "required": True,
        "help": "for tests",
        "least": 1,
        "most": 5,
    }
    assert argument(Kind.TEXT, choices=("a",)).to_json()["choices"] == ["a"]
