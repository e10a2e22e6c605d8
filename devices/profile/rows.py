"""From TOML tables to the rows of :mod:`devices.profile.model`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from devices.profile.associations import association, rights_as
from devices.profile.instructions import instruction
from devices.profile.living import events, habits, logs
from devices.profile.model import ObjectRow, Profile, Provenance
from devices.profile.naming import short_names
from devices.profile.objects import objects
from devices.profile.place import Place
from devices.profile.table import Table, checked, maybe, need, one_of, only, provenance_of, within

_PROVENANCE = {"source", "assumed"}
_TOP_UP = ("credit", "token")
_MAX_DOUBLE_LONG = 2**31 - 1

_IDENTITY: dict[str, type] = {
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


def profile(document: Table, place: Place) -> Profile:
    name = need(document, "name", str, place)
    identity, provenance = _identity(need(document, "identity", dict, place), place.at("identity"))
    server_sap = identity["server_sap"]
    associations = {
        key: association(key, row, server_sap, place.at("associations").at(key))
        for key, row in need(document, "associations", dict, place).items()
    }
    alike = rights_as(document["associations"], place.at("associations"))
    where = place.at("objects")
    found = objects(need(document, "objects", dict, place), associations, alike, where)
    own = maybe(document, "short_name_objects", dict, {}, place)
    by_short_name = objects(own, associations, alike, place.at("short_name_objects"))
    instructions = {
        key: instruction(key, row, associations, found, place.at("instructions").at(key))
        for key, row in maybe(document, "instructions", dict, {}, place).items()
    }
    own_habits, of_habits = habits(maybe(document, "habits", dict, {}, place), place.at("habits"))
    provenance |= {f"habits.{key}": fact for key, fact in of_habits.items()}
    return Profile(
        name=name,
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
        short_names=short_names(associations, found, by_short_name, where),
        promising=frozenset(_promising((*found.values(), *by_short_name.values()))),
        habits=own_habits,
        logs=logs(maybe(document, "logs", dict, {}, place), found, place.at("logs")),
        alerts=events(document["alerts"], place.at("alerts"))
        if "alerts" in document
        else frozenset(),
    )


def _promising(rows: Iterable[ObjectRow]) -> Iterator[str]:
    for row in rows:
        for name, rights in row.rights.items():
            if any(
                one.response for one in (*rights.attributes.values(), *rights.invocable.values())
            ):
                yield name


def _identity(table: Table, place: Place) -> tuple[Table, dict[str, Provenance]]:
    only(table, set(_IDENTITY), place)
    values: Table = {}
    provenance = {}
    for key, kind in _IDENTITY.items():
        row = need(table, key, dict, place)
        where = place.at(key)
        only(row, {"value"} | _PROVENANCE, where)
        values[key] = need(row, "value", kind, where)
        provenance[key] = provenance_of(row, where)
    flag = values["flag_id"]
    if len(flag) != 3 or not (flag.isascii() and flag.isupper() and flag.isalpha()):
        raise place.at("flag_id").error(f"{flag!r} is not three upper-case letters")
    one_of(values["category"], (1, 2), place.at("category"))
    one_of(values["top_up"], _TOP_UP, place.at("top_up"))
    if not -5 <= values["currency_scale"] <= -2:
        raise place.at("currency_scale").error("from -5 (milli-pence) to -2 (pence)")
    within(values["server_sap"], 1, 0xFFFF, place.at("server_sap"))
    within(values["max_credit"], 0, _MAX_DOUBLE_LONG, place.at("max_credit"))
    within(values["max_balance"], 0, _MAX_DOUBLE_LONG, place.at("max_balance"))
    where = place.at("title_prefix")
    if len(checked(bytes.fromhex, values["title_prefix"], where)) > 3:
        raise where.error("at most 3 octets, to leave room for the serial number")
    return values, provenance
