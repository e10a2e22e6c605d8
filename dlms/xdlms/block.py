"""DataBlock-SA: a piece of a value that is too long for one APDU (GB Ed. 8, 9.3.7, 9.3.8, 9.5).

The first block has number 1. What the raw data of all blocks make together is known to
:mod:`dlms.transfer`; here it is octets.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError
from dlms.octets import Reader, encode_octet_string

MAX_NUMBER = 0xFFFFFFFF
"""A block number is an Unsigned32. There is no way on from it: it does not wrap around."""


class Block(NamedTuple):
    """One piece; ``last`` says that no other follows."""

    last: bool
    number: int
    raw: bytes

    def encode(self) -> bytes:
        return encode_start(self.last, self.number) + encode_octet_string(self.raw)


def encode_start(last: bool, number: int) -> bytes:
    """What a DataBlock-SA and a DataBlock-G begin with."""
    return (b"\x01" if last else b"\x00") + encode_number(number)


def encode_number(number: int) -> bytes:
    """A block number: four octets. :class:`CodecError` if it needs more."""
    if not 0 <= number <= MAX_NUMBER:
        raise CodecError(f"{number} is no Unsigned32", field="block-number")
    return number.to_bytes(4, "big")


def read_start(reader: Reader) -> tuple[bool, int]:
    """Read ``last-block`` and ``block-number``."""
    last = reader.u8("last-block")
    # A BOOLEAN, and as in Data: the two forms of TRUE that are met, no other octet.
    if last not in (0, 1, 0xFF):
        raise CodecError(
            f"boolean must be 00, 01 or FF, not {last:02X}",
            offset=reader.position - 1,
            field="last-block",
        )
    return last != 0, reader.u32("block-number")


def read_block(reader: Reader) -> Block:
    last, number = read_start(reader)
    return Block(last, number, reader.octet_string("raw-data"))
