"""The conformance block: which services an association may use (GB Ed. 8, 9.4.6.1)."""

from __future__ import annotations

from enum import IntFlag
from functools import lru_cache
from typing import Any

from dlms.errors import CodecError
from dlms.octets import Reader

MAX_KEPT = 4096
"""Combinations of bits that are kept, some 200 octets each. An association knows a handful."""

_TAG = b"\x5f\x1f\x04\x00"  # [APPLICATION 31], 4 octets, no unused bits


class Conformance(IntFlag):
    """Bit 0 of the standard is the most significant of 24."""

    GENERAL_PROTECTION = 1 << 22
    GENERAL_BLOCK_TRANSFER = 1 << 21
    READ = 1 << 20
    WRITE = 1 << 19
    UNCONFIRMED_WRITE = 1 << 18
    DELTA_VALUE_ENCODING = 1 << 17
    ATTRIBUTE0_WITH_SET = 1 << 15
    PRIORITY_MANAGEMENT = 1 << 14
    ATTRIBUTE0_WITH_GET = 1 << 13
    BLOCK_TRANSFER_WITH_GET_OR_READ = 1 << 12
    BLOCK_TRANSFER_WITH_SET_OR_WRITE = 1 << 11
    BLOCK_TRANSFER_WITH_ACTION = 1 << 10
    MULTIPLE_REFERENCES = 1 << 9
    INFORMATION_REPORT = 1 << 8
    DATA_NOTIFICATION = 1 << 7
    ACCESS = 1 << 6
    PARAMETERIZED_ACCESS = 1 << 5
    GET = 1 << 4
    SET = 1 << 3
    SELECTIVE_ACCESS = 1 << 2
    EVENT_NOTIFICATION = 1 << 1
    ACTION = 1 << 0

    @classmethod
    def _missing_(cls, value: object) -> Any:
        """An enum keeps every combination that it has ever named, and a peer may send 2**24."""
        kept = cls._value2member_map_
        if len(kept) >= MAX_KEPT:
            named = {int(member) for member in cls}
            for combination in [one for one in kept if one not in named]:
                del kept[combination]
        return super()._missing_(value)


# To name bits takes as long as to read all else of an InitiateRequest, and few blocks are in use.
_named = lru_cache(maxsize=256)(Conformance)


def encode_conformance(conformance: Conformance) -> bytes:
    """Encode as ``[APPLICATION 31] IMPLICIT BIT STRING (SIZE(24))``, the one BER field in A-XDR."""
    return _TAG + int(conformance).to_bytes(3, "big")


def read_conformance(reader: Reader) -> Conformance:
    """Read the block. Bits without a name are kept, so that they can be shown and refused."""
    start = reader.position
    stop = start + len(_TAG) + 3
    if stop <= reader.end and reader.data.startswith(_TAG, start):
        reader.position = stop
        return _named(int.from_bytes(reader.data[stop - 3 : stop], "big"))
    tag = reader.take(2, "conformance")
    if tag == b"\x5f\x04":
        # An older form of the tag, 5F without 1F, is sent by some clients (GB 9.4.6.1 note).
        reader.position = start + 1
    elif tag != b"\x5f\x1f":
        raise CodecError(
            f"tag 5F1F expected, not {tag.hex().upper()}", offset=start, field="conformance"
        )
    if reader.u8("conformance") != 4 or reader.u8("conformance") != 0:
        raise CodecError("BIT STRING of 24 bits expected", offset=start, field="conformance")
    return _named(int.from_bytes(reader.take(3, "conformance"), "big"))
