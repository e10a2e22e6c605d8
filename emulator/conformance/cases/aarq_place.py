"""X_AARQ_TWICE and X_STATE_HLS_PENDING: AARQs and services out of place."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.axdr.data import long
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import MethodDescriptor
from dlms.xdlms.get import GetRequestWithList
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.set import SetRequest
from dlms.xdlms.variable_access import VariableName
from dlms.xdlms.write import WriteRequest
from emulator.conformance.cases.appl_opening import awaiting_pass_3
from emulator.conformance.cases.asking import is_long, is_short, own_name
from emulator.conformance.cases.each import Row, joined, on_each
from emulator.conformance.cases.writable import known_writable, objects_of, unchanged
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import (
    accepted,
    alive,
    pending,
    refused,
    rejected,
)
from emulator.conformance.conversing.tree import Node
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_PRIVILEGES = Note[Seen]("what came of a request that only the first association may make")

# A second AARQ ----------------------------------------------------------------------------------

_LEAST = Conformance.GET | Conformance.READ


async def _second(trial: Trial, row: Row) -> Seen:
    """A second AARQ for the same association, that asks for less: without pass 3 where there is
    one, for reading alone where there is none. What only the first may do is then tried, for the
    next step.
    """
    async with joined(trial, row) as first:
        least = row.conformance & _LEAST or row.conformance
        second = await trial.probe_of(row, first.line, conformance=least)
        seen = await second.associate()
        replaced = bool(seen.facts.get("accepted"))
        trial.notes.keep(_PRIVILEGES, await _privileges(first, replaced=replaced), row.name)
        return seen


async def _privileges(first: Probe, *, replaced: bool) -> Seen:
    """A read, where the second has not authenticated or there is none; else a read of a list, which
    the second has not negotiated. If the first has not either, there is nothing to try.
    """
    if not replaced or first.config.mechanism.is_hls:
        return await own_name(first)
    if Conformance.MULTIPLE_REFERENCES not in first.conformance:
        return Seen.found(notes=["the second may do all that the first may"])
    if first.config.short_names:
        names = VariableName(name=_OWN_NAME), VariableName(name=_OWN_NAME)
        return await first.request(ReadRequest(names).encode())
    request = GetRequestWithList(first.invoke(), ((LOGICAL_NAME, None),))
    return await first.request(request.encode())


_OWN_NAME = 0xFA00
_NO_METHOD = MethodDescriptor(15, bytes((0, 0, 40, 0, 0, 255)), 127)


async def _afterwards(trial: Trial, row: Row) -> Seen:
    return trial.notes.kept(_PRIVILEGES, row.name)


@conversation("X_AARQ_TWICE")
def second_aarq() -> Sequence[Node]:
    return (
        on_each("second", _second, accepted(), pending(), rejected()),
        on_each("privileges", _afterwards, refused(), alive()),
    )


# While authentication is pending ----------------------------------------------------------------

_CLOCK, _SHIFT_TIME = 8, 6
_HARMLESS_METHODS = ((_CLOCK, _SHIFT_TIME),)
"""shift_time of Clock, by nothing."""


def _has_hls(row: Row) -> bool:
    return row.mechanism.is_hls


async def _get(trial: Trial, row: Row) -> Seen:
    async with awaiting_pass_3(trial, row) as probe:
        return await own_name(probe)


async def _set(trial: Trial, row: Row) -> Seen:
    """Of a value that could be written after pass 4, and has not been."""
    what = await known_writable(trial, row)
    async with awaiting_pass_3(trial, row) as probe:
        if what.name is not None:
            name = VariableName(name=what.name)
            seen = await probe.request(WriteRequest((name,), (what.other,)).encode())
        else:
            request = SetRequest(probe.invoke(), what.attribute, what.other)
            seen = await probe.request(request.encode())
    async with joined(trial, row) as probe:
        after = await unchanged(probe, what)
    return after if after.problems else seen


async def _action(trial: Trial, row: Row) -> Seen:
    """Of a method that could be invoked after pass 4 and does nothing; else of one that is not
    there. By short names, a Read of two names in the place of an ACTION.
    """
    method = _NO_METHOD
    if is_long(row):
        objects = await objects_of(trial, row)
        harmless = (
            MethodDescriptor(entry.class_id, entry.instance, number)
            for class_id, number in _HARMLESS_METHODS
            for entry in objects
            if entry.class_id == class_id and entry.methods.get(number)
        )
        method = next(harmless, _NO_METHOD)
    async with awaiting_pass_3(trial, row) as probe:
        if is_short(row):
            names = VariableName(name=_OWN_NAME), VariableName(name=_OWN_NAME)
            return await probe.request(ReadRequest(names).encode())
        return await probe.request(ActionRequest(probe.invoke(), method, long(0)).encode())


@conversation("X_STATE_HLS_PENDING")
def pending_authentication() -> Sequence[Node]:
    what = "with high level security"
    return (
        on_each("get", _get, refused(), which=_has_hls, what=what),
        on_each("set", _set, refused(), which=_has_hls, what=what),
        on_each("action", _action, refused(), which=_has_hls, what=what),
    )
