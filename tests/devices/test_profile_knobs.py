"""The knobs of an association as a profile writes them."""

from __future__ import annotations

import pytest

from devices.profile import available, load
from devices.profile.knobs import parse_knobs
from devices.profile.place import Place, ProfileError
from dlms.association.knobs import LEGACY, STRICT, KeyInForce, Knobs, ResponseProtection
from dlms.security.hls import InnerCounter

PLACE = Place("a.toml", ("associations", "x", "knobs"))


def test_nothing_written_is_the_strict_preset() -> None:
    assert parse_knobs({}, PLACE) == STRICT


def test_a_preset_and_what_differs() -> None:
    table = {
        "preset": "legacy",
        "response_protection": "POLICY",
        "max_forward_jump": 1000,
        "dedicated_demanded": True,
        "first_counter": 0,
    }
    knobs = parse_knobs(table, PLACE)
    assert knobs.response_protection is ResponseProtection.POLICY
    assert (knobs.max_forward_jump, knobs.first_counter) == (1000, 0)
    assert knobs.dedicated_demanded is True
    assert knobs.unprotected_control_accepted is LEGACY.unprotected_control_accepted is True


WRONG = {
    "unknown key": ({"innner_counter": "STRICT"}, "unknown key"),
    "unknown preset": ({"preset": "kind"}, "not one of"),
    "unknown choice": ({"inner_counter": "KIND"}, "is unknown"),
    "choice of another kind": ({"inner_counter": 1}, "is unknown"),
    "number for a flag": ({"dedicated_demanded": 1}, "true or false is needed"),
    "flag for a number": ({"max_forward_jump": True}, "a whole number is needed"),
    "impossible": ({"first_counter": 2}, "0 or 1"),
}


@pytest.mark.parametrize(("table", "why"), WRONG.values(), ids=list(WRONG))
def test_wrong(table: dict[str, object], why: str) -> None:
    with pytest.raises(ProfileError, match=why):
        parse_knobs(table, PLACE)


@pytest.mark.parametrize("name", available())
def test_the_five_meters(name: str) -> None:
    """One is strict about the counter of f(StoC), four are not; else all are strict."""
    for row in load(name).associations.values():
        lenient = name != "secure" and row.name in ("s1sp", "dco")
        inner = InnerCounter.LENIENT if lenient else InnerCounter.STRICT
        force = KeyInForce.NEXT_ASSOCIATION if row.single_key else KeyInForce.IMMEDIATE
        assert row.config.knobs == Knobs(inner_counter=inner, key_in_force=force)
