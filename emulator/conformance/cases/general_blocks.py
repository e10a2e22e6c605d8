"""General block transfer (X_GBT_*)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlms.acse.names import Referencing
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.security.ciphered import Family, Form
from dlms.security.control import Protection
from dlms.security.protect import Shape
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.errors import ExceptionResponse
from dlms.xdlms.general_block import MAX_NUMBER, GeneralBlock
from emulator.conformance.conversing.binding import conversation
from emulator.conformance.conversing.expect import data_of, found, refused
from emulator.conformance.conversing.tree import Expect, Mismatch, Node, Unjudged, step
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.conformance.probing.general_blocks import (
    WINDOW,
    acknowledgement,
    block_of,
    cut,
    gathered,
    is_abort,
    send_all,
)
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen, What
from emulator.conformance.trying.trial import Trial

_OBJECT_LIST = AttributeDescriptor(15, CURRENT_ASSOCIATION, 2)
SMALL = 160
"""Octets that the tester takes: an object list is in blocks then, an AARE is not too long."""
ENDLESS = 1 << 23
"""Octets after which an APDU that does not end is taken for one that never would be refused."""


def _has_blocks(row: DeclaredAssociation) -> bool:
    named = row.context.referencing is Referencing.LOGICAL_NAME
    return named and Conformance.GENERAL_BLOCK_TRANSFER in row.conformance


async def _associated(trial: Trial, *, ciphered: bool | None = None, **changes: Any) -> Probe:
    """An association with general blocks. Without ciphering, if there is one: with it a counter
    hides what a device does twice.
    """
    plain = any(
        _has_blocks(row) and not row.context.ciphered for row in trial.declaration.associations
    )
    wanted = not plain if ciphered is None else ciphered
    row = trial.row(
        lambda row: _has_blocks(row) and row.context.ciphered is wanted,
        f"with general block transfer{' and ciphering' if wanted else ''}",
    )
    probe = await trial.associated(row, block_window=WINDOW, **changes)
    if Conformance.GENERAL_BLOCK_TRANSFER not in probe.conformance:
        raise Unjudged("general block transfer is declared, and was not negotiated")
    return probe


def _request(probe: Probe) -> bytes:
    """A GET of the logical name, as the association protects it."""
    return probe.protected(probe.get_request(_LOGICAL_NAME).encode())


_LOGICAL_NAME = AttributeDescriptor(15, CURRENT_ASSOCIATION, 1)


def _aborted() -> Expect:
    def judge(trial: Trial, seen: Seen) -> Mismatch | None:
        block = block_of(seen)
        if block is not None and is_abort(block):
            return None
        if isinstance(seen.message, ExceptionResponse) or seen.what is What.CLOSED:
            return None
        return Mismatch("a last block with number 0, or an error that ends it", str(seen), 0)

    return Expect("aborted", judge)


def _delivered() -> Expect:
    def judge(trial: Trial, seen: Seen) -> Mismatch | None:
        if data_of(seen) is not None:
            return None
        return Mismatch("the answer to the APDU that went in blocks", str(seen))

    return Expect("delivered", judge)


def _no_answer() -> Expect:
    """Refused: nothing, an error; not the answer, nor an acknowledgement that goes on."""

    def judge(trial: Trial, seen: Seen) -> Mismatch | None:
        block = block_of(seen)
        if block is not None and not block.data and not is_abort(block):
            return None  # it says again what it has, and has taken nothing of it
        return refused().judge(trial, seen)

    return Expect("refused", judge)


@conversation("X_GBT_WINDOW0")
def window_of_none() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        probe = await _associated(trial)
        (octets,) = cut(_request(probe), 1, window=0)
        probe.line.say(probe.pair, octets)
        seen = await probe.hear(trial.timing.silence)
        return await gathered(probe, seen)

    return (step("window", send, _aborted(), _no_answer(), _delivered()),)


@conversation("X_GBT_LOST")
def a_lost_block_comes_again() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        probe = await _associated(trial, max_pdu_size=SMALL)
        apdu = probe.protected(probe.get_request(_OBJECT_LIST).encode())
        seen = await send_all(probe, cut(apdu, 1))
        stream = []
        while (block := block_of(seen)) is not None:
            stream.append(block)
            if not block.streaming:
                break
            seen = await probe.hear()
        if len(stream) < 2:
            raise Unjudged(f"the answer is no stream of blocks: {seen}")
        lost = stream[1]
        again = await probe.exchange(acknowledgement(2, stream[0].number, window=1))
        block = block_of(again)
        if block is None:
            return Seen.found([f"block {lost.number} was lost, and came: {again}"])
        problems = []
        if block.number != lost.number or block.data != lost.data:
            problems.append(f"block {lost.number} was lost, and block {block.number} came")
        return Seen.found(problems, lost=lost.number)

    return (step("lost", send, found("resent")),)


async def _answers(trial: Trial, probe: Probe, blocks: list[bytes], again: bytes) -> Seen:
    """The answer to ``blocks``, and whether ``again`` behind it brings another. Blocks of the
    answer may come again: who hears a block twice may think that they were lost.
    """
    seen = await gathered(probe, await send_all(probe, blocks), len(blocks))
    if data_of(seen) is None:
        return Seen.found([f"no answer: {seen}"])
    known = {(block.number, block.data) for block in seen.facts.get("blocks", ())}
    probe.line.say(probe.pair, again)
    problems = []
    while (more := await probe.hear(trial.timing.silence)).what is What.APDU:
        block = block_of(more)
        if block is None or (block.data and (block.number, block.data) not in known):
            problems.append(f"another answer: {more}")
            break
    return Seen.found(problems)


@conversation("X_GBT_DUPLICATE")
def a_block_twice() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        probe = await _associated(trial)
        first, *rest = cut(_request(probe), 3)
        return await _answers(trial, probe, [first, first, *rest], first)

    return (step("twice", send, found("once")),)


@conversation("X_GBT_BNA")
def blocks_that_were_not_sent_are_acknowledged() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        probe = await _associated(trial)
        block = GeneralBlock(True, False, WINDOW, 1, 9, _request(probe))
        probe.line.say(probe.pair, block.encode())
        return await gathered(probe, await probe.hear(trial.timing.silence))

    return (step("acknowledged", send, _aborted(), _no_answer()),)


@conversation("X_GBT_STREAMING")
def blocks_in_a_stream() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        probe = await _associated(trial)
        blocks = cut(_request(probe), 3, streaming=True)
        for octets in blocks[:-1]:
            probe.line.say(probe.pair, octets)
        return await gathered(probe, await probe.exchange(blocks[-1]), len(blocks))

    return (step("stream", send, _delivered()),)


@conversation("X_GBT_BN0")
def block_number_0() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        probe = await _associated(trial)
        block = GeneralBlock(True, False, WINDOW, 0, 0, _request(probe))
        probe.line.say(probe.pair, block.encode())
        return await gathered(probe, await probe.hear(trial.timing.silence))

    return (step("zero", send, _aborted(), _no_answer()),)


@conversation("X_GBT_WRAP")
def block_numbers_are_used_up() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        probe = await _associated(trial)
        size = max(probe.server_max_pdu - 16, 1) if probe.server_max_pdu else 1024
        sent = 0
        for number in range(1, MAX_NUMBER + 2):
            block = GeneralBlock(False, False, WINDOW, number % (MAX_NUMBER + 1), 0, bytes(size))
            seen = await probe.exchange(block.encode())
            answer = block_of(seen)
            if answer is None or is_abort(answer) or answer.acknowledged < number % MAX_NUMBER:
                return seen
            sent += size
            if sent > ENDLESS:
                return Seen.found([f"{number} blocks of {sent} octets have been taken"])
        return Seen.found(["block numbers have begun again"])

    return (step("wrap", send, _aborted()),)


@conversation("X_GBT_LAST")
def the_last_block_twice() -> Sequence[Node]:
    async def send(trial: Trial) -> Seen:
        probe = await _associated(trial)
        blocks = cut(_request(probe), 2)
        return await _answers(trial, probe, blocks, blocks[-1])

    return (step("last", send, found("once")),)


@conversation("X_GBT_CIPHER_ORDER")
def ciphered_apdus_in_blocks_and_ciphered_blocks() -> Sequence[Node]:
    async def apdu_in_blocks(trial: Trial) -> Seen:
        probe = await _associated(trial, ciphered=True)
        before = await probe.get()
        blocks = cut(_request(probe), 2)
        seen = await gathered(probe, await send_all(probe, blocks), len(blocks))
        if data_of(seen) is None or before.counter is None:
            return seen
        if seen.counter != before.counter + 1:
            return Seen.found([f"counters {before.counter} and {seen.counter}: one a block"])
        return seen

    async def ciphered_blocks(trial: Trial) -> Seen:
        probe = await _associated(trial, ciphered=True)
        shape = Shape(Family.GLOBAL, Form.GENERAL, Protection.BOTH)
        plain = cut(probe.get_request(_LOGICAL_NAME).encode(), 2)
        first, second = (probe.protected(block, shape) for block in plain)
        probe.line.say(probe.pair, first)
        seen = await probe.hear(trial.timing.silence)
        if seen.what is not What.APDU or block_of(seen.having(octets=seen.plain)) is None:
            return seen
        probe.line.say(probe.pair, second)
        return await probe.hear(trial.timing.silence)

    return (
        step("apdu-in-blocks", apdu_in_blocks, _delivered(), refused()),
        step("ciphered-blocks", ciphered_blocks, _delivered(), refused()),
    )
