"""The knobs of an association as a profile writes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from devices.profile import available, gas, load
from devices.profile.knobs import parse_knobs
from devices.profile.place import Place, ProfileError
from dlms.association.knobs import (
    FIELD,
    LEGACY,
    STRICT,
    ExceptionCodes,
    KeyInForce,
    Knobs,
    ResponseProtection,
    Unasked,
)
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


@pytest.mark.parametrize("name", [*available(), *gas()])
def test_the_meters(name: str) -> None:
    """Two are strict about the counter of f(StoC), the others are not; what else they do their own
    way is in the parties' associations alone. The DCO comes over the TLS of the S1SP.
    """
    for row in load(name).associations.values():
        party = row.name in ("s1sp", "dco")
        lenient = party and not name.startswith("secure")
        inner = InnerCounter.LENIENT if lenient else InnerCounter.STRICT
        force = KeyInForce.NEXT_ASSOCIATION if row.single_key else KeyInForce.IMMEDIATE
        preset, others = OWN.get((name, row.name), (STRICT, {})) if party else (STRICT, {})
        wanted = replace(preset, inner_counter=inner, key_in_force=force, **others)
        if row.name == "dco":
            wanted = replace(wanted, channel_title=Unasked.IGNORE)
        assert row.config.knobs == wanted


_NO_COUNTER = {"exception_codes": ExceptionCodes.NO_COUNTER}
OWN: dict[tuple[str, str], tuple[Knobs, dict[str, Any]]] = {
    ("honeywell_elster", "s1sp"): (STRICT, _NO_COUNTER),
    ("honeywell_elster_gas", "s1sp"): (FIELD, _NO_COUNTER),
    ("honeywell_elster_gas", "dco"): (FIELD, _NO_COUNTER),
    ("landis_gyr_gas", "s1sp"): (STRICT, {"first_counter": 1}),
    ("landis_gyr_gas", "dco"): (STRICT, {"first_counter": 1}),
    ("secure_gas", "s1sp"): (STRICT, {"max_forward_jump": 1_000_000}),
    ("secure_gas", "dco"): (STRICT, {"max_forward_jump": 1_000_000}),
}
