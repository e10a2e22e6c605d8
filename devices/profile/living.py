"""What a profile says of how its meters live: the tables ``habits``, ``logs`` and ``alerts``.

``habits`` has a value with its provenance for each, ``logs.<logical name>`` the events that go into
a Profile generic, ``alerts`` those that are told, and how; events go by their
names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from devices.alert_codes import Happening
from devices.profile.habits import Habits
from devices.profile.model import AlertPush, AssociationRow, ObjectRow, Provenance
from devices.profile.place import Place
from devices.profile.table import Table, checked, maybe, need, one_of, only, provenance_of, within
from dlms.cosem import classes, obis
from dlms.cosem.fitting import elements_of
from dlms.words import words
from dlms.xdlms.conformance import Conformance

_PROVENANCE = {"source", "assumed"}
_DOUBLE_LONG = 2**31 - 1
CLIENT_SAP = 9
"""Attribute push_client_SAP of Push setup, from version 1 on."""
ALERTS = frozenset({"push", "association"})
"""Of ``alerts``, how they go out."""
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


def alert_push(
    table: Table,
    associations: Mapping[str, AssociationRow],
    objects: Mapping[bytes, ObjectRow],
    place: Place,
) -> AlertPush | None:
    """By which Push setup alerts go out, and who protects them; ``None`` if they do not."""
    if "push" not in table:
        if "association" in table:
            raise place.at("association").error("goes with push, the Push setup of the alerts")
        return None
    where = place.at("push")
    instance = checked(obis.parse, need(table, "push", str, place), where)
    setup = objects.get(instance)
    if setup is None or setup.interface_class.class_id != classes.PUSH_SETUP.class_id:
        raise where.error("there is no such Push setup")
    name = maybe(table, "association", str, "", place)
    if name:
        where = place.at("association")
        if name not in associations:
            raise where.error("there is no such association")
    else:
        sap = setup.values.get(CLIENT_SAP) if setup.interface_class.version else None
        found = [
            row.name
            for row in associations.values()
            if sap is not None and row.config.client_sap == sap.value
        ]
        if not found:
            raise where.error("has no push_client_SAP of an association: name it (association)")
        name = found[0]
    config = associations[name].config
    if not config.context.ciphered or config.short_names:
        raise where.error(f"{name} has no ciphered context of logical names to protect alerts with")
    if Conformance.DATA_NOTIFICATION not in config.conformance:
        raise where.error(f"{name} has no DATA_NOTIFICATION among its conformance")
    return AlertPush(instance, name)


def events(table: Table, place: Place, more: frozenset[str] = frozenset()) -> frozenset[int]:
    """A list of events by name; ``*`` stands for all. ``more`` are other keys of the table."""
    only(table, {"events"} | more | _PROVENANCE, place)
    provenance_of(table, place)
    names = need(table, "events", list, place)
    where = place.at("events")
    if names == ["*"]:
        return frozenset(_EVENTS.values())
    return frozenset(_EVENTS[one_of(name, tuple(_EVENTS), where)] for name in names)
