"""The check sequences of a frame: CRC-16/X.25 (IEC 62056-46, 6.4.2.6; ISO/IEC 13239, 4.2.5)."""

from __future__ import annotations

_POLYNOMIAL = 0x8408
"""x^16 + x^12 + x^5 + 1, bits reversed: the least significant bit is sent first."""


def _entry(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ (_POLYNOMIAL if octet & 1 else 0)
    return octet


_TABLE = tuple(map(_entry, range(256)))


def check_sequence(octets: bytes) -> bytes:
    """The two octets that follow ``octets``, the low one first."""
    value = 0xFFFF
    for octet in octets:
        value = value >> 8 ^ _TABLE[(value ^ octet) & 0xFF]
    return (value ^ 0xFFFF).to_bytes(2, "little")
