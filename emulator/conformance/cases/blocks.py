"""Block transfers of the tester's, step by step: the association they are in and how they begin.

General blocks are not negotiated here: what is long goes in the blocks of its service.
"""

from __future__ import annotations

from typing import Any

from dlms.xdlms.action import ActionResponse
from dlms.xdlms.block import Block
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.get import GetRequestNext, GetResponseBlock
from dlms.xdlms.set import SetRequestFirstBlock
from emulator.conformance.cases.asking import OBJECT_LIST, is_long
from emulator.conformance.cases.each import Row
from emulator.conformance.conversing.expect import data_result
from emulator.conformance.conversing.tree import Expect, Mismatch, Unjudged
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.notes import Note
from emulator.conformance.trying.trial import Trial

IN_BLOCKS = Note[Probe]("the client whose association has blocks")
ROW = Note[Row]("the association with blocks")

SMALL_PDU = 128
"""Octets that the client takes: the list of objects is then some blocks long, in any device, and
pass 4 of any mechanism but signatures goes through.
"""


async def association(trial: Trial, blocks: Conformance, service: Conformance, what: str) -> Probe:
    """An association with blocks of that service, on a connection of its own; the same for all
    steps of a trial. Passes without signatures come first.
    """
    made = trial.notes.found(IN_BLOCKS)
    if made is not None:
        return made
    both = blocks | service

    def suits(row: Row) -> bool:
        signs = row.mechanism.name == "HLS_ECDSA"
        return is_long(row) and row.conformance & both == both and not signs

    row = trial.row(suits, f"with blocks of {what}")
    without = int(row.conformance) & ~int(Conformance.GENERAL_BLOCK_TRANSFER)
    trial.notes.keep(ROW, row)
    probe = await trial.associated(row, conformance=Conformance(without), max_pdu_size=SMALL_PDU)
    return trial.notes.keep(IN_BLOCKS, probe)


# GET --------------------------------------------------------------------------------------------


async def begin_get(probe: Probe) -> GetResponseBlock:
    """The first block of the list of objects. :class:`Unjudged` if it does not come in blocks."""
    seen = await probe.get(OBJECT_LIST)
    first = seen.message
    if not isinstance(first, GetResponseBlock) or not isinstance(first.result, bytes):
        raise Unjudged(f"the list of objects does not come in blocks: {seen}")
    if first.last:
        raise Unjudged("the list of objects comes in one block")
    return first


async def next_of(probe: Probe, first: GetResponseBlock, number: int) -> Seen:
    """get-next, where block ``number`` is said to have come."""
    return await probe.request(GetRequestNext(first.invoke, number).encode())


# SET --------------------------------------------------------------------------------------------


def set_block(invoke: int, attribute: Any, block: Block) -> bytes:
    return SetRequestFirstBlock(invoke, attribute, None, block).encode()


def aborted(code: DataAccessResult) -> Expect:
    """The transfer has come to nothing, for this reason and no other."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        result = data_result(seen)
        if result is code:
            return None
        came = str(seen) if result is None else f"data-access-result {result.name}"
        return Mismatch(f"data-access-result {code.name}", came)

    return Expect("aborted", judge)


def action_aborted(code: int) -> Expect:
    """The same of an ACTION."""

    def judge(trial: Any, seen: Seen) -> Mismatch | None:
        said = seen.message
        if isinstance(said, ActionResponse) and said.result == code:
            return None
        return Mismatch(f"action-result {code}", str(seen))

    return Expect("aborted", judge)
