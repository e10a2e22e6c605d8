"""General blocks by hand, so that any of them can be wrong (GB Ed. 8, 9.4.6.13)."""

from __future__ import annotations

from dlms.xdlms.general_block import TAG, GeneralBlock, decode
from emulator.conformance.probing.probe import Probe
from emulator.conformance.probing.seen import Seen, What

WINDOW = 4
"""Blocks that the tester takes in one stream."""

MOST_BLOCKS = 4096
"""Of one answer; more are no answer."""


def cut(apdu: bytes, count: int, *, window: int = WINDOW, streaming: bool = False) -> list[bytes]:
    """An APDU in so many blocks, as right as they can be; ``streaming`` all but the last."""
    size = -(-len(apdu) // count)
    pieces = [apdu[start : start + size] for start in range(0, len(apdu), size)]
    return [
        GeneralBlock(
            number == len(pieces),
            streaming and number < len(pieces),
            window,
            number,
            0,
            piece,
        ).encode()
        for number, piece in enumerate(pieces, 1)
    ]


def block_of(seen: Seen) -> GeneralBlock | None:
    """The block that came, if it is one."""
    return decode(seen.octets) if seen.what is What.APDU and seen.octets[:1] == _E0 else None


_E0 = bytes((TAG,))


def is_abort(block: GeneralBlock) -> bool:
    """The book's ABORT: a last block with number 0."""
    return block.last and block.number == 0


async def send_all(probe: Probe, blocks: list[bytes]) -> Seen:
    """Send blocks that do not stream, each behind the acknowledgement of the one before; the first
    thing that is no acknowledgement, or what follows the last.
    """
    for octets in blocks[:-1]:
        seen = await probe.exchange(octets)
        block = block_of(seen)
        if block is None or block.data or is_abort(block):
            return seen
    return await probe.exchange(blocks[-1])


async def gathered(probe: Probe, seen: Seen, own_blocks: int = 1) -> Seen:
    """The whole answer that ``seen`` begins, acknowledged as it comes: what it decodes to, with its
    blocks in ``facts["blocks"]``. What is no block is given back as it is. ``own_blocks`` is the
    number of the last block that the tester has sent.
    """
    data, number = bytearray(), own_blocks
    blocks: list[GeneralBlock] = []
    while (block := block_of(seen)) is not None and not is_abort(block):
        if block.number == len(blocks) + 1:
            blocks.append(block)
            data += block.data
        if block.last and data:
            number += 1
            probe.line.say(probe.pair, acknowledgement(number, block.number))
            whole = probe.understood(seen.having(octets=bytes(data), plain=bytes(data)))
            return whole.having(facts={**whole.facts, "blocks": tuple(blocks)})
        if not block.data and not block.streaming:
            return seen  # it awaits something else than that we take its answer
        if len(blocks) > MOST_BLOCKS:
            return Seen.found([f"more than {MOST_BLOCKS} blocks"])
        if block.streaming:
            seen = await probe.hear()
        else:
            number += 1
            seen = await probe.exchange(acknowledgement(number, block.number))
    return seen


def acknowledgement(number: int, acknowledged: int, window: int = WINDOW) -> bytes:
    """An empty last block: nothing more to say, and all up to there is here."""
    return GeneralBlock(True, False, window, number, acknowledged, b"").encode()
