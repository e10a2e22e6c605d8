"""An attribute that may be written, and what it is given back afterwards.

What must not change is only worth something where it could have. What was declared for writing is
taken; else what any meter can do without for a moment: a Data object, the name of the passive
calendar.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from dlms.axdr.data import Data, DataType
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.variable_access import VariableName
from dlms.xdlms.write import WriteRequest
from emulator.client.errors import ClientError
from emulator.client.objects import ObjectList
from emulator.conformance.cases.asking import CURRENT_BASE_NAME, is_long, is_short
from emulator.conformance.cases.each import Row, connection, joined
from emulator.conformance.conversing.expect import data_of, is_success
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_HARMLESS = ((1, 2), (20, 6))
"""(class, attribute): value of Data, calendar_name_passive of Activity calendar."""
_STEP = 8
"""From the short name of an attribute to that of the next."""


class Writable(NamedTuple):
    """``value`` is what is there, ``other`` one of its type that may be written in its place.

    ``certain`` is whether the device has said that it may be written. ``name`` is a short name.
    """

    attribute: AttributeDescriptor
    value: Data
    other: Data
    certain: bool
    name: int | None = None


_OBJECTS = Note[ObjectList]("the object list")
_VARIABLE = Note[Writable]("what may be written")


async def objects_of(trial: Trial, row: Row) -> ObjectList:
    """The object list of an association, read once in a trial. :class:`Unjudged` if the device
    does not give it.
    """
    return await trial.notes.once(_OBJECTS, partial(_objects, trial, row), row.name)


async def _objects(trial: Trial, row: Row) -> ObjectList:
    try:
        async with connection(trial) as line, trial.session(row, line) as (client, session):
            objects: ObjectList = await client.hold(session.objects())
    except ClientError as error:
        raise Unjudged(f"the object list of {row.name} cannot be read: {error}") from None
    return objects


async def writable(trial: Trial, row: Row) -> Writable:
    """One for that association. Where nothing may be written, logical_name of the current
    association, which is not ``certain``. :class:`Unjudged` if nothing can be read.
    """
    candidates = list(await _candidates(trial, row))
    async with joined(trial, row) as probe:
        for attribute, other, name in candidates:
            value = data_of(await read(probe, attribute, name))
            changed = other if value is None or other is not None else _another(value)
            if value is not None and changed is not None and changed != value:
                return Writable(attribute, value, changed, True, name)
        name = CURRENT_BASE_NAME if probe.config.short_names else None
        value = data_of(await read(probe, LOGICAL_NAME, name))
        other = None if value is None else _another(value)
        if value is None or other is None:
            raise Unjudged(f"{row.name} cannot read the name of its association")
        return Writable(LOGICAL_NAME, value, other, False, name)


async def known_writable(trial: Trial, row: Row) -> Writable:
    """What :func:`writable` has found for that association, looked for once in a trial."""
    return await trial.notes.once(_VARIABLE, partial(writable, trial, row), row.name)


async def _candidates(
    trial: Trial, row: Row
) -> Iterator[tuple[AttributeDescriptor, Data | None, int | None]]:
    declared = [
        (one.attribute, one.value, None)
        for one in trial.declaration.writes
        if one.association == row.name and is_long(row)
    ]
    try:
        objects = await objects_of(trial, row)
    except Unjudged:
        return iter(declared)
    found: list[tuple[AttributeDescriptor, Data | None, int | None]] = [
        (
            AttributeDescriptor(entry.class_id, entry.instance, number),
            None,
            None if entry.base_name is None else entry.base_name + _STEP * (number - 1),
        )
        for class_id, number in _HARMLESS
        for entry in objects
        if entry.class_id == class_id
        # The list of an Association SN says nothing of rights.
        if is_short(row) or entry.attributes.get(number, 0) & 3 == 3
    ]
    return iter([*declared, *found])


def _another(data: Data) -> Data | None:
    """A value of the same type and length; ``None`` for types that this is not sure about."""
    if data.type in (DataType.OCTET_STRING, DataType.VISIBLE_STRING) and data.value:
        octets = data.value if isinstance(data.value, bytes) else str(data.value).encode()
        changed = octets[:-1] + bytes((octets[-1] ^ 1,))
        return data._replace(value=changed if isinstance(data.value, bytes) else changed.decode())
    return None


async def read(probe: Probe, attribute: AttributeDescriptor, name: int | None) -> Seen:
    """Read it, by its short name if it has one."""
    if name is None:
        return await probe.get(attribute)
    return await probe.request(ReadRequest((VariableName(name=name),)).encode())


async def unchanged(probe: Probe, what: Writable) -> Seen:
    """Read it again. If it has changed it is given its value back, and that it has is what is
    wrong.
    """
    seen = await read(probe, what.attribute, what.name)
    data = data_of(seen)
    if data is None:
        return seen
    if data == what.value:
        return Seen.found(notes=() if what.certain else ("nothing here may be written",))
    restored = await _restore(probe, what)
    return Seen.found(
        (f"{what.attribute} has changed", *(() if restored else ("and keeps what it was given",)))
    )


async def restored(probe: Probe, what: Writable, seen: Seen) -> Seen:
    """``seen``, an answer that should have refused; if it did not, what was written is taken
    back first.
    """
    if is_success(seen):
        await unchanged(probe, what)
    return seen


async def _restore(probe: Probe, what: Writable) -> bool:
    if what.name is None:
        return is_success(await probe.set(what.attribute, what.value))
    request = WriteRequest((VariableName(name=what.name),), (what.value,))
    return is_success(await probe.request(request.encode()))
