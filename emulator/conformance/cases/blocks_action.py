"""X_ACT_BLOCK_*: pblocks of an ACTION that are not those that are due.

The method is one that a meter knows and that is never invoked: its parameter never comes to an end.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlms.association.config import PASS_3
from dlms.xdlms.action import (
    ActionRequestBlock,
    ActionRequestFirstBlock,
    ActionRequestNextBlock,
    ActionResponseNextBlock,
)
from dlms.xdlms.block import Block
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.conformance import Conformance
from emulator.conformance.cases.blocks import action_aborted, association
from emulator.conformance.cases.each import first_amiss
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import action_error
from emulator.conformance.conversing.tree import Node, Unjudged, step
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen
from emulator.conformance.trying.trial import Trial

_ABORTED = ActionResult.LONG_ACTION_ABORTED
_NONE = ActionResult.NO_LONG_ACTION_IN_PROGRESS
_HEAD = bytes.fromhex("0910") + b"\x00" * 8
"""Of an octet-string of 16 octets the first 8."""
_TAIL = b"\x00" * 8


async def _probe(trial: Trial) -> Probe:
    blocks, service = Conformance.BLOCK_TRANSFER_WITH_ACTION, Conformance.ACTION
    return await association(trial, blocks, service, "ACTION")


async def _numbers(trial: Trial) -> Seen:
    probe = await _probe(trial)
    seen = Seen.found()
    wrong = trial.rng.randrange(0x1000, 0xFFFFFFFF)
    for said, number in (("wrong", wrong), ("old", 1), ("future", 3)):
        invoke = probe.invoke()
        first = ActionRequestFirstBlock(invoke, PASS_3, Block(False, 1, _HEAD))
        begun = await probe.request(first.encode())
        if not isinstance(begun.message, ActionResponseNextBlock):
            raise Unjudged(f"the first pblock of an ACTION is not taken: {begun}")
        later = ActionRequestBlock(invoke, Block(True, number, _TAIL))
        seen = await probe.request(later.encode())
        if first_amiss(trial, (action_aborted(_ABORTED),), seen):
            return seen.having(notes=(*seen.notes, f"a number that is {said}"))
    return seen


@conversation("X_ACT_BLOCK_NUMBER")
def number() -> Sequence[Node]:
    return (step("number", _numbers, action_aborted(_ABORTED)),)


async def _none(trial: Trial) -> Seen:
    probe = await _probe(trial)
    later = ActionRequestBlock(probe.invoke(), Block(True, 2, _TAIL))
    seen = await probe.request(later.encode())
    if first_amiss(trial, (action_error(_NONE),), seen):
        return seen.having(notes=(*seen.notes, "a later pblock"))
    seen = await probe.request(ActionRequestNextBlock(probe.invoke(), 1).encode())
    return seen.having(notes=(*seen.notes, "next-pblock"))


@conversation("X_ACT_BLOCK_NONE")
def none() -> Sequence[Node]:
    return (step("none", _none, action_error(_NONE)),)
