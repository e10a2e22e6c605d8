"""Several attributes in one request (COSEM_MULTIREF_*)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from dlms.axdr.data import Data
from dlms.axdr.encoding import encode
from dlms.cosem import classes
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, Item
from emulator.conformance.cases.object_walk import (
    BUFFER,
    READ,
    Seat,
    by_entry,
    seat_with,
    shown,
)
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import value
from emulator.conformance.conversing.tree import Node, Pointless, step
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

TEN = 10
_SHORT, _LONG = range(1, 11), range(500, 1001)
_VALUED = (1, 3, 4)
_VALUE = 2
FIRST = 4


def _lists(seat: Seat) -> bool:
    wanted = Conformance.MULTIPLE_REFERENCES | Conformance.GET
    return wanted & seat.conformance == wanted


def _seat(trial: Trial) -> AbstractAsyncContextManager[Seat]:
    return seat_with(trial, _lists, "multiple references")


async def _compared(seat: Seat, items: list[Item]) -> Seen:
    """Read them together, and one by one before and behind: what counts goes on meanwhile."""
    before = [await seat.fetch(item) for item in items]
    together = await seat.client.hold(seat.client.dialogues.get_list(items))
    after = [await seat.fetch(item) for item in items]
    problems = []
    if len(together) != len(items):
        problems.append(f"{len(together)} results to {len(items)} attributes")
    for (one, _), first, same, last in zip(items, before, together, after, strict=False):
        if not isinstance(same, Data):
            problems.append(f"{shown(one)}: {same!r} in the list, {first} alone")
        elif same not in (first, last) and not _between(first, same, last):
            problems.append(f"{shown(one)}: {same} in the list, {first} alone")
    return Seen.found(problems)


def _between(first: object, value: Data, last: object) -> bool:
    numbers = [one.value for one in (first, value, last) if isinstance(one, Data)]
    whole = [number for number in numbers if isinstance(number, int)]
    return len(whole) == 3 and min(whole[0], whole[2]) <= whole[1] <= max(whole[0], whole[2])


async def _valued(seat: Seat) -> list[AttributeDescriptor]:
    """Value attributes of Data, Register and Extended register that are given."""
    wanted = [
        one
        for entry in seat.objects
        if entry.class_id in _VALUED
        for one in seat.attributes(entry, READ)
        if one.attribute == _VALUE
    ]
    values = await seat.read(wanted)
    return [one for one, data in zip(wanted, values, strict=True) if isinstance(data, Data)]


@conversation("COSEM_MULTIREF_1")
def ten_values() -> Sequence[Node]:
    async def together(trial: Trial) -> Seen:
        async with _seat(trial) as seat:
            attributes = await _valued(seat)
            if len(attributes) < 2:
                raise Pointless("there are no two values to read together")
            repeated: list[Item] = [(one, None) for one in attributes * TEN]
            return await _compared(seat, repeated[:TEN])

    return (step("together", together, value()),)


@conversation("COSEM_MULTIREF_2")
def short_and_long() -> Sequence[Node]:
    async def together(trial: Trial) -> Seen:
        async with _seat(trial) as seat:
            short = long = None
            for entry in seat.objects:
                if entry.class_id == classes.CLOCK.class_id:
                    continue
                attributes = list(seat.attributes(entry, READ))
                for one, data in zip(attributes, await seat.read(attributes), strict=True):
                    size = len(encode(data)) if isinstance(data, Data) else 0
                    short = one if short is None and size in _SHORT else short
                    is_buffer = entry.class_id == classes.PROFILE_GENERIC.class_id
                    fits = size in _LONG and not is_buffer
                    long = one if long is None and fits else long
            item = (long, None) if long is not None else await _long_part(seat)
            if short is None or item is None:
                raise Pointless("there is nothing of 500 to 1000 octets to be read")
            return await _compared(seat, [(short, None), item])

    return (step("together", together, value()),)


async def _long_part(seat: Seat) -> Item | None:
    """As many rows of a profile as are long enough; ``None`` if they cannot be selected."""
    for entry in seat.objects_of(classes.PROFILE_GENERIC) if seat.selects else ():
        for one in seat.attributes(entry, READ):
            if one.attribute != BUFFER:
                continue
            row = await seat.fetch((one, by_entry(1, 1)))
            size = len(encode(row)) if isinstance(row, Data) and row.value else 0
            if size:
                item = one, by_entry(1, _LONG.stop * 3 // 4 // size)
                rows = await seat.fetch(item)
                if isinstance(rows, Data) and len(encode(rows)) in _LONG:
                    return item
    return None


@conversation("COSEM_MULTIREF_3")
def four_of_one_object() -> Sequence[Node]:
    async def together(trial: Trial) -> Seen:
        async with _seat(trial) as seat:
            for entry in seat.objects:
                kinds = (classes.CLOCK.class_id, classes.PROFILE_GENERIC.class_id)
                attributes = list(seat.attributes(entry, READ))[:FIRST]
                if len(attributes) == FIRST and entry.class_id not in kinds:
                    return await _compared(seat, [(one, None) for one in attributes])
            raise Pointless("no object lets four attributes be read")

    return (step("together", together, value()),)
