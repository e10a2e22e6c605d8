"""A mistake that the fuzzer has to find: what it breaks, and where it is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from devices.profile.place import Place
from devices.profile.table import maybe, need, only
from emulator import toml_file
from emulator.faults import Catalogue, built_in
from emulator.fuzz.actions import Plant
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.setting import Setting

_FILE = "bugs.toml"
_SETTING = {"profile", "clients", "alive"}
_CLIENT = {"association", "shares", "dedicated"}
_BUG = {"setting", "rule", "case", "invariants"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """``name`` is that of its fault, ``title`` what the fault says. ``rule`` is what it breaks,
    ``case`` the one of the reference that is nearest. ``invariants`` are those that may notice it.
    ``setting`` has it planted.
    """

    name: str
    title: str
    rule: str
    case: str
    invariants: tuple[str, ...]
    setting: Setting
    place: str
    """The name of the setting."""


@cache
def bugs() -> Mapping[str, Bug]:
    """Every bug of the gallery by name. :class:`~devices.profile.ProfileError` for what is wrong in
    the file, :class:`~emulator.control.errors.ControlError` for a fault that there is not.
    """
    text = (resources.files("emulator.fuzz.gallery") / _FILE).read_text("utf-8")
    written = toml_file.parse(text, _FILE)
    place, table = written.place, written.table
    only(table, {"settings", "bugs"}, place)
    places = {
        name: _setting(row, place.at("settings").at(name))
        for name, row in need(table, "settings", dict, place).items()
    }
    rows, faults = need(table, "bugs", dict, place), built_in()
    return {
        name: _bug(name, row, places, faults, place.at("bugs").at(name))
        for name, row in rows.items()
    }


def settings() -> Mapping[str, Setting]:
    """Where bugs are looked for, each without any."""
    return {bug.place: replace(bug.setting, plants=()) for bug in bugs().values()}


def _setting(row: Any, place: Place) -> Setting:
    only(row, _SETTING, place)
    clients = {
        name: _client(kind, place.at("clients").at(name))
        for name, kind in need(row, "clients", dict, place).items()
    }
    profile = maybe(row, "profile", str, "laboratory", place)
    return Setting(profile=profile, clients=clients, alive=maybe(row, "alive", str, "dco", place))


def _client(row: Any, place: Place) -> ClientKind:
    only(row, _CLIENT, place)
    return ClientKind(
        association=need(row, "association", str, place),
        shares=maybe(row, "shares", str, "", place),
        dedicated=maybe(row, "dedicated", bool, False, place),
    )


def _bug(
    name: str, row: Any, places: Mapping[str, Setting], faults: Catalogue, place: Place
) -> Bug:
    only(row, _BUG, place)
    where = need(row, "setting", str, place)
    if where not in places:
        raise place.at("setting").error(f"{where!r} is none of {', '.join(places)}")
    fault = faults.find(name)
    return Bug(
        name=name,
        title=fault.help,
        rule=need(row, "rule", str, place),
        case=need(row, "case", str, place),
        invariants=tuple(need(row, "invariants", list, place)),
        setting=replace(places[where], plants=(Plant(fault=name),)),
        place=where,
    )
