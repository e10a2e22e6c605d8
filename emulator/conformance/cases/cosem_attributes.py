"""Every attribute of every object (COSEM_X_Y), and what else is asked of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.axdr.data import Data, DataType
from dlms.cosem import catalogue
from dlms.cosem.interface_class import InterfaceClass, misfit
from dlms.cosem.shape import Simple
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.errors import Refused
from emulator.client.objects import ObjectEntry
from emulator.conformance.cases.object_walk import READ, Seat, in_each, shown
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import done, found, refused, value
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

LOGICAL_NAME = 1
MANUFACTURER_SPECIFIC = 128
"""Numbers of enumerations from here on are a manufacturer's (Blue Book 4.1.5)."""

_SAME = (frozenset({1, 3, 4, 5, 63}), frozenset({12, 15}))
"""Data, Register, Extended register, Demand register and Status mapping show the same values;
associations are of one class or the other, by their names.
"""


def enumeration(kind: InterfaceClass, number: int, data: Data) -> str:
    """What is wrong with the number of an enumeration; of an attribute that is nothing else."""
    row = kind.attribute(number)
    if row is None or not isinstance(row.shape, Simple) or data.type is not DataType.ENUM:
        return ""
    known = {name for name, _ in row.shape.names}
    assert isinstance(data.value, int)
    if not known or data.value in known or data.value >= MANUFACTURER_SPECIFIC:
        return ""
    return f"enum {data.value} is none of {sorted(known)}"


def _problem(entry: ObjectEntry, attribute: AttributeDescriptor, data: Data | Refused) -> str:
    if isinstance(data, Refused):
        return f"{shown(attribute)} may be read, and was refused: {data}"
    if attribute.attribute == LOGICAL_NAME and data.value != entry.instance:
        return f"{shown(attribute)} is {data}, not the logical name in the list"
    kind = entry.interface_class
    row = None if kind is None else kind.attribute(attribute.attribute)
    if kind is None or row is None:
        return ""
    wrong = misfit(row.shape, data) or enumeration(kind, attribute.attribute, data)
    return f"{shown(attribute)}: {wrong}" if wrong else ""


async def _read_all(seat: Seat) -> list[str]:
    problems = []
    for entry in seat.objects:
        attributes = list(seat.attributes(entry, READ))
        values = await seat.read(attributes)
        found = map(_problem, [entry] * len(values), attributes, values)
        problems += [problem for problem in found if problem]
    return problems


async def _read_denied(seat: Seat) -> list[str]:
    """Attributes that the list has, and does not let be read."""
    problems = []
    for entry in seat.objects:
        denied = [
            AttributeDescriptor(entry.class_id, entry.instance, number)
            for number, mode in entry.attributes.items()
            if not mode & READ
        ]
        for attribute, data in zip(denied, await seat.read(denied), strict=True):
            if not isinstance(data, Refused):
                problems.append(f"{shown(attribute)} may not be read, and was")
    return problems


@conversation("COSEM_X_Y")
def every_attribute() -> Sequence[Node]:
    async def readable(trial: Trial) -> Seen:
        return Seen.found(await in_each(trial, _read_all))

    async def not_readable(trial: Trial) -> Seen:
        return Seen.found(await in_each(trial, _read_denied))

    return (
        step("readable", readable, value()),
        step("not-readable", not_readable, refused()),
        step("writable", writing, done()),
    )


async def writing(trial: Trial) -> Seen:
    """Write what there is to write, read it back, and write what was there."""
    if not trial.declaration.writes:
        raise Unjudged("WRITE DATA NOT AVAILABLE")
    problems = []
    for write in trial.declaration.writes:
        row = trial.declaration.association(write.association)
        async with trial.session(row) as (client, _):
            before = await client.get(write.attribute)
            try:
                await client.set(write.attribute, write.value)
                after = await client.get(write.attribute)
                if after != write.value:
                    problems.append(f"{shown(write.attribute)} was written, and is {after}")
            finally:
                await client.set(write.attribute, before)
    return Seen.found(problems)


@conversation("X_OBJ_WRITE_BACK")
def written_back() -> Sequence[Node]:
    async def same(trial: Trial) -> Seen:
        problems = []
        for write in trial.declaration.writes:
            row = trial.declaration.association(write.association)
            async with trial.session(row) as (client, _):
                before = await client.get(write.attribute)
                await client.set(write.attribute, before)
                after = await client.get(write.attribute)
            if after != before:
                problems.append(f"{shown(write.attribute)} was {before}, and is {after}")
        return Seen.found(problems)

    return (step("same", same, done()),)


@conversation("X_OBJ_STRUCTURE")
def structures() -> Sequence[Node]:
    async def structure(trial: Trial) -> Seen:
        async def work(seat: Seat) -> list[str]:
            problems = []
            for entry in seat.objects:
                kind = entry.interface_class
                if kind is None:
                    continue
                attributes = list(seat.attributes(entry, READ))
                for attribute, data in zip(attributes, await seat.read(attributes), strict=True):
                    row = kind.attribute(attribute.attribute)
                    if row is None:
                        problems.append(
                            f"{shown(attribute)}: class {entry.class_id} version {entry.version}"
                            " has no such attribute"
                        )
                    elif isinstance(data, Data) and (wrong := misfit(row.shape, data)):
                        problems.append(f"{shown(attribute)}: {wrong}")
            return problems

        return Seen.found(await in_each(trial, work))

    return (step("structure", structure, found("agrees")),)


@conversation("X_OBJ_OBIS")
def logical_names() -> Sequence[Node]:
    async def names(trial: Trial) -> Seen:
        async def work(seat: Seat) -> list[str]:
            problems = []
            seen: set[tuple[int, bytes]] = set()
            for entry in seat.objects:
                usual = catalogue.usual_class(entry.instance)
                both = {usual, entry.class_id}
                same = len(both) == 1 or any(both <= classes for classes in _SAME)
                if usual is not None and not same:
                    problems.append(f"{entry} is usually of class {usual}")
                if (entry.class_id, entry.instance) in seen:
                    problems.append(f"{entry} is there twice")
                seen.add((entry.class_id, entry.instance))
            return problems

        return Seen.found(await in_each(trial, work))

    return (step("names", names, found("agrees")),)
