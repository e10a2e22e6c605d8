"""The knobs of an association, from a table: a preset, and what differs from it."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any

from devices.profile.place import Place
from devices.profile.table import Table, checked, member, need, one_of, only
from dlms.association.knobs import PRESETS, STRICT, Knobs

FIELDS = {field.name for field in dataclasses.fields(Knobs)}


def parse_knobs(written: Table | str, place: Place) -> Knobs:
    """The name of a preset, or a table of what differs from one.

    In a table ``preset`` names one of :data:`~dlms.association.knobs.PRESETS`, "strict" if it is
    left out; the other keys are fields, and the values of those that are choices are the choices'
    names.
    """
    table = {"preset": written} if isinstance(written, str) else written
    only(table, {"preset"} | FIELDS, place)
    preset = STRICT
    if "preset" in table:
        name = need(table, "preset", str, place)
        preset = PRESETS[one_of(name, tuple(PRESETS), place.at("preset"))]
    changes = {
        key: _value(getattr(preset, key), table, key, place) for key in table if key != "preset"
    }
    return checked(lambda values: dataclasses.replace(preset, **values), changes, place)


def _value(present: Any, table: Table, key: str, place: Place) -> Any:
    """What is written, in the type of what is ``present``; ``None`` stands for a number."""
    if isinstance(present, Enum):
        return member(type(present), table[key], place.at(key))
    return need(table, key, bool if isinstance(present, bool) else int, place)
