"""What a profile says of how its meters live: the tables ``habits``, ``logs`` and ``alerts``.

``habits`` has a value with its provenance for each, ``logs.<logical name>`` the events that go into
a Profile generic, ``alerts`` those that are told; events go by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from devices.alert_codes import Happening
from devices.profile.habits import Habits
from devices.profile.model import ObjectRow, Provenance
from devices.profile.place import Place
from devices.profile.table import Table, checked, need, one_of, only, provenance_of, within
from dlms.cosem import classes, obis
from dlms.cosem.fitting import elements_of
from dlms.words import words

_PROVENANCE = {"source", "assumed"}
_DOUBLE_LONG = 2**31 - 1
_EVENTS = words(Happening)
_LOG_COLUMNS = 3
_CLOCKS = ("kept", "stopped", "reset")
_SEALS = ("signature", "gmac")


def habits(table: Table, place: Place) -> tuple[Habits, dict[str, Provenance]]:
    """What is written, over the defaults, and where each comes from."""
    known = {field.name: field for field in fields(Habits)}
    only(table, set(known), place)
    values: dict[str, Any] = {}
    provenance = {}
    for name in table:
        where = place.at(name)
        row = need(table, name, dict, place)
        only(row, {"value"} | _PROVENANCE, where)
        default = getattr(Habits(), name)
        values[name] = need(row, "value", type(default), where)
        provenance[name] = provenance_of(row, where)
        if type(default) is int and name != "disablement_threshold":
            within(values[name], 0, _DOUBLE_LONG, where)
    if "clock_after_outage" in values:
        one_of(values["clock_after_outage"], _CLOCKS, place.at("clock_after_outage"))
    if "image_seal" in values:
        one_of(values["image_seal"], _SEALS, place.at("image_seal"))
    if "disablement_threshold" in values:
        where = place.at("disablement_threshold")
        within(values["disablement_threshold"], -_DOUBLE_LONG, _DOUBLE_LONG, where)
    return Habits(**values), provenance


def logs(
    table: Table, objects: Mapping[bytes, ObjectRow], place: Place
) -> dict[bytes, frozenset[int]]:
    """Which events go into which log."""
    found = {}
    for name in table:
        where = place.at(name)
        instance = checked(obis.parse, name, where)
        row = objects.get(instance)
        if row is None or row.interface_class.class_id != classes.PROFILE_GENERIC.class_id:
            raise where.error("there is no such Profile generic")
        columns = row.values.get(3)
        if columns is None or len(elements_of(columns) or ()) != _LOG_COLUMNS:
            raise where.error("a log has three capture objects: time, event code, argument")
        found[instance] = events(need(table, name, dict, place), where)
    return found


def events(table: Table, place: Place) -> frozenset[int]:
    """A list of events by name; ``*`` stands for all."""
    only(table, {"events"} | _PROVENANCE, place)
    provenance_of(table, place)
    names = need(table, "events", list, place)
    where = place.at("events")
    if names == ["*"]:
        return frozenset(_EVENTS.values())
    return frozenset(_EVENTS[one_of(name, tuple(_EVENTS), where)] for name in names)
