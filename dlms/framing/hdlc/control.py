"""The control field of a frame (IEC 62056-46, 6.4.3; ISO/IEC 13239, 5.3), modulo 8."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from dlms.errors import CodecError

POLL = 0x10
"""Poll in a command, final in a response: whoever gets it has the line."""

MODULUS = 8


class Kind(IntEnum):
    """What a frame is; the value is the control field without numbers and the poll bit."""

    I = 0x00  # noqa: E741 - the standard's name
    RR = 0x01
    RNR = 0x05
    REJ = 0x09
    UI = 0x03
    DM = 0x0F
    DISC = 0x43
    UA = 0x63
    SNRM = 0x83
    FRMR = 0x87

    __hash__ = object.__hash__

    @property
    def is_supervisory(self) -> bool:
        return self in (Kind.RR, Kind.RNR, Kind.REJ)

    @property
    def is_numbered(self) -> bool:
        """Whether the frame has a receive sequence number."""
        return self is Kind.I or self.is_supervisory


_UNNUMBERED = {kind.value: kind for kind in Kind if kind & 3 == 3}
_SUPERVISORY = {kind.value: kind for kind in Kind if kind & 3 == 1}


class Control(NamedTuple):
    """``send`` and ``receive`` are N(S) and N(R), where the kind of frame has them."""

    kind: Kind
    poll: bool = True
    receive: int = 0
    send: int = 0

    def encode(self) -> int:
        octet = self.kind | (POLL if self.poll else 0)
        if self.kind.is_numbered:
            octet |= self.receive << 5
        if self.kind is Kind.I:
            octet |= self.send << 1
        return octet


def decode_control(octet: int) -> Control:
    """:class:`UnknownControl` if there is no such kind of frame."""
    poll = bool(octet & POLL)
    if not octet & 1:
        return Control(Kind.I, poll, octet >> 5, octet >> 1 & 7)
    table, bits = (_SUPERVISORY, 0x0F) if not octet & 2 else (_UNNUMBERED, 0xEF)
    kind = table.get(octet & bits)
    if kind is None:
        raise UnknownControl(octet)
    if kind.is_supervisory:
        return Control(kind, poll, octet >> 5)
    return Control(kind, poll)


class UnknownControl(CodecError):
    """A frame that arrived whole, with a control field that means nothing here."""

    def __init__(self, octet: int) -> None:
        super().__init__(f"{octet:02X} is unknown", field="control")
        self.octet = octet
