"""One frame of type 3, between its flags (IEC 62056-46, 6.4.1; GB Ed. 8, 8.4.1).

``format ‖ destination ‖ source ‖ control ‖ [HCS ‖ information] ‖ FCS``. The format field has the
type 1010, the segmentation bit and the length of all this in 11 bits.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError
from dlms.framing.hdlc.address import Address, read_address
from dlms.framing.hdlc.control import Control, UnknownControl, decode_control
from dlms.framing.hdlc.fcs import check_sequence
from dlms.octets import Reader

FLAG = 0x7E
_TYPE_3 = 0xA
_SEGMENTED = 0x800
_LENGTH = 0x7FF
MIN_LENGTH = 7
"""Format, two addresses of one octet, control, FCS."""

MAX_LENGTH = _LENGTH
MAX_OVERHEAD = 2 + 4 + 4 + 1 + 2 + 2
"""Octets of a frame besides its information field, at the most."""

MAX_INFORMATION = 2030
"""Octets of the information field that can be negotiated (IEC 62056-46, 6.4.4.4.3.2)."""


class Frame(NamedTuple):
    """``segmented`` says that more segments of the same APDU follow."""

    destination: Address
    source: Address
    control: Control
    information: bytes = b""
    segmented: bool = False

    def encode(self) -> bytes:
        """The frame with both flags. :class:`CodecError` if it is too long."""
        head = self.destination.encode() + self.source.encode() + bytes((self.control.encode(),))
        information = self.information
        length = 2 + len(head) + (2 + len(information) if information else 0) + 2
        if length > MAX_LENGTH:
            raise CodecError(f"frame of {length} octets", field="frame format")
        word = _TYPE_3 << 12 | (_SEGMENTED if self.segmented else 0) | length
        octets = word.to_bytes(2, "big") + head
        if information:
            octets += check_sequence(octets) + information
        return b"".join((b"\x7e", octets, check_sequence(octets), b"\x7e"))


class NotUnderstood(NamedTuple):
    """A frame that arrived whole for someone, with a control field that means nothing here."""

    destination: Address
    source: Address
    octet: int


def announced_length(octets: bytes) -> int | None:
    """The length in the two octets of a frame format, ``None`` if they are none of type 3."""
    word = int.from_bytes(octets, "big")
    return word & _LENGTH if word >> 12 == _TYPE_3 else None


def decode_frame(octets: bytes) -> Frame | NotUnderstood:
    """Decode what stood between two flags.

    :class:`CodecError` if it is no frame: then nobody is to answer, since nothing in it can be
    believed (IEC 62056-46, 6.4.4.8.2: invalid frames are discarded).
    """
    reader = Reader(octets)
    length = announced_length(reader.take(2, "frame format"))
    if length is None:
        raise CodecError("frame format type is not 3", offset=0, field="frame format")
    if length != len(octets):
        raise CodecError(
            f"{length} octets announced, {len(octets)} there", offset=0, field="frame format"
        )
    if len(octets) < MIN_LENGTH:
        raise CodecError(f"{len(octets)} octets are no frame", offset=0, field="frame format")
    body = len(octets) - 2
    if check_sequence(octets[:body]) != octets[body:]:
        raise CodecError("does not match", offset=body, field="FCS")
    reader.end = body
    destination = read_address(reader)
    source = read_address(reader)
    octet = reader.u8("control")
    information = b""
    if reader.remaining:
        stop = reader.position
        if reader.take(2, "HCS") != check_sequence(octets[:stop]):
            raise CodecError("does not match", offset=stop, field="HCS")
        information = reader.take(reader.remaining, "information")
    try:
        control = decode_control(octet)
    except UnknownControl:
        return NotUnderstood(destination, source, octet)
    segmented = bool(int.from_bytes(octets[:2], "big") & _SEGMENTED)
    return Frame(destination, source, control, information, segmented)
