"""All that a profile says, row by row, as text: to be shown and to be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from devices.alert_codes import Happening
from devices.profile import Profile
from devices.profile.model import (
    ActionStep,
    AssociationRow,
    InstructionRow,
    ObjectRow,
    Provenance,
    SetStep,
)
from devices.profile.writing import rights_text, value_text
from dlms.association.knobs import STRICT, Knobs
from dlms.axdr.data import Data
from dlms.cosem import obis
from dlms.cosem.interface_class import InterfaceClass
from dlms.cosem.shape import ANY, Shape
from dlms.security.control import POLICY_V0_NUMBERS
from dlms.words import word

IDENTITY = {
    "kind": "kind", "manufacturer": "manufacturer", "model": "model", "flag_id": "flag_id",
    "category": "category", "server_sap": "server_sap", "title_prefix": "title_prefix",
    "ldn": "ldn_format", "top_up": "top_up", "currency_scale": "currency_scale",
    "max_credit": "max_credit", "max_balance": "max_balance",
}  # fmt: skip
"""Attributes of a profile by their names in the file."""

_FLAGS = ("pre_established", "broadcast", "unconfirmed", "protected_release")


class Row(NamedTuple):
    """One row of a profile: the table and key it has in the file, what it says by entry, and where
    that comes from; ``None`` where the parts have sources of their own or need none.
    """

    table: str
    key: str
    entries: dict[str, str]
    provenance: Provenance | None

    @property
    def path(self) -> str:
        return f"{self.table}.{self.key}" if self.key else self.table


class Difference(NamedTuple):
    """What two profiles say of one entry; empty where one says nothing."""

    what: str
    first: str
    second: str


def rows_of(profile: Profile, association: str | None = None) -> list[Row]:
    """Every row. With ``association``, only what concerns that: itself, the objects that it may do
    something with, its Instructions.
    """
    return [*_identity(profile), *_rows(profile, association)]


def facts(profile: Profile) -> list[Provenance]:
    """Where each of the facts of a profile comes from, as often as there are facts."""
    return [row.provenance for row in rows_of(profile) if row.provenance is not None]


def differences(first: Profile, second: Profile) -> list[Difference]:
    """Entry by entry, in the order of ``first``, then what only ``second`` has."""
    one, other = _flat(first), _flat(second)
    return [
        Difference(what, one.get(what, ""), other.get(what, ""))
        for what in dict.fromkeys((*one, *other))
        if one.get(what) != other.get(what)
    ]


def _flat(profile: Profile) -> dict[str, str]:
    found = {}
    for row in rows_of(profile):
        for name, text in row.entries.items():
            found[f"{row.path}.{name}"] = text
        if row.provenance is not None:
            found[f"{row.path} (from)"] = str(row.provenance)
    return found


def _identity(profile: Profile) -> Iterator[Row]:
    for key, attribute in IDENTITY.items():
        value = getattr(profile, attribute)
        text = value.hex().upper() if isinstance(value, bytes) else str(value)
        yield Row("identity", key, {"value": text}, profile.provenance[key])


def _rows(profile: Profile, only: str | None) -> Iterator[Row]:
    for association in profile.associations.values():
        if only in (None, association.name):
            yield _association(association)
    tables = {"objects": profile.objects}
    # By short names an association sees some objects instead of others.
    hidden = {
        instance: row
        for instance, row in profile.short_names.objects.items()
        if profile.objects.get(instance) is not row
    }
    tables["short_name_objects"] = hidden
    if only is not None:
        seen = profile.objects_of(profile.associations[only])
        tables = {
            name: {key: row for key, row in table.items() if seen.get(key) is row}
            for name, table in tables.items()
        }
    for name, table in tables.items():
        for row in table.values():
            if only is None or only in row.rights:
                yield _object(name, row, only)
    for instruction in profile.instructions.values():
        if only in (None, instruction.association):
            yield _instruction(instruction, profile)
    if only is None:
        yield from _living(profile)


def _association(row: AssociationRow) -> Row:
    config = row.config
    entries = {
        "client_sap": str(config.client_sap),
        "context": config.context.name,
        "mechanism": config.mechanism.name,
        "suite": str(config.suite),
        "conformance": ", ".join(sorted(str(bit.name) for bit in config.conformance)),
        "max_pdu_size": str(config.max_pdu_size),
    }
    if config.block_window != 1:
        entries["block_window"] = str(config.block_window)
    if row.security_setup is not None:
        entries["security_setup"] = str(row.security_setup)
        entries["policy"] = str(POLICY_V0_NUMBERS[config.policy])
        entries["dedicated"] = _flag(row.dedicated)
    if config.response_policy is not None:
        entries["response_policy"] = str(POLICY_V0_NUMBERS[config.response_policy])
    entries |= {name: "true" for name in _FLAGS if getattr(config, name)}
    if config.users is not None:
        entries["users"] = ", ".join(f"{number} {name}" for number, name in row.users.items())
    knobs = _knobs(config.knobs)
    if knobs:
        entries["knobs"] = knobs
    return Row("associations", row.name, entries, row.provenance)


def _knobs(knobs: Knobs) -> str:
    """Those that are not as the strict preset has them."""
    changed = {
        field.name: getattr(knobs, field.name)
        for field in dataclasses.fields(knobs)
        if getattr(knobs, field.name) != getattr(STRICT, field.name)
    }
    return ", ".join(f"{name} {_plain(value)}" for name, value in changed.items())


def _plain(value: Any) -> str:
    if isinstance(value, Enum):
        return value.name
    return _flag(value) if isinstance(value, bool) else str(value)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _object(table: str, row: ObjectRow, only: str | None) -> Row:
    interface_class = row.interface_class
    entries = {"class": interface_class.name, "version": str(interface_class.version)}
    if row.role:
        entries["role"] = row.role
    if row.base_name is not None:
        entries["base_name"] = f"{row.base_name:04X}"
    for number, value in sorted(row.values.items()):
        attribute = interface_class.attribute(number)
        assert attribute is not None  # a profile has values of what is there only
        entries[f"values.{number}"] = _value(value, attribute.shape)
    for name, rights in row.rights.items():
        if only in (None, name):
            entries[f"rights.{name}"] = rights_text(rights, interface_class)
    return Row(table, obis.text(row.instance), entries, row.provenance)


def _value(value: Data, shape: Shape) -> str:
    return value_text(value, shape).removeprefix("{ ").removesuffix(" }")


def _instruction(row: InstructionRow, profile: Profile) -> Row:
    entries = {"association": row.association, "critical": _flag(row.critical)}
    for number, step in enumerate(row.steps):
        entries[f"steps.{number}"] = _step(step, profile)
    return Row("instructions", row.name, entries, row.provenance)


def _step(step: SetStep | ActionStep, profile: Profile) -> str:
    if isinstance(step, SetStep):
        place = step.attribute
        table = profile.objects[place.instance].interface_class
        value = "argument" if step.value is None else _value(step.value, _shape(table, place[2]))
        return f"set {obis.text(place.instance)} {place.attribute} = {value}"
    method = step.method
    given = "" if step.parameter is None else _value(step.parameter, ANY)
    return f"action {obis.text(method.instance)} {method.method} ({given})"


def _shape(table: InterfaceClass, number: int) -> Shape:
    attribute = table.attribute(number)
    return ANY if attribute is None else attribute.shape


def _living(profile: Profile) -> Iterator[Row]:
    for field in dataclasses.fields(profile.habits):
        provenance = profile.provenance.get(f"habits.{field.name}")
        value = _plain(getattr(profile.habits, field.name))
        yield Row("habits", field.name, {"value": value}, provenance)
    for instance, events in profile.logs.items():
        yield Row("logs", obis.text(instance), {"events": _events(events)}, None)
    if profile.alerts:
        yield Row("alerts", "", {"events": _events(profile.alerts)}, None)
    for plugin, knobs in profile.knobs.items():
        yield Row("plugins", plugin, {name: _plain(value) for name, value in knobs.items()}, None)


def _events(codes: frozenset[int]) -> str:
    if codes == frozenset(Happening):
        return "*"
    return ", ".join(word(Happening(code)) for code in sorted(codes))
