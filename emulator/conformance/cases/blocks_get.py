"""X_GET_BLOCK_* and X_PDU_MAX: what is long, in blocks and without."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.get import GetRequestNext, GetResponseBlock
from emulator.conformance.cases.asking import OBJECT_LIST, is_long, is_own_name
from emulator.conformance.cases.blocks import association, begin_get, next_of
from emulator.conformance.cases.each import Row, joined, on_each
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_error, refused, value
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_FIRST = Note[GetResponseBlock]("the first block of the GET that was begun")

_GET = Conformance.GET
_BLOCKS = Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
_INVALID = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
_NONE = DataAccessResult.NO_LONG_GET_IN_PROGRESS
_ABORTED = DataAccessResult.LONG_GET_ABORTED


async def _probe(trial: Trial) -> Probe:
    return await association(trial, _BLOCKS, _GET, "GET")


async def _wrong(trial: Trial) -> Seen:
    """Far from any number that could be meant."""
    probe = await _probe(trial)
    first = await begin_get(probe)
    return await next_of(probe, first, trial.rng.randrange(0x1000, 0xFFFFFFFF))


async def _old(trial: Trial) -> Seen:
    """Block 1 is said to have come twice."""
    probe = await _probe(trial)
    first = await begin_get(probe)
    seen = await next_of(probe, first, first.number)
    second = seen.message
    if not isinstance(second, GetResponseBlock) or second.last:
        raise Unjudged(f"there is no second block amid others: {seen}")
    return await next_of(probe, first, first.number)


async def _future(trial: Trial) -> Seen:
    """Block 2 is said to have come, and has not."""
    probe = await _probe(trial)
    first = await begin_get(probe)
    return await next_of(probe, first, first.number + 1)


@conversation("X_GET_BLOCK_NUMBER")
def number() -> Sequence[Node]:
    return (
        step("wrong", _wrong, data_error(_INVALID)),
        step("old", _old, data_error(_INVALID)),
        step("future", _future, data_error(_INVALID)),
    )


async def _none(trial: Trial) -> Seen:
    probe = await _probe(trial)
    return await probe.request(GetRequestNext(probe.invoke(), 1).encode())


@conversation("X_GET_BLOCK_NONE")
def none() -> Sequence[Node]:
    return (step("none", _none, data_error(_NONE)),)


async def _new(trial: Trial) -> Seen:
    probe = await _probe(trial)
    trial.notes.keep(_FIRST, await begin_get(probe))
    return await probe.get()


async def _next(trial: Trial) -> Seen:
    first = trial.notes.kept(_FIRST)
    return await next_of(await _probe(trial), first, first.number)


@conversation("X_GET_BLOCK_NEW")
def new() -> Sequence[Node]:
    return (
        step("new", _new, value(is_own_name), data_error(_ABORTED)),
        step("next", _next, data_error(_ABORTED), data_error(_NONE)),
    )


# Without blocks ---------------------------------------------------------------------------------

_LIMITS = (64, 128, 256)
"""Octets that the client takes, the first with which the association comes about: pass 4 of some
mechanisms is long.
"""


def _may_get(row: Row) -> bool:
    return is_long(row) and bool(row.conformance & _GET) and not row.users


async def _long(trial: Trial, row: Row) -> Seen:
    proposed = Conformance.GET | (Conformance.ACTION if row.mechanism.is_hls else Conformance(0))
    for limit in _LIMITS:
        try:
            async with joined(
                trial, row, conformance=row.conformance & proposed, max_pdu_size=limit
            ) as probe:
                seen = await probe.get(OBJECT_LIST)
        except Unjudged:
            if limit == _LIMITS[-1]:
                raise
            continue
        longer = f"an APDU of {len(seen.octets)} octets, where the client takes {limit}"
        return seen.having(
            message=None if len(seen.octets) > limit else seen.message,
            why=longer if len(seen.octets) > limit else seen.why,
        )
    raise AssertionError("one of the limits is the last")


@conversation("X_PDU_MAX")
def longest() -> Sequence[Node]:
    what = "by logical names with GET"
    return (on_each("long", _long, refused(), which=_may_get, what=what),)
