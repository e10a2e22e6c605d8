"""X_SET_BLOCK_*: blocks of a SET that are not those that are due."""

from __future__ import annotations

from collections.abc import Sequence

from dlms.axdr import encode
from dlms.axdr.data import octet_string
from dlms.xdlms.block import Block
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.set import SetRequestBlock, SetResponseBlock
from emulator.conformance.cases.asking import is_own_name
from emulator.conformance.cases.blocks import IN_BLOCKS, ROW, aborted, association, set_block
from emulator.conformance.cases.each import first_amiss
from emulator.conformance.cases.writable import Writable, restored, unchanged, writable
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_error, found, is_success, value
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.probe import LOGICAL_NAME, Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

_WHAT = Note[Writable]("what may be written")
_BEGUN = Note[tuple[int, bytes]]("the invoke id of the SET that was begun, and its last block")

_SET = Conformance.SET
_BLOCKS = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
_INVALID = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
_NONE = DataAccessResult.NO_LONG_SET_IN_PROGRESS
_ABORTED = DataAccessResult.LONG_SET_ABORTED

_MOST = 2 << 20
"""Octets of a value that nothing has to take: twice what an octet-string of ours may have."""
_OVERHEAD = 64
"""Octets of an APDU that are no raw data: head, protection, lengths."""
_SECONDS = 20.0
"""For as many blocks as it takes: a slow line must not hold up a run."""


async def _probe(trial: Trial) -> tuple[Probe, Writable]:
    """Where something may be written, it is that."""

    async def look() -> Writable:
        await association(trial, _BLOCKS, _SET | Conformance.GET, "SET")
        what = await writable(trial, trial.notes.kept(ROW))
        # On a serial line what was open before is closed by now.
        trial.notes.drop(IN_BLOCKS)
        return what

    what = await trial.notes.once(_WHAT, look)
    return await association(trial, _BLOCKS, _SET | Conformance.GET, "SET"), what


def _halves(what: Writable) -> tuple[bytes, bytes]:
    octets = encode(what.other)
    return octets[:-1], octets[-1:]


async def _begin(probe: Probe, what: Writable) -> tuple[int, bytes]:
    """The first of two blocks; the invoke-id and what is left. :class:`Unjudged` if the device does
    not take it.
    """
    head, tail = _halves(what)
    invoke = probe.invoke()
    seen = await probe.request(set_block(invoke, what.attribute, Block(False, 1, head)))
    if not isinstance(seen.message, SetResponseBlock):
        raise Unjudged(f"the first block of a SET is not taken: {seen}")
    return invoke, tail


async def _numbers(trial: Trial) -> Seen:
    """A wrong number, one that was there before, and one that comes later, each in a transfer."""
    probe, what = await _probe(trial)
    seen = Seen.found()
    wrong = trial.rng.randrange(0x1000, 0xFFFFFFFF)
    for said, number in (("wrong", wrong), ("old", 1), ("future", 3)):
        invoke, tail = await _begin(probe, what)
        block = Block(True, number, tail)
        seen = await probe.request(SetRequestBlock(invoke, block).encode())
        seen = await restored(probe, what, seen)
        if first_amiss(trial, (data_error(_INVALID),), seen):
            return seen.having(notes=(*seen.notes, f"a number that is {said}"))
    return seen


async def _still_there(trial: Trial) -> Seen:
    probe, what = await _probe(trial)
    return await unchanged(probe, what)


@conversation("X_SET_BLOCK_NUMBER")
def number() -> Sequence[Node]:
    return (
        step("number", _numbers, data_error(_INVALID)),
        step("value", _still_there, found("unchanged")),
    )


async def _none(trial: Trial) -> Seen:
    probe, what = await _probe(trial)
    _, tail = _halves(what)
    return await probe.request(SetRequestBlock(probe.invoke(), Block(True, 2, tail)).encode())


@conversation("X_SET_BLOCK_NONE")
def none() -> Sequence[Node]:
    return (step("none", _none, data_error(_NONE)),)


async def _new(trial: Trial) -> Seen:
    probe, what = await _probe(trial)
    trial.notes.keep(_BEGUN, await _begin(probe, what))
    return await probe.get(LOGICAL_NAME)


async def _late(trial: Trial) -> Seen:
    """Nothing has been written; nor is it by the last block, that comes too late."""
    probe, what = await _probe(trial)
    before = await unchanged(probe, what)
    if before.problems:
        return before
    invoke, tail = trial.notes.kept(_BEGUN)
    seen = await probe.request(SetRequestBlock(invoke, Block(True, 2, tail)).encode())
    after = await unchanged(probe, what)
    if is_success(seen):
        late = f"the last block, too late, is taken: {seen}"
        return after.having(problems=(*after.problems, late))
    return after


@conversation("X_SET_BLOCK_NEW")
def new() -> Sequence[Node]:
    return (
        step("new", _new, aborted(_ABORTED), value(is_own_name)),
        step("value", _late, found("unchanged")),
    )


async def _beyond(trial: Trial) -> Seen:
    """An octet-string of a length that is nowhere meant, until the device has had enough."""
    probe, what = await _probe(trial)
    size = max((probe.server_max_pdu or 1024) - _OVERHEAD, 16)
    head = encode(octet_string(b""))[:1] + b"\x84" + _MOST.to_bytes(4, "big")
    invoke, number, sent = probe.invoke(), 1, 0
    seen = await probe.request(set_block(invoke, what.attribute, Block(False, 1, head)))
    octets, began = trial.rng.randbytes(size), trial.clocks.now()
    while isinstance(seen.message, SetResponseBlock):
        if sent >= _MOST:
            return Seen.found((f"{sent} octets are taken, and there is no end",))
        if trial.clocks.now() - began > _SECONDS:
            raise Unjudged(f"{sent} octets were taken in {_SECONDS:g} s, and there is no end yet")
        number, sent = number + 1, sent + size
        block = Block(False, number, octets)
        seen = await probe.request(SetRequestBlock(invoke, block).encode())
    return seen


@conversation("X_SET_BLOCK_LIMIT")
def limit() -> Sequence[Node]:
    return (
        step("limit", _beyond, aborted(_ABORTED)),
        step("value", _still_there, found("unchanged")),
    )
