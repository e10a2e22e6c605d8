"""X_ACCESS_*: lists of GET, SET and ACTION in one request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlms.axdr.data import NULL, Data
from dlms.xdlms.access import (
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessSet,
    Specification,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.long_invoke import BREAK_ON_ERROR, CONFIRMED
from emulator.conformance.cases.asking import NOTHING_THERE, OWN_NAME
from emulator.conformance.cases.each import Row, first_amiss, joined, on_each
from emulator.conformance.cases.writable import unchanged, writable
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import done, refused
from emulator.conformance.conversing.tree import Node
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

_WHAT = "with ACCESS"
_NAME = AccessGet(attribute=LOGICAL_NAME)
_NOTHING = AccessGet(attribute=NOTHING_THERE)
_MOST = 200
"""Items in one request, or as many as fit what the device takes."""
_ITEM = 11
"""Octets of one item: its choice, its descriptor and null-data."""
_OVERHEAD = 64


def _has_access(row: Row) -> bool:
    return bool(row.conformance & Conformance.ACCESS)


class _Item(NamedTuple):
    specification: Specification
    data: Data = NULL


def _request(probe: Probe, items: Sequence[_Item], flags: int = 0) -> AccessRequest:
    return AccessRequest(
        CONFIRMED | flags | probe.invoke() & 0x0F,
        tuple(item.specification for item in items),
        tuple(item.data for item in items),
    )


async def _asked(probe: Probe, items: Sequence[_Item], flags: int = 0) -> Seen:
    return await probe.request(_request(probe, items, flags).encode())


def _read(response: AccessResponse, number: int) -> bool:
    return response.results[number].result == 0 and response.data[number] == OWN_NAME


async def _break(trial: Trial, row: Row) -> Seen:
    """The first item fails; behind it are a write and a read. Neither happens."""
    what = await writable(trial, row)
    items = (_Item(_NOTHING), _Item(AccessSet(attribute=what.attribute), what.other), _Item(_NAME))
    if not row.conformance & Conformance.SET:
        items = (_Item(_NOTHING), _Item(_NAME), _Item(_NAME))
    async with joined(trial, row) as probe:
        seen = await _asked(probe, items, BREAK_ON_ERROR)
        response = seen.message
        if not isinstance(response, AccessResponse):
            return seen
        problems = []
        if response.results and not response.results[0].result:
            problems.append("what is not there was read")
        for number, (_, result) in enumerate(response.results[1:], 1):
            if not result or response.data[number] != NULL:
                problems.append(f"item {number}, behind the error, is carried out")
        after = await unchanged(probe, what)
        return Seen.found((*problems, *after.problems), notes=after.notes)


async def _go_on(trial: Trial, row: Row) -> Seen:
    async with joined(trial, row) as probe:
        items = _Item(_NOTHING), _Item(_NAME), _Item(_NOTHING), _Item(_NAME)
        seen = await _asked(probe, items)
        response = seen.message
        if not isinstance(response, AccessResponse):
            return seen
        problems = []
        if len(response.results) != len(items):
            problems.append(f"{len(response.results)} results for {len(items)} items")
        for number, (item, (_, result)) in enumerate(zip(items, response.results, strict=False)):
            if item.specification is _NOTHING and not result:
                problems.append(f"item {number}, which is not there, was read")
            if item.specification is _NAME and not _read(response, number):
                problems.append(f"item {number}, behind an error, is not what it should be")
        return Seen.found(problems)


@conversation("X_ACCESS_BREAK")
def break_on_error() -> Sequence[Node]:
    return (
        on_each("break", _break, done(), which=_has_access, what=_WHAT),
        on_each("go-on", _go_on, done(), which=_has_access, what=_WHAT),
    )


def _with_counts(apdu: bytes, specifications: int, data: int) -> bytes:
    """A request for logical_name, but with so many specifications and data: the counts stand
    behind the tag, the long invoke id and no date-time.
    """
    start = 6
    one = apdu[start + 1 : -2]
    return (
        apdu[:start]
        + bytes((specifications,))
        + one * specifications
        + bytes((data,))
        + apdu[-1:] * data
    )


async def _counts(trial: Trial, row: Row) -> Seen:
    seen = Seen.found()
    async with joined(trial, row) as probe:
        for specifications, data in ((2, 1), (1, 0), (1, 2), (0, 1)):
            apdu = _request(probe, (_Item(_NAME),)).encode()
            seen = await probe.request(_with_counts(apdu, specifications, data))
            if first_amiss(trial, (refused(),), seen):
                note = f"{specifications} specifications and {data} data"
                return seen.having(notes=(*seen.notes, note))
    return seen


@conversation("X_ACCESS_COUNTS")
def counts() -> Sequence[Node]:
    return (on_each("counts", _counts, refused(), which=_has_access, what=_WHAT),)


async def _many(trial: Trial, row: Row) -> Seen:
    async with joined(trial, row) as probe:
        room = (probe.server_max_pdu or 1024) - _OVERHEAD
        number = max(1, min(_MOST, room // _ITEM))
        seen = await _asked(probe, (_Item(_NAME),) * number)
        response = seen.message
        if not isinstance(response, AccessResponse):
            return seen
        right = [index for index in range(len(response.results)) if _read(response, index)]
        problems = []
        if len(response.results) != number or len(right) != number:
            came = f"{len(right)} right ones of {len(response.results)}"
            problems.append(f"{number} items, and as results {came}")
        return Seen.found(problems, answer="done", items=number)


@conversation("X_ACCESS_LIMIT")
def limit() -> Sequence[Node]:
    return (on_each("many", _many, refused(), done(), which=_has_access, what=_WHAT),)
