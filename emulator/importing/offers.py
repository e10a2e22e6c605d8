"""The associations of an imported meter: those of the dump, and a set that the head end can use.

A dump has the object of the association through which it was made, and often those of others. What
is not said by it comes from the common profile: public, reader, s1sp and dco.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

from devices.profile import read
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.cosem import obis
from dlms.security.suites import SUITES
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.initiate import MIN_PDU_SIZE
from emulator.importing.dump import Dump, DumpObject

Table: TypeAlias = dict[str, Any]

ASSOCIATION_LN, SECURITY_SETUP = 15, 64
_KEYED = (Mechanism.HLS_GMAC, Mechanism.HLS_ECDSA)
_MAX_CLIENT_SAP = 0x7F
_SETUPS = bytes((0, 0, 43, 0))
_BITS = 24
_PROTECTED = 0b01101100
"""Bits of the security policy of version 1: requests and responses authenticated, encrypted."""


class Offers(NamedTuple):
    """Association tables by name, the name of that through which the dump was made, and the SAP
    of the logical device, if the dump says it.
    """

    tables: dict[str, Table]
    current: str | None
    server_sap: int | None


def common() -> Table:
    """What meters have in common, as a table."""
    return read("common").table


def offers(dump: Dump, source: str) -> Offers:
    found: dict[str, Table] = {}
    current = server_sap = None
    defaults = common()["associations"]
    for one in dump.objects.values():
        if one.interface_class.class_id != ASSOCIATION_LN:
            continue
        try:
            table = _table(one, dump)
        except ValueError as error:
            dump.left_out.append(f"the association of {one.title}: {error}")
            continue
        name = _name(table, defaults)
        if name in found:
            dump.left_out.append(f"the association of {one.title}: its client has one already")
            continue
        found[name] = {**table, "source": source}
        if one.instance == CURRENT_ASSOCIATION:
            current = name
            said = one.node.said("ServerSAP")
            server_sap = int(said) if said is not None and said.isdecimal() and int(said) else None
    return Offers(_with_defaults(found, defaults, dump), current, server_sap)


def _table(one: DumpObject, dump: Dump) -> Table:
    node = one.node
    sap = int(node.said("ClientSAP") or 0)
    if not 1 <= sap <= _MAX_CLIENT_SAP:
        raise ValueError(f"client SAP {sap} is not in 1..{_MAX_CLIENT_SAP}")
    context = ApplicationContext(_id(one, "ApplicationContextName", "ContextId"))
    mechanism = Mechanism(_id(one, "AuthenticationMechanismName", "MechanismId"))
    if context not in (ApplicationContext.LN, ApplicationContext.LN_CIPHERED):
        raise ValueError("short names are not imported")
    if mechanism is Mechanism.HLS:
        raise ValueError("HLS is what a manufacturer computes, and is no data")
    info = node.child("XDLMSContextInfo")
    said = 0 if info is None else int(info.said("Conformance") or 0)
    # A dump counts the bits of the conformance block from its first.
    bits = [one for one in Conformance if said >> (_BITS - int(one).bit_length()) & 1]
    size = 0 if info is None else int(info.said("MaxReceivePduSize") or 0)
    table: Table = {
        "client_sap": sap,
        "context": context.name,
        "mechanism": mechanism.name,
        "conformance": [str(bit.name) for bit in bits] or ["GET"],
        "max_pdu_size": size if MIN_PDU_SIZE <= size <= 0xFFFF else 1024,
    }
    if context.ciphered or mechanism in _KEYED:
        table |= _security(one, dump, context)
        if mechanism is Mechanism.HLS_ECDSA and SUITES[table["suite"]].curve is None:
            raise ValueError(f"suite {table['suite']} has no key pairs to sign with")
    return table


def _id(one: DumpObject, tag: str, part: str) -> int:
    holder = one.node.child(tag)
    said = None if holder is None else holder.said(part)
    if said is None:
        raise ValueError(f"the dump does not say its {part}")
    return int(said)


def _security(one: DumpObject, dump: Dump, context: ApplicationContext) -> Table:
    """What the Security setup of the association says; without one, as little as possible."""
    reference = one.node.said("SecuritySetupReference")
    instance = b"" if reference is None else obis.parse(reference)
    table: Table = {"suite": 0, "policy": 0}
    if not instance.startswith(_SETUPS):
        return table
    return {**table, "security_setup": instance[4], **_setup(instance[4], dump, context)}


def _setup(number: int, dump: Dump, context: ApplicationContext) -> Table:
    """Suite and policy of a Security setup, if the dump has it."""
    setup = dump.objects.get(_SETUPS + bytes((number, 255)))
    if setup is None or setup.interface_class.class_id != SECURITY_SETUP:
        return {}
    suite = int(setup.node.said("SecuritySuite") or 0)
    policy = int(setup.node.said("SecurityPolicy") or 0)
    if suite not in SUITES:
        raise ValueError(f"there is no suite {suite}")
    if not context.ciphered:
        return {"suite": suite}
    if setup.interface_class.version == 0:
        return {"suite": suite, "policy": policy} if 0 <= policy <= 3 else {"suite": suite}
    # Version 1 has bits of their own for requests and responses; profiles have numbers of version
    # 0, which know no signatures (Blue Book 4.4.7).
    request, response = policy >> 2 & 3, policy >> 5 & 3
    if policy & ~_PROTECTED:
        return {"suite": suite}
    differs = {"response_policy": response} if response != request else {}
    return {"suite": suite, "policy": request, **differs}


def _name(table: Table, defaults: dict[str, Table]) -> str:
    """That of the default association which is alike, so that the head end finds it: the same
    context and mechanism, from the same address, or else with the Security setup of that number.
    """
    for part in ("client_sap", "security_setup"):
        for name, default in defaults.items():
            same = all(default[key] == table[key] for key in ("context", "mechanism"))
            if same and part in table and default.get(part) == table[part]:
                return name
    return f"client_{table['client_sap']}"


def _with_defaults(
    found: dict[str, Table], defaults: dict[str, Table], dump: Dump
) -> dict[str, Table]:
    """The defaults that are not found, at addresses and Security setups of their own."""
    tables = dict(found)
    for name, default in defaults.items():
        if name in tables:
            continue
        table = {key: value for key, value in default.items() if key not in ("source", "assumed")}
        why = default.get("source", default.get("assumed"))
        if "security_setup" in table:
            with suppress(ValueError):  # it keeps its own then
                context = ApplicationContext[table["context"]]
                table |= _setup(table["security_setup"], dump, context)
        table["assumed"] = f"not in the dump, but for the head end: {why}"
        tables[name] = table
    _apart(tables, "client_sap", _MAX_CLIENT_SAP, set(found))
    _apart(tables, "security_setup", 0xFF, set(found))
    return tables


def _apart(tables: dict[str, Table], key: str, highest: int, first: set[str]) -> None:
    """Where two have the same number, or one needs one, one gets another. Those of the dump keep
    theirs.
    """
    taken = {tables[name][key] for name in first if key in tables[name]}
    for name, table in tables.items():
        needs = key == "security_setup" and "policy" in table and key not in table
        if needs or (key in table and name not in first and table[key] in taken):
            table[key] = next(one for one in range(highest, 0, -1) if one not in taken)
        if key in table:
            taken.add(table[key])
