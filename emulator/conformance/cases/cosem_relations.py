"""What objects say of each other: selectors, Register monitors, Script tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dlms.association.config import CURRENT_ASSOCIATION
from dlms.axdr.data import Data, DataType
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.errors import Refused
from emulator.conformance.cases.object_walk import Seat, in_each, seats, shown
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import found, value
from emulator.conformance.conversing.tree import Node, Pointless, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

_OBJECT_LIST = AttributeDescriptor(15, CURRENT_ASSOCIATION, 2)
_REGISTER_MONITOR = classes.BY_ID[21]
_THRESHOLDS, _MONITORED = 2, 3
_SCRIPTS = 2
DUMMY, LAST_SERVICE = 0, 2
"""service_id of scripts: 1 writes an attribute, 2 executes a method (Blue Book, Script table)."""

_REFERRING = {20: (5, 9), 21: (4,), 22: (2,)}
"""Attributes with references to scripts: of Activity calendar the day profiles, of Register monitor
the actions, of Single action schedule the script that is executed.
"""


@conversation("COSEM_SELACC_AVAIL")
def selective_access() -> Sequence[Node]:
    async def work(seat: Seat) -> list[str]:
        listed = await seat.one(_OBJECT_LIST) if seat.by_names else None
        if not isinstance(listed, Data) or seat.selects:
            return []
        offered = [
            f"{class_id}/{number}"
            for class_id, number, selectors in _selectors(listed)
            if elements_of(selectors)
        ]
        if not offered:
            return []
        return [f"selective access is not negotiated, and offered for {', '.join(offered)}"]

    async def agrees(trial: Trial) -> Seen:
        return Seen.found(await in_each(trial, work))

    return (step("offered", agrees, found("agrees")),)


def _selectors(listed: Data) -> Iterator[tuple[Any, Any, Data]]:
    """Class, attribute and access_selectors of every attribute in an object list."""
    for element in elements_of(listed) or ():
        parts = elements_of(element) or ()
        rights = elements_of(parts[3]) or () if len(parts) > 3 else ()
        for access in elements_of(rights[0]) or () if rights else ():
            fields = elements_of(access) or ()
            if len(fields) == 3:
                yield parts[0].value, fields[0].value, fields[2]


@conversation("COSEM_RM_TYPES")
def register_monitors() -> Sequence[Node]:
    async def types(trial: Trial) -> Seen:
        problems, judged = [], 0
        async with seats(trial) as each:
            async for seat in each:
                for entry in seat.objects_of(_REGISTER_MONITOR):
                    where = [
                        AttributeDescriptor(entry.class_id, entry.instance, number)
                        for number in (_THRESHOLDS, _MONITORED)
                    ]
                    thresholds, monitored = await seat.read(where)
                    if not isinstance(thresholds, Data) or not isinstance(monitored, Data):
                        continue
                    kinds = {one.type for one in elements_of(thresholds) or ()}
                    what = _descriptor(monitored)
                    if what is None:
                        judged += 1
                        problems.append(f"{entry}: monitored_value names no attribute")
                        continue
                    watched = await seat.one(what)
                    if isinstance(watched, Refused):
                        continue
                    judged += 1
                    if len(kinds) > 1:
                        problems.append(f"{entry}: thresholds of the types {_labels(kinds)}")
                    elif kinds and kinds != {watched.type}:
                        problems.append(
                            f"{entry}: thresholds are {_labels(kinds)}, what is monitored is"
                            f" {watched.type.label}"
                        )
        if not judged:
            raise Pointless("no Register monitor can be read with what it monitors")
        return Seen.found(problems)

    return (step("types", types, found("agrees")),)


def _descriptor(data: Data) -> AttributeDescriptor | None:
    """``None`` if it is no class_id, logical name and attribute."""
    match [part.value for part in elements_of(data) or ()]:
        case [int() as class_id, bytes() as instance, int() as number]:
            return AttributeDescriptor(class_id, instance, number)
    return None


def _labels(kinds: set[DataType]) -> str:
    return ", ".join(sorted(kind.label for kind in kinds))


@conversation("COSEM_SCRIPT_DUMMY")
def scripts() -> Sequence[Node]:
    async def judge(trial: Trial) -> Seen:
        problems: list[str] = []
        tables: set[bytes] = set()
        references: list[tuple[str, bytes, int]] = []
        async with seats(trial) as each:
            async for seat in each:
                for entry in seat.objects_of(classes.SCRIPT_TABLE):
                    where = AttributeDescriptor(entry.class_id, entry.instance, _SCRIPTS)
                    table = await seat.one(where)
                    if isinstance(table, Data):
                        tables.add(entry.instance)
                        problems += [f"{shown(where)}: {one}" for one in _script_problems(table)]
                references += await _references_in(seat)
        if not tables:
            raise Pointless("no Script table can be read")
        # What one association does not see, another does.
        problems += [
            f"{where}: script {selector} of a table that is not there"
            for where, instance, selector in references
            if instance not in tables
        ]
        return Seen.found(dict.fromkeys(problems))

    return (step("scripts", judge, value()),)


def _script_problems(table: Data) -> Iterator[str]:
    for script in elements_of(table) or ():
        parts = elements_of(script) or ()
        if len(parts) != 2:
            yield f"a script of {len(parts)} fields"
            continue
        for action in elements_of(parts[1]) or ():
            fields = elements_of(action) or ()
            if len(fields) != 5:
                yield f"script {parts[0].value!r}: an action of {len(fields)} fields"
                continue
            service, class_id, instance, index = (field.value for field in fields[:4])
            if service == DUMMY:
                if class_id or index or (isinstance(instance, bytes) and any(instance)):
                    yield f"script {parts[0].value!r}: a dummy that is not all zeros"
            elif not isinstance(service, int) or not DUMMY < service <= LAST_SERVICE:
                yield f"script {parts[0].value!r}: service_id {service!r}"


async def _references_in(seat: Seat) -> list[tuple[str, bytes, int]]:
    """Where scripts are referred to, and which they are; what is all zeros refers to none."""
    found = []
    for entry in seat.objects:
        for number in _REFERRING.get(entry.class_id, ()):
            where = AttributeDescriptor(entry.class_id, entry.instance, number)
            data = await seat.one(where) if entry.attributes.get(number, 0) & 1 else None
            if isinstance(data, Data):
                found += [
                    (shown(where), instance, selector)
                    for instance, selector in _references(data)
                    if any(instance)
                ]
    return found


def _references(data: Data) -> Iterator[tuple[bytes, int]]:
    """Every script_logical_name with its selector in a value, however deep."""
    parts = elements_of(data)
    if parts is None:
        return
    if len(parts) == 2:
        instance, selector = parts[0].value, parts[1].value
        if isinstance(instance, bytes) and len(instance) == 6 and isinstance(selector, int):
            yield instance, selector
    for part in parts:
        yield from _references(part)
