"""Cutting octets into blocks, and what bounds it (GB Ed. 8, 9.3.6 to 9.3.8)."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.errors import LocalProtocolError
from dlms.octets import encode_length
from dlms.xdlms.block import Block

MAX_TOTAL = 1 << 20
"""Most octets of one value, in either direction: what an association makes its peer keep. A profile
of half hours over 13 months, with four columns, has a little more than half of them."""

MAX_BLOCKS = 1 << 16
"""Most blocks of one value: 16 octets in each make up :data:`MAX_TOTAL`. Without it a server could
send empty blocks for ever."""


class TooLong(LocalProtocolError):
    """A request or response does not fit the peer's APDU size, and cannot be cut into blocks:
    that was not negotiated, or not one octet of it fits beside the header."""


def capacity(room: int) -> int:
    """How many octets fit into ``room`` as an OCTET STRING with its length. 0 if none do."""
    count = room - 1
    while count > 0 and len(encode_length(count)) + count > room:
        count -= 1
    return max(count, 0)


def cut(raw: bytes, first: int, later: int) -> Iterator[Block]:
    """Cut ``raw`` into blocks of at most ``first`` and then ``later`` octets, numbered from 1.

    No block is empty but the one block of an empty ``raw``.
    """
    position, number, size = 0, 1, first
    while True:
        end = position + size
        yield Block(end >= len(raw), number, raw[position:end])
        if end >= len(raw):
            return
        position, number, size = end, number + 1, later
