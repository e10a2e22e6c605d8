"""Puts lengths and check sequences of frames right after something in them has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dlms.framing.hdlc.fcs import check_sequence
from dlms.framing.hdlc.frame import FLAG, MIN_LENGTH

_LONGEST_ADDRESS = 4


def as_is(octets: bytes) -> bytes:
    return octets


def wrapper(octets: bytes) -> bytes:
    """The length of a WPDU that is alone (IEC 62056-4-7)."""
    if len(octets) < 8:
        return octets
    return octets[:6] + (len(octets) - 8).to_bytes(2, "big") + octets[8:]


def hdlc(octets: bytes) -> bytes:
    """Length, HCS and FCS of a frame that is alone between its flags, whatever they were."""
    flag = bytes((FLAG,))
    inner = octets.removeprefix(flag).removesuffix(flag)
    if len(inner) < MIN_LENGTH:
        return octets
    body = inner[:-2]
    head = 2
    for _ in range(2):
        head = _behind_address(body, head)
    head += 1  # control
    word = int.from_bytes(body[:2], "big")
    start = (0xA000 | word & 0x800 | len(inner)).to_bytes(2, "big") + body[2:head]
    if len(body) > head + 2:
        start += check_sequence(start) + body[head + 2 :]
    return flag + start + check_sequence(start) + flag


def _behind_address(body: bytes, position: int) -> int:
    """An address ends with the first octet whose last bit is set (IEC 62056-46, 6.4.2.1)."""
    for behind in range(position + 1, position + 1 + _LONGEST_ADDRESS):
        if body[behind - 1 : behind] and body[behind - 1] & 1:
            return behind
    return position + 1


FRAMES: Mapping[str, Callable[[bytes], bytes]] = {"as-is": as_is, "wrapper": wrapper, "hdlc": hdlc}
