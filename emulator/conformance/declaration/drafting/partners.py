"""One association, from the Association object that stands for it (Blue Book 4.4.3, 4.4.4)."""

from __future__ import annotations

from typing import Any, NamedTuple

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import Data, DataType
from dlms.cosem import obis
from dlms.cosem.security_setup import Policy
from dlms.security.control import POLICY_V0, Protection
from dlms.security.suites import SUITES
from dlms.xdlms.conformance import Conformance
from emulator.client.objects import ObjectEntry, ObjectList
from emulator.conformance.declaration.drafting.findings import (
    Finding,
    Look,
    number,
    octets,
    parts,
)

_ASSOCIATION_LN, _SECURITY_SETUP, _DATA = 15, 64, 1
_NO_SETUP = bytes(6)
_OID_LENGTH = 7
_COUNTERS = bytes((0, 0, 43, 1))
"""How the logical names of invocation counters begin (Blue Book 6.2.4)."""
_STATUS = {0: "non-associated", 1: "association-pending", 2: "associated"}


class Partners(NamedTuple):
    client_sap: int
    server_sap: int


class Info(NamedTuple):
    """Of xDLMS_context_info: services, and the longest APDU that the meter takes."""

    conformance: Conformance
    max_receive: int


class Seen(NamedTuple):
    """What an Association LN says of its association."""

    partners: Finding[Partners]
    context: Finding[ApplicationContext]
    info: Finding[Info]
    mechanism: Finding[Mechanism]
    status: Finding[str]
    setup: Finding[bytes]
    users: Finding[tuple[int, ...]]


class Setup(NamedTuple):
    """What a Security setup says."""

    policy: Finding[Protection]
    suite: Finding[int]
    client_title: Finding[bytes]
    server_title: Finding[bytes]


async def look_at(look: Look, entry: ObjectEntry) -> Seen:
    """``entry`` is an Association LN; attributes that its version has not are not asked for."""
    instance = entry.instance
    setup: Finding[bytes] = _too_old(entry, 9)
    users: Finding[tuple[int, ...]] = _too_old(entry, 10)
    if entry.version >= 1:
        setup = await look.at(_ASSOCIATION_LN, instance, 9, _reference)
    if entry.version >= 2:
        users = await look.at(_ASSOCIATION_LN, instance, 10, _users)
    return Seen(
        partners=await look.at(_ASSOCIATION_LN, instance, 3, _partners),
        context=await look.at(_ASSOCIATION_LN, instance, 4, _context),
        info=await look.at(_ASSOCIATION_LN, instance, 5, _info),
        mechanism=await look.at(_ASSOCIATION_LN, instance, 6, _mechanism),
        status=await look.at(_ASSOCIATION_LN, instance, 8, _status),
        setup=setup,
        users=users,
    )


async def look_at_setup(look: Look, entry: ObjectEntry) -> Setup:
    instance = entry.instance

    def policy(data: Data) -> Protection | None:
        value = number(data)
        if value is None:
            return None
        return Policy.of_bits(value).request if entry.version else POLICY_V0.get(value)

    return Setup(
        policy=await look.at(_SECURITY_SETUP, instance, 2, policy),
        suite=await look.at(_SECURITY_SETUP, instance, 3, _suite),
        client_title=await look.at(_SECURITY_SETUP, instance, 4, _title),
        server_title=await look.at(_SECURITY_SETUP, instance, 5, _title),
    )


def counter_beside(setup: bytes, objects: ObjectList) -> bytes:
    """The invocation counter object with the number of a Security setup; empty if none is seen."""
    wanted = _COUNTERS + setup[4:]
    return wanted if objects.get(wanted, _DATA) is not None else b""


def is_no_setup(reference: bytes) -> bool:
    """Whether security_setup_reference says that there is none."""
    return reference == _NO_SETUP


def _too_old(entry: ObjectEntry, attribute: int) -> Finding[Any]:
    where = f"{obis.text(entry.instance)} attribute {attribute}"
    return Finding(None, where, f"version {entry.version} has none")


def _partners(data: Data) -> Partners | None:
    client, server = (number(one) for one in parts(data, 2)[:2])
    if client is None or server is None:
        return None
    # client_SAP is an integer: some meters have SAPs above 127 come out negative.
    return Partners(client & 0xFF if client < 0 else client, server)


def _context(data: Data) -> ApplicationContext | None:
    arc = _last_arc(data)
    known = {one.value: one for one in ApplicationContext}
    return None if arc is None else known.get(arc)


def _mechanism(data: Data) -> Mechanism | None:
    if data.value == b"":
        return Mechanism.NONE
    arc = _last_arc(data)
    known = {one.value: one for one in Mechanism}
    return None if arc is None else known.get(arc)


def _last_arc(data: Data) -> int | None:
    """Of an object identifier, in octets or as a structure of its arcs."""
    if isinstance(data.value, bytes):
        return data.value[-1] if len(data.value) == _OID_LENGTH else None
    return number(parts(data, _OID_LENGTH)[-1])


def _info(data: Data) -> Info | None:
    bits, receive = parts(data, 3)[:2]
    longest = number(receive)
    if bits.type is not DataType.BIT_STRING or longest is None:
        return None
    value = str(bits.value)
    if len(value) != 24 or set(value) - {"0", "1"}:
        return None
    return Info(Conformance(int(value, 2) & sum(Conformance)), longest)


def _status(data: Data) -> str | None:
    value = number(data)
    return None if value is None else _STATUS.get(value)


def _reference(data: Data) -> bytes | None:
    found = octets(data)
    return found if found is not None and len(found) == len(_NO_SETUP) else None


def _users(data: Data) -> tuple[int, ...]:
    found = (number(parts(one, 2)[0]) for one in parts(data, 0))
    return tuple(one for one in found if one is not None)


def _suite(data: Data) -> int | None:
    value = number(data)
    return value if value in SUITES else None


def _title(data: Data) -> bytes | None:
    found = octets(data)
    return found if found is not None and len(found) == 8 else None
