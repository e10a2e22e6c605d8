"""What the current association and the logical devices say of themselves (COSEM_MANDATORY_*)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import Data
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.errors import Refused
from emulator.client.options import PUBLIC_CLIENT
from emulator.conformance.cases.object_walk import READ, Seat, in_each, seats, shown
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found, value
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

CLASS_ID = classes.ASSOCIATION_LN.class_id
PARTNERS, CONTEXT, XDLMS, MECHANISM, STATUS, SETUP, USERS, CURRENT_USER = 3, 4, 5, 6, 8, 9, 10, 11
ASSOCIATED = 2
DLMS_VERSION = 6
LOGICAL_DEVICE_NAME = AttributeDescriptor(1, bytes((0, 0, 42, 0, 0, 255)), 2)
SAP_LIST = AttributeDescriptor(classes.SAP_ASSIGNMENT.class_id, bytes((0, 0, 41, 0, 0, 255)), 2)
MANUFACTURER = 3
"""Octets of a FLAG ID, with which a logical device name begins (Blue Book 4.1.8.2)."""

_CONTEXTS = {one.value: one for one in ApplicationContext}
_MECHANISMS = {one.value: one for one in Mechanism}


def _attribute(number: int) -> AttributeDescriptor:
    return AttributeDescriptor(CLASS_ID, CURRENT_ASSOCIATION, number)


async def _current(seat: Seat, *numbers: int) -> dict[int, Data]:
    """Attributes of the current association that may be read, by number."""
    entry = next(
        one for one in seat.objects_of(classes.ASSOCIATION_LN) if _is_current(one.instance)
    )
    wanted = [one for one in seat.attributes(entry, READ) if one.attribute in numbers]
    values = zip(wanted, await seat.read(wanted), strict=True)
    return {one.attribute: value for one, value in values if isinstance(value, Data)}


def _is_current(instance: bytes) -> bool:
    return instance == CURRENT_ASSOCIATION


def last_arc(data: Data) -> int | None:
    """The last arc of a COSEM object identifier, as a structure of arcs or in BER; of an empty
    octet-string 0: there is no mechanism.
    """
    if isinstance(data.value, bytes):
        return data.value[-1] if data.value else 0
    arcs = elements_of(data)
    last = arcs[-1].value if arcs else None
    return last if isinstance(last, int) else None


def _partners(seat: Seat, data: Data) -> str:
    parts = [part.value for part in elements_of(data) or ()]
    expected = [seat.row.client_sap, seat.row.server_sap]
    return "" if parts == expected else f"partners are {parts}, not {expected}"


def _context(seat: Seat, data: Data) -> str:
    context = _CONTEXTS.get(last_arc(data) or 0)
    return "" if context is seat.row.context else f"the context is {context}"


def _mechanism(seat: Seat, data: Data) -> str:
    arc = last_arc(data)
    mechanism = None if arc is None else _MECHANISMS.get(arc)
    return "" if mechanism is seat.row.mechanism else f"the mechanism is {mechanism}"


def _xdlms(seat: Seat, data: Data) -> str:
    parts = elements_of(data) or ()
    if len(parts) != 6 or not isinstance(parts[0].value, str):
        return f"xDLMS_context_info is {data}"
    conformance = Conformance(int(parts[0].value, 2))
    association = seat.client.association
    problems = []
    if conformance != association.conformance:
        problems.append(f"conformance {conformance!r}, negotiated {association.conformance!r}")
    if association.server_max_pdu and parts[1].value != association.server_max_pdu:
        problems.append(
            f"max_receive_pdu_size {parts[1].value!r}, not {association.server_max_pdu}"
        )
    if parts[3].value != DLMS_VERSION:
        problems.append(f"DLMS version {parts[3].value!r}")
    return ", ".join(problems)


_JUDGES = {PARTNERS: _partners, CONTEXT: _context, XDLMS: _xdlms, MECHANISM: _mechanism}


async def _agrees(seat: Seat) -> list[str]:
    if not seat.by_names:
        return []
    there = await _current(seat, *_JUDGES)
    judged = (_JUDGES[number](seat, data) for number, data in there.items())
    return [problem for problem in judged if problem]


async def _status(seat: Seat) -> list[str]:
    if not seat.by_names:
        return []
    there = await _current(seat, STATUS)
    wrong = [data for data in there.values() if data.value != ASSOCIATED]
    return [f"association_status is {data}, not associated (2)" for data in wrong]


async def _newer(seat: Seat) -> list[str]:
    if not seat.by_names:
        return []
    there = await _current(seat, SETUP, USERS, CURRENT_USER)
    problems = []
    setup, declared = there.get(SETUP), seat.row.security_setup
    if setup is not None and declared and setup.value != declared:
        problems.append(f"security_setup_reference is {setup}")
    users = set(seat.row.users)
    if USERS in there:
        users = {_first(user) for user in elements_of(there[USERS]) or ()}
    if seat.row.users and users != set(seat.row.users):
        problems.append(f"user_list has {sorted(map(str, users))}")
    current = there.get(CURRENT_USER)
    parts = () if current is None else elements_of(current) or ()
    if seat.row.users and parts and parts[0].value != seat.row.users[0]:
        problems.append(f"current_user is {parts[0].value!r}")
    return problems


def _first(data: Data) -> Any:
    """The first field of a structure: the id of a user."""
    parts = elements_of(data)
    return parts[0].value if parts else None


@conversation("COSEM_MANDATORY_1")
def current_association() -> Sequence[Node]:
    async def attributes(trial: Trial) -> Seen:
        return Seen.found(await in_each(trial, _agrees))

    async def status(trial: Trial) -> Seen:
        return Seen.found(await in_each(trial, _status))

    async def newer(trial: Trial) -> Seen:
        return Seen.found(await in_each(trial, _newer))

    return (
        step("attributes", attributes, found("agrees")),
        step("status", status, value()),
        step("newer", newer, found("agrees")),
    )


@conversation("X_OBJ_ASSOCIATION")
def version_and_saps() -> Sequence[Node]:
    async def work(seat: Seat) -> list[str]:
        if not seat.by_names:
            return []
        there = await _current(seat, PARTNERS, XDLMS)
        judged = (_JUDGES[number](seat, data) for number, data in there.items())
        return [problem for problem in judged if problem]

    async def association(trial: Trial) -> Seen:
        return Seen.found(await in_each(trial, work))

    return (step("association", association, found("agrees")),)


@conversation("COSEM_MANDATORY_2")
def sap_assignment() -> Sequence[Node]:
    async def assignment(trial: Trial) -> Seen:
        declared = {one.sap: one.name for one in trial.declaration.logical_devices}
        async with seats(trial, lambda row: row.client_sap == PUBLIC_CLIENT) as each:
            async for seat in each:
                listed = await seat.one(SAP_LIST)
                if isinstance(listed, Refused):
                    return Seen.found([f"the public client is refused the list: {listed}"])
                pairs = [
                    tuple(part.value for part in elements_of(one) or ())
                    for one in elements_of(listed) or ()
                ]
                return Seen.found(_sap_problems(pairs, declared))
        raise Unjudged("the public client cannot list objects")

    return (step("assignment", assignment, found("agrees")),)


def _sap_problems(pairs: Sequence[tuple[object, ...]], declared: dict[int, bytes]) -> list[str]:
    problems = []
    saps, names = [pair[0] for pair in pairs], [pair[-1] for pair in pairs]
    for what, several in (("SAP", saps), ("name", names)):
        twice = {one for one in several if several.count(one) > 1}
        problems += [f"{what} {one!r} is there twice" for one in twice]
    for sap, name in declared.items():
        if (sap, name) not in pairs:
            problems.append(f"{sap} {name!r} is declared and not in the list")
    return problems


@conversation("COSEM_MANDATORY_3")
def logical_device_names() -> Sequence[Node]:
    async def name(trial: Trial) -> Seen:
        declared = {one.sap: one.name for one in trial.declaration.logical_devices}
        names: dict[int, bytes] = {}
        problems = []
        async with seats(trial) as each:
            async for seat in each:
                sap = seat.row.server_sap
                if sap in names:
                    continue
                data = await seat.one(LOGICAL_DEVICE_NAME) if seat.by_names else None
                if not isinstance(data, Data) or not isinstance(data.value, bytes | str):
                    continue
                text = data.value
                names[sap] = text if isinstance(text, bytes) else text.encode()
                flag = names[sap][:MANUFACTURER]
                if len(flag) < MANUFACTURER or not flag.isalpha() or not flag.isupper():
                    problems.append(f"{sap}: {names[sap]!r} does not begin with a FLAG ID")
                if declared.get(sap) and names[sap] != declared[sap]:
                    problems.append(f"{sap}: {names[sap]!r}, declared {declared[sap]!r}")
        if not names:
            problems.append("no logical device name could be read")
        twice = [one for one in names.values() if list(names.values()).count(one) > 1]
        problems += [f"{one!r} is the name of several" for one in dict.fromkeys(twice)]
        missing = declared.keys() - names.keys()
        problems += [f"the name of {sap} could not be read" for sap in sorted(missing)]
        return Seen.found(problems)

    return (step("name", name, found("agrees")),)


@conversation("COSEM_REPORT")
def report() -> Sequence[Node]:
    async def work(trial: Trial) -> Seen:
        notes = []
        async with seats(trial) as each:
            async for seat in each:
                told = [LOGICAL_DEVICE_NAME, SAP_LIST] if seat.by_names else []
                current = (PARTNERS, CONTEXT, XDLMS, MECHANISM, STATUS) if seat.by_names else ()
                told += map(_attribute, current)
                if seat.row.security_setup:
                    setup = seat.row.security_setup
                    told += [AttributeDescriptor(64, setup, number) for number in (2, 3, 4, 5)]
                values = await seat.read(told)
                notes += [
                    f"{seat.row.name}: {shown(one)}:"
                    f" {data if isinstance(data, Refused) else repr(data.value)}"
                    for one, data in zip(told, values, strict=True)
                ]
        return Seen.found(notes=chain(notes))

    return (step("report", work, found("reported")),)
