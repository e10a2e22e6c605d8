"""From TOML tables to the rows of :mod:`devices.profile.model`."""

from __future__ import annotations

from devices.profile.instructions import instruction
from devices.profile.knobs import parse_knobs
from devices.profile.model import (
    AssociationRow,
    ObjectRow,
    Profile,
    Provenance,
)
from devices.profile.place import Place
from devices.profile.rights import Rights, parse_rights
from devices.profile.table import (
    Table,
    checked,
    maybe,
    member,
    need,
    one_of,
    only,
    provenance_of,
    within,
)
from devices.profile.values import parse_value
from dlms.acse.names import ApplicationContext, Mechanism, Referencing
from dlms.association.config import ServerConfig
from dlms.axdr.data import Data
from dlms.cosem import classes, obis
from dlms.cosem.interface_class import InterfaceClass, misfit
from dlms.security.control import POLICY_V0, Protection
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import MIN_PDU_SIZE

_PROVENANCE = {"source", "assumed"}
_TOP_UP = ("credit", "token")
_MAX_DOUBLE_LONG = 2**31 - 1
_MAX_CLIENT_SAP = 0x7F
"""It is an integer in associated_partners_id (Blue Book 4.4.4)."""

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
    "knobs",
}


def profile(document: Table, place: Place) -> Profile:
    name = need(document, "name", str, place)
    identity, provenance = _identity(need(document, "identity", dict, place), place.at("identity"))
    server_sap = identity["server_sap"]
    associations = {
        key: _association(key, row, server_sap, place.at("associations").at(key))
        for key, row in need(document, "associations", dict, place).items()
    }
    objects = {}
    for key, row in need(document, "objects", dict, place).items():
        parsed = _object(key, row, set(associations), place.at("objects").at(key))
        if parsed is None:
            continue
        if parsed.instance in objects:
            raise place.at("objects").at(key).error("this object is there already")
        objects[parsed.instance] = parsed
    instructions = {
        key: instruction(key, row, associations, objects, place.at("instructions").at(key))
        for key, row in maybe(document, "instructions", dict, {}, place).items()
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


def _association(name: str, row: Table, server_sap: int, place: Place) -> AssociationRow:
    only(row, _ASSOCIATION | _PROVENANCE, place)
    context = member(ApplicationContext, need(row, "context", str, place), place.at("context"))
    if context.referencing is not Referencing.LOGICAL_NAME:
        raise place.at("context").error("only logical names are supported")
    mechanism = member(Mechanism, need(row, "mechanism", str, place), place.at("mechanism"))
    policy = one_of(maybe(row, "policy", int, 0, place), tuple(POLICY_V0), place.at("policy"))
    conformance = Conformance(0)
    for word in need(row, "conformance", list, place):
        conformance |= member(Conformance, word, place.at("conformance"))
    setup = maybe(row, "security_setup", int, None, place)
    if setup is not None:
        within(setup, 0, 0xFF, place.at("security_setup"))
    dedicated = maybe(row, "dedicated", bool, False, place)
    needs_keys = context.ciphered or mechanism is Mechanism.HLS_GMAC
    if needs_keys and setup is None:
        raise place.error("ciphering and HLS need keys: security_setup is missing")
    if dedicated and not context.ciphered:
        raise place.at("dedicated").error("a dedicated key needs a ciphered context")
    if policy and not context.ciphered:
        raise place.at("policy").error("a security policy needs a ciphered context")
    if mechanism not in (Mechanism.NONE, Mechanism.LLS, Mechanism.HLS_GMAC):
        raise place.at("mechanism").error(f"{mechanism.name} is not supported yet")
    protection = member(Protection, row.get("protection", "BOTH"), place.at("protection"))
    if POLICY_V0[policy] & ~protection:
        raise place.at("protection").error("is less than the policy demands")
    return AssociationRow(
        name,
        ServerConfig(
            client_sap=within(
                need(row, "client_sap", int, place), 1, _MAX_CLIENT_SAP, place.at("client_sap")
            ),
            server_sap=server_sap,
            context=context,
            mechanism=mechanism,
            conformance=conformance,
            max_pdu_size=within(
                need(row, "max_pdu_size", int, place),
                MIN_PDU_SIZE,
                0xFFFF,
                place.at("max_pdu_size"),
            ),
            policy=POLICY_V0[policy],
            protected_release=maybe(row, "protected_release", bool, False, place),
            knobs=parse_knobs(maybe(row, "knobs", dict, {}, place), place.at("knobs")),
        ),
        setup,
        dedicated,
        protection,
        provenance_of(row, place),
    )


def _object(key: str, row: Table, associations: set[str], place: Place) -> ObjectRow | None:
    only(row, {"class", "values", "rights", "role", "absent"} | _PROVENANCE, place)
    if maybe(row, "absent", bool, False, place):
        return None
    instance = checked(obis.parse, key, place)
    class_name = need(row, "class", str, place)
    interface_class = classes.BY_NAME.get(class_name)
    if interface_class is None:
        raise place.at("class").error(f"unknown; known are {', '.join(classes.BY_NAME)}")
    where = place.at("values")
    values = dict(
        _value(number, written, interface_class, where)
        for number, written in maybe(row, "values", dict, {}, place).items()
    )
    rights: dict[str, Rights] = {}
    written = maybe(row, "rights", dict, {}, place)
    for association in written:
        words = need(written, association, str, place.at("rights"))
        where = place.at("rights").at(association)
        if association not in associations:
            raise where.error("there is no such association")
        rights[association] = checked(lambda w: parse_rights(w, interface_class), words, where)
    return ObjectRow(
        interface_class,
        instance,
        values,
        rights,
        maybe(row, "role", str, "", place),
        provenance_of(row, place),
    )


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
