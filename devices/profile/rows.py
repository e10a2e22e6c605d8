"""From TOML tables to the rows of :mod:`devices.profile.model`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from devices.profile import words
from devices.profile.associations import association, rights_as
from devices.profile.habits import Habits
from devices.profile.instructions import instruction
from devices.profile.living import ALERTS, alert_push, events, habits, logs
from devices.profile.model import (
    AlertPush,
    AssociationRow,
    InstructionRow,
    ObjectRow,
    Profile,
    Provenance,
)
from devices.profile.naming import short_names
from devices.profile.objects import objects
from devices.profile.place import Place, Problems
from devices.profile.table import (
    Table,
    checked,
    maybe,
    need,
    one_of,
    only,
    provenance_of,
    shown,
    within,
)

_PROVENANCE = {"source", "assumed"}
_MAX_DOUBLE_LONG = 2**31 - 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
KINDS = ("electricity", "gas")
TOP_UP = ("credit", "token")

IDENTITY: dict[str, type] = {
    "kind": str,
    "manufacturer": str,
    "model": str,
    "flag_id": str,
    "category": int,
    "server_sap": int,
    "title_prefix": str,
    "ldn": str,
    "top_up": str,
    "currency_scale": int,
    "max_credit": int,
    "max_balance": int,
}
DEFAULTS = {"kind": {"value": "electricity", "assumed": "the default: nothing is said"}}
"""Of identity: what need not be said."""


def profile(document: Table, place: Place) -> Profile:
    """:class:`ProfileError` names all that is wrong in rows that do not depend on each other."""
    problems = Problems()
    name, identity, provenance = "", dict[str, Any](), dict[str, Provenance]()
    knobs: dict[str, dict[str, bool | int | str]] = {}
    written = dict[str, Any]()
    associations: dict[str, AssociationRow] = {}
    alike: dict[str, str] = {}
    found: dict[bytes, ObjectRow] = {}
    by_short_name: dict[bytes, ObjectRow] = {}
    instructions: dict[str, InstructionRow] = {}
    with problems.collected():
        name = _name(document, place)
    with problems.collected():
        where = place.at("identity")
        identity, provenance = _identity(need(document, "identity", dict, place), where)
    with problems.collected():
        knobs = _knobs(maybe(document, "plugins", dict, {}, place), place.at("plugins"))
    server_sap = identity.get("server_sap", 1)  # without an identity nothing comes of it anyway
    with problems.collected():
        written = need(document, "associations", dict, place)
    for key, row in written.items():
        with problems.collected():
            where = place.at("associations").at(key)
            associations[key] = association(key, row, server_sap, where)
    with problems.collected():
        alike = rights_as(written, place.at("associations"))
    where = place.at("objects")
    with problems.collected():
        table = need(document, "objects", dict, place)
        found = objects(table, written, alike, where, problems)
    with problems.collected():
        table = maybe(document, "short_name_objects", dict, {}, place)
        own = place.at("short_name_objects")
        by_short_name = objects(table, written, alike, own, problems)
    own_habits, told = Habits(), frozenset[int]()
    with problems.collected():
        table = maybe(document, "habits", dict, {}, place)
        own_habits, of_habits = habits(table, place.at("habits"))
        provenance |= {f"habits.{key}": fact for key, fact in of_habits.items()}
    with problems.collected():
        if "alerts" in document:
            told = events(document["alerts"], place.at("alerts"), ALERTS)
    # What follows speaks of objects and associations: of no use while some are wrong.
    problems.settle()
    for key, row in maybe(document, "instructions", dict, {}, place).items():
        with problems.collected():
            step = place.at("instructions").at(key)
            instructions[key] = instruction(key, row, associations, found, step)
    kept: dict[bytes, frozenset[int]] = {}
    with problems.collected():
        kept = logs(maybe(document, "logs", dict, {}, place), found, place.at("logs"))
    pushed: AlertPush | None = None
    with problems.collected():
        table = maybe(document, "alerts", dict, {}, place)
        pushed = alert_push(table, associations, found, place.at("alerts"))
    problems.settle()
    return Profile(
        name=name,
        kind=identity["kind"],
        manufacturer=identity["manufacturer"],
        model=identity["model"],
        flag_id=identity["flag_id"],
        category=identity["category"],
        server_sap=server_sap,
        title_prefix=bytes.fromhex(identity["title_prefix"]),
        ldn_format=identity["ldn"],
        top_up=identity["top_up"],
        currency_scale=identity["currency_scale"],
        max_credit=identity["max_credit"],
        max_balance=identity["max_balance"],
        associations=associations,
        objects=found,
        instructions=instructions,
        provenance=provenance,
        short_names=short_names(associations, found, by_short_name, place),
        promising=frozenset(_promising((*found.values(), *by_short_name.values()))),
        habits=own_habits,
        logs=kept,
        alerts=told,
        alert_push=pushed,
        knobs=knobs,
    )


def _name(document: Table, place: Place) -> str:
    """It is in file names, topics and commands."""
    name = need(document, "name", str, place)
    if not NAME.fullmatch(name):
        raise place.at("name").error(f"{shown(name)} is not of letters, digits, _ and - (64)")
    return name


def _promising(rows: Iterable[ObjectRow]) -> Iterator[str]:
    for row in rows:
        for name, rights in row.rights.items():
            if any(
                one.response for one in (*rights.attributes.values(), *rights.invocable.values())
            ):
                yield name


def _identity(table: Table, place: Place) -> tuple[Table, dict[str, Provenance]]:
    only(table, set(IDENTITY), place)
    problems = Problems()
    values: Table = {}
    provenance = {}
    for key, kind in IDENTITY.items():
        with problems.collected():
            row = DEFAULTS[key] if key in DEFAULTS and key not in table else None
            if row is None:
                row = need(table, key, dict, place)
            where = place.at(key)
            only(row, {"value"} | _PROVENANCE, where)
            value: Any = need(row, "value", kind, where)
            _CHECKS.get(key, _nothing)(value, where)
            values[key] = value
            provenance[key] = provenance_of(row, where)
    problems.settle()
    return values, provenance


def _nothing(value: Any, place: Place) -> None:
    """Any value will do."""


def _flag_id(value: str, place: Place) -> None:
    if len(value) != 3 or not (value.isascii() and value.isupper() and value.isalpha()):
        raise place.error(f"{shown(value)} is not three upper-case letters")


def _currency_scale(value: int, place: Place) -> None:
    if not -5 <= value <= -2:
        raise place.error("from -5 (milli-pence) to -2 (pence)")


def _title_prefix(value: str, place: Place) -> None:
    if len(checked(bytes.fromhex, value, place)) > 3:
        raise place.error("at most 3 octets, to leave room for the serial number")


_CHECKS: dict[str, Callable[[Any, Place], object]] = {
    "kind": lambda value, place: one_of(value, KINDS, place),
    "flag_id": _flag_id,
    "category": lambda value, place: one_of(value, (1, 2), place),
    "top_up": lambda value, place: one_of(value, TOP_UP, place),
    "currency_scale": _currency_scale,
    "server_sap": lambda value, place: within(value, 1, 0xFFFF, place),
    "max_credit": lambda value, place: within(value, 0, _MAX_DOUBLE_LONG, place),
    "max_balance": lambda value, place: within(value, 0, _MAX_DOUBLE_LONG, place),
    "title_prefix": _title_prefix,
}


def _knobs(table: Table, place: Place) -> dict[str, dict[str, bool | int | str]]:
    """The settings of each plug-in that is named, with the defaults of those left out."""
    found = {}
    for plugin, written in table.items():
        where = place.at(plugin)
        known = words.KNOBS.get(plugin)
        if known is None:
            there = ", ".join(words.KNOBS) or "none"
            raise where.error(f"no such plug-in is in use; there are: {there}")
        only(written, set(known), where)
        found[plugin] = {
            name: maybe(written, name, type(knob.default), knob.default, where)
            for name, knob in known.items()
        }
    return found
