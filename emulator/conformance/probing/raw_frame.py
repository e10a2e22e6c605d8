"""HDLC frames octet by octet, right or wrong (IEC 62056-46, 6.4.1).

What is malformed is made of a right frame: :func:`raw` takes it apart, ``_replace`` harms a part,
and :meth:`RawFrame.encode` puts it together, with lengths and check sequences that are right unless
they are to be wrong.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.framing.hdlc.fcs import check_sequence
from dlms.framing.hdlc.frame import Frame

FLAG = b"\x7e"
TYPE_3 = 0xA
_SEGMENTED = 0x800


class RawFrame(NamedTuple):
    """``destination`` and ``source`` are octets of addresses, ``control`` may be missing.
    ``longer`` is by how much the length field exceeds the truth; ``hcs`` and ``fcs`` are what the
    check sequences are altered by, bit for bit.
    """

    destination: bytes
    source: bytes
    control: bytes
    information: bytes = b""
    segmented: bool = False
    type: int = TYPE_3
    longer: int = 0
    hcs: int = 0
    fcs: int = 0

    def body(self) -> bytes:
        """What stands between the flags."""
        head = self.destination + self.source + self.control
        information = self.information
        length = 2 + len(head) + (2 + len(information) if information else 0) + 2 + self.longer
        word = self.type << 12 | (_SEGMENTED if self.segmented else 0) | length
        octets = word.to_bytes(2, "big") + head
        if information:
            octets += _altered(check_sequence(octets), self.hcs) + information
        return octets + _altered(check_sequence(octets), self.fcs)

    def encode(self) -> bytes:
        """With both flags."""
        return FLAG + self.body() + FLAG


def raw(frame: Frame) -> RawFrame:
    """A right frame in its parts."""
    return RawFrame(
        frame.destination.encode(),
        frame.source.encode(),
        bytes((frame.control.encode(),)),
        frame.information,
        frame.segmented,
    )


def wide_address(*parts: int) -> bytes:
    """An address of as many octets as there are parts, each of 7 bits: the last has its end bit."""
    *first, last = parts
    return bytes((*(part << 1 for part in first), last << 1 | 1))


def _altered(octets: bytes, by: int) -> bytes:
    return bytes(map(int.__xor__, octets, by.to_bytes(2, "little")))
