"""The information field of FRMR: what was wrong with a frame (ISO/IEC 13239, 5.5.3.2)."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

from dlms.errors import CodecError


class Fault(IntFlag):
    """The last octet."""

    UNKNOWN_CONTROL = 0x01
    INFORMATION_NOT_ALLOWED = 0x02
    INFORMATION_TOO_LONG = 0x04
    WRONG_RECEIVE_NUMBER = 0x08


class Rejection(NamedTuple):
    """``control`` is the control field that was rejected, of a response if ``of_response``."""

    control: int
    send_state: int
    receive_state: int
    fault: Fault
    of_response: bool = False

    def encode(self) -> bytes:
        states = self.receive_state << 5 | int(self.of_response) << 4 | self.send_state << 1
        return bytes((self.control, states, self.fault))


def decode_rejection(information: bytes) -> Rejection:
    if len(information) != 3:
        raise CodecError(f"3 octets needed, not {len(information)}", field="FRMR")
    control, states, fault = information
    return Rejection(
        control, states >> 1 & 7, states >> 5, Fault(fault & 0x0F), bool(states & 0x10)
    )
