"""general-block-transfer: a piece of any APDU, ciphered or not (GB Ed. 8, 9.3.5 and 9.5).

``E0 | block-control | block-number | block-number-ack | block-data``. Block control: bit 7 last
block, bit 6 streaming, bits 0-5 the window. What is done with it: :mod:`dlms.transfer.general`.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError
from dlms.octets import Reader, encode_octet_string

TAG = 0xE0
HEAD = 6
"""Octets in front of the OCTET STRING that is the block data."""
MAX_WINDOW = 0x3F
MAX_NUMBER = 0xFFFF
_LAST, _STREAMING = 0x80, 0x40


class GeneralBlock(NamedTuple):
    """``window`` is how many blocks its sender takes in one stream; ``acknowledged`` the number of
    the last block up to which nothing is missing. The first block has number 1.
    """

    last: bool
    streaming: bool
    window: int
    number: int
    acknowledged: int
    data: bytes

    def encode(self) -> bytes:
        for value, limit, field in (
            (self.window, MAX_WINDOW, "block-control"),
            (self.number, MAX_NUMBER, "block-number"),
            (self.acknowledged, MAX_NUMBER, "block-number-ack"),
        ):
            if not 0 <= value <= limit:
                raise CodecError(f"{value} is not in 0..{limit}", field=field)
        control = _LAST * self.last | _STREAMING * self.streaming | self.window
        head = bytes((TAG, control))
        numbers = self.number << 16 | self.acknowledged
        return head + numbers.to_bytes(4, "big") + encode_octet_string(self.data)


def decode(octets: bytes) -> GeneralBlock:
    reader = Reader(octets, 1)
    control = reader.u8("block-control")
    block = GeneralBlock(
        bool(control & _LAST),
        bool(control & _STREAMING),
        control & MAX_WINDOW,
        reader.u16("block-number"),
        reader.u16("block-number-ack"),
        reader.octet_string("block-data"),
    )
    reader.finish("general-block-transfer")
    return block
