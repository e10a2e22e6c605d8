"""COSEM objects of a profile: class and version, values, rights."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from devices.profile import words
from devices.profile.model import ObjectRow
from devices.profile.place import Place, Problems
from devices.profile.rights import Rights, parse_rights
from devices.profile.table import Table, checked, maybe, near, need, only, provenance_of, within
from devices.profile.values import parse_value
from dlms.axdr.data import Data
from dlms.cosem import obis, short_names
from dlms.cosem.interface_class import InterfaceClass, misfit

KEYS = {
    "class", "version", "values", "rights", "role", "absent", "base_name", "source", "assumed",
}  # fmt: skip


def objects(
    table: Table,
    associations: Collection[str],
    alike: Mapping[str, str],
    place: Place,
    problems: Problems,
) -> dict[bytes, ObjectRow]:
    """The rows of one table of objects; those that are ``absent`` are left out.

    ``alike`` says whose rights an association has where it is given none of its own.
    """
    found: dict[bytes, ObjectRow] = {}
    for key, row in table.items():
        with problems.collected():
            parsed = _object(key, row, associations, place.at(key))
            if parsed is None:
                continue
            if parsed.instance in found:
                raise place.at(key).error("this object is there already")
            for name, model in alike.items():
                if model in parsed.rights:
                    parsed.rights.setdefault(name, parsed.rights[model])
            found[parsed.instance] = parsed
    return found


def _object(key: str, row: Table, associations: Collection[str], place: Place) -> ObjectRow | None:
    only(row, KEYS, place)
    if maybe(row, "absent", bool, False, place):
        return None
    instance = checked(obis.parse, key, place)
    interface_class = _class(row, place)
    where = place.at("values")
    values = dict(
        _value(number, written, interface_class, where)
        for number, written in maybe(row, "values", dict, {}, place).items()
    )
    rights: dict[str, Rights] = {}
    written = maybe(row, "rights", dict, {}, place)
    for association in written:
        text = need(written, association, str, place.at("rights"))
        where = place.at("rights").at(association)
        if association not in associations:
            known = ", ".join(associations)
            hint = near(association, associations)
            raise where.error(f"there is no such association{hint}; there are {known}")
        rights[association] = checked(lambda t: parse_rights(t, interface_class), text, where)
    return ObjectRow(
        interface_class,
        instance,
        values,
        rights,
        maybe(row, "role", str, "", place),
        provenance_of(row, place),
        _base_name(row, place),
    )


def _class(row: Table, place: Place) -> InterfaceClass:
    """The class by its name, in the version that is written or else its default."""
    name = need(row, "class", str, place)
    default = words.default_class(name)
    if default is None:
        names = words.class_names()
        hint = near(name, names)
        raise place.at("class").error(f"{name!r} is unknown{hint}; known are {', '.join(names)}")
    if "version" not in row:
        return default
    version = need(row, "version", int, place)
    for one in words.class_versions(name):
        if one.version == version:
            return one
    known = ", ".join(str(one.version) for one in words.class_versions(name))
    raise place.at("version").error(f"{version} is unknown; known are {known}")


def _base_name(row: Table, place: Place) -> int | None:
    base = maybe(row, "base_name", int, None, place)
    where = place.at("base_name")
    if base is not None and within(base, 0, short_names.MAX_NAME, where) % short_names.STEP:
        raise where.error(f"{base:04X} is no multiple of 8")
    return base


def _value(
    number: str, written: object, interface_class: InterfaceClass, place: Place
) -> tuple[int, Data]:
    where = place.at(number)
    if not number.isdecimal():
        raise where.error("attributes are given by number")
    if int(number) == 1:
        raise where.error("the logical name is the object's key")
    attribute = interface_class.attribute(int(number))
    if attribute is None:
        raise where.error(f"{interface_class.name} has no attribute {number}")
    value = checked(parse_value, written, where)
    problem = misfit(attribute.shape, value)
    if problem is not None:
        raise where.error(f"{attribute.name} {problem}")
    return int(number), value
