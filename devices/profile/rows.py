"""From TOML tables to the rows of :mod:`devices.profile.model`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from devices.profile.model import (
    ActionStep,
    AssociationRow,
    InstructionRow,
    ObjectRow,
    Profile,
    Provenance,
    SetStep,
)
from devices.profile.place import Place
from devices.profile.rights import Rights, parse_rights
from devices.profile.values import parse_value
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import ServerConfig
from dlms.axdr.data import Data
from dlms.cosem import classes, obis
from dlms.cosem.interface_class import InterfaceClass, fits
from dlms.security.control import POLICY_V0, Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor

T = TypeVar("T")
Table = dict[str, Any]

_PROVENANCE = {"source", "assumed"}
_TOP_UP = ("credit", "token")
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
_ASSOCIATION = {
    "client_sap",
    "context",
    "mechanism",
    "conformance",
    "max_pdu_size",
    "policy",
    "security_setup",
    "dedicated",
    "protection",
    "protected_release",
}


def only(table: Table, allowed: set[str], place: Place) -> None:
    """Refuse keys that mean nothing: a typing error must not pass as a default."""
    for key in table:
        if key not in allowed:
            raise place.at(key).error(f"unknown key; known are {', '.join(sorted(allowed))}")


def profile(document: Table, place: Place) -> Profile:
    name = _need(document, "name", str, place)
    identity, provenance = _identity(_need(document, "identity", dict, place), place.at("identity"))
    server_sap = identity["server_sap"]
    associations = {
        key: _association(key, row, server_sap, place.at("associations").at(key))
        for key, row in _need(document, "associations", dict, place).items()
    }
    objects = {}
    for key, row in _need(document, "objects", dict, place).items():
        parsed = _object(key, row, set(associations), place.at("objects").at(key))
        if parsed is not None:
            objects[parsed.instance] = parsed
    instructions = {
        key: _instruction(key, row, associations, objects, place.at("instructions").at(key))
        for key, row in document.get("instructions", {}).items()
    }
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
        objects=objects,
        instructions=instructions,
        provenance=provenance,
    )


def _identity(table: Table, place: Place) -> tuple[Table, dict[str, Provenance]]:
    only(table, set(_IDENTITY), place)
    values: Table = {}
    provenance = {}
    for key, kind in _IDENTITY.items():
        row = _need(table, key, dict, place)
        where = place.at(key)
        only(row, {"value"} | _PROVENANCE, where)
        values[key] = _need(row, "value", kind, where)
        provenance[key] = _provenance(row, where)
    flag = values["flag_id"]
    if len(flag) != 3 or not (flag.isascii() and flag.isupper() and flag.isalpha()):
        raise place.at("flag_id").error(f"{flag!r} is not three upper-case letters")
    _one_of(values["category"], (1, 2), place.at("category"))
    _one_of(values["top_up"], _TOP_UP, place.at("top_up"))
    if not -5 <= values["currency_scale"] <= -2:
        raise place.at("currency_scale").error("from -5 (milli-pence) to -2 (pence)")
    where = place.at("title_prefix")
    if len(_checked(bytes.fromhex, values["title_prefix"], where)) > 3:
        raise where.error("at most 3 octets, to leave room for the serial number")
    return values, provenance


def _association(name: str, row: Table, server_sap: int, place: Place) -> AssociationRow:
    only(row, _ASSOCIATION | _PROVENANCE, place)
    context = _member(ApplicationContext, _need(row, "context", str, place), place.at("context"))
    mechanism = _member(Mechanism, _need(row, "mechanism", str, place), place.at("mechanism"))
    policy = _one_of(row.get("policy", 0), tuple(POLICY_V0), place.at("policy"))
    conformance = Conformance(0)
    for word in _need(row, "conformance", list, place):
        conformance |= _member(Conformance, word, place.at("conformance"))
    setup = row.get("security_setup")
    dedicated = row.get("dedicated", False)
    needs_keys = context.ciphered or mechanism is Mechanism.HLS_GMAC
    if needs_keys and setup is None:
        raise place.error("ciphering and HLS need keys: security_setup is missing")
    if dedicated and not context.ciphered:
        raise place.at("dedicated").error("a dedicated key needs a ciphered context")
    if policy and not context.ciphered:
        raise place.at("policy").error("a security policy needs a ciphered context")
    if mechanism not in (Mechanism.NONE, Mechanism.LLS, Mechanism.HLS_GMAC):
        raise place.at("mechanism").error(f"{mechanism.name} is not supported yet")
    protection = _member(Protection, row.get("protection", "BOTH"), place.at("protection"))
    if POLICY_V0[policy] & ~protection:
        raise place.at("protection").error("is less than the policy demands")
    return AssociationRow(
        name,
        ServerConfig(
            client_sap=_need(row, "client_sap", int, place),
            server_sap=server_sap,
            context=context,
            mechanism=mechanism,
            conformance=conformance,
            max_pdu_size=_need(row, "max_pdu_size", int, place),
            policy=POLICY_V0[policy],
            protected_release=row.get("protected_release", False),
        ),
        setup,
        dedicated,
        protection,
        _provenance(row, place),
    )


def _object(key: str, row: Table, associations: set[str], place: Place) -> ObjectRow | None:
    only(row, {"class", "values", "rights", "role", "absent"} | _PROVENANCE, place)
    if row.get("absent", False):
        return None
    instance = _checked(obis.parse, key, place)
    class_name = _need(row, "class", str, place)
    interface_class = classes.BY_NAME.get(class_name)
    if interface_class is None:
        raise place.at("class").error(f"unknown; known are {', '.join(classes.BY_NAME)}")
    where = place.at("values")
    values = dict(
        _value(number, written, interface_class, where)
        for number, written in row.get("values", {}).items()
    )
    rights: dict[str, Rights] = {}
    for association, words in row.get("rights", {}).items():
        where = place.at("rights").at(association)
        if association not in associations:
            raise where.error("there is no such association")
        rights[association] = _checked(lambda w: parse_rights(w, interface_class), words, where)
    return ObjectRow(
        interface_class, instance, values, rights, row.get("role", ""), _provenance(row, place)
    )


def _value(
    number: str, written: object, interface_class: InterfaceClass, place: Place
) -> tuple[int, Data]:
    where = place.at(number)
    if not number.isdigit():
        raise where.error("attributes are given by number")
    attribute = interface_class.attribute(int(number))
    if attribute is None:
        raise where.error(f"{interface_class.name} has no attribute {number}")
    value = _checked(parse_value, written, where)
    if not fits(attribute.types, value):
        wanted = " or ".join(kind.label for kind in attribute.types)
        raise where.error(f"{attribute.name} is {wanted}, not {value.type.label}")
    return int(number), value


def _instruction(
    name: str,
    row: Table,
    associations: dict[str, AssociationRow],
    objects: dict[bytes, ObjectRow],
    place: Place,
) -> InstructionRow:
    only(row, {"association", "critical", "steps"} | _PROVENANCE, place)
    association = _one_of(
        _need(row, "association", str, place), tuple(associations), place.at("association")
    )
    steps = tuple(
        _step(step, association, objects, place.at("steps").at(str(number)))
        for number, step in enumerate(_need(row, "steps", list, place))
    )
    return InstructionRow(
        name,
        association,
        _need(row, "critical", bool, place),
        steps,
        _provenance(row, place),
    )


def _step(
    step: Table, association: str, objects: dict[bytes, ObjectRow], place: Place
) -> SetStep | ActionStep:
    only(step, {"set", "action", "value"}, place)
    kind = "set" if "set" in step else "action"
    words = _need(step, kind, str, place).split()
    if len(words) != 2 or not words[1].isdigit():
        raise place.error(f"{kind} needs an OBIS code and a number, as in '0-0:1.0.0.255 2'")
    row = objects.get(_checked(obis.parse, words[0], place))
    number = int(words[1])
    if row is None:
        raise place.error(f"there is no object {words[0]}")
    rights = row.rights.get(association)
    value = None
    written = step.get("value")
    if written is not None and written != "argument":
        value = _checked(parse_value, written, place.at("value"))
    if kind == "set":
        if rights is None or not rights.attribute(number).writable:
            raise place.error(f"{association} may not write {words[0]} attribute {number}")
        attribute = AttributeDescriptor(row.interface_class.class_id, row.instance, number)
        return SetStep(attribute, value)
    if rights is None or number not in rights.methods:
        raise place.error(f"{association} may not invoke {words[0]} method {number}")
    method = MethodDescriptor(row.interface_class.class_id, row.instance, number)
    return ActionStep(method, value)


def _provenance(row: Table, place: Place) -> Provenance:
    found = [key for key in ("source", "assumed") if key in row]
    if len(found) != 1:
        raise place.error("needs either 'source' or 'assumed': where the fact comes from")
    return Provenance(found[0] == "assumed", _need(row, found[0], str, place))


def _need(table: Table, key: str, kind: type[T], place: Place) -> T:
    value = table.get(key)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise place.at(key).error(f"{kind.__name__} needed, not {value!r}")
    return value


def _one_of(value: T, allowed: tuple[Any, ...], place: Place) -> T:
    if value not in allowed:
        raise place.error(f"{value!r} is not one of {', '.join(map(str, allowed))}")
    return value


def _member(kind: Any, name: object, place: Place) -> Any:
    try:
        return kind[name]
    except KeyError:
        known = ", ".join(kind.__members__)
        raise place.error(f"{name!r} is unknown; known are {known}") from None


def _checked(parse: Callable[[Any], T], written: object, place: Place) -> T:
    try:
        return parse(written)
    except (ValueError, TypeError) as error:
        raise place.error(str(error)) from None
