"""A fixed hash in the place of chance: the same numbers on every machine."""

from __future__ import annotations

_MASK = 0xFFFF_FFFF
_STEP = 0x9E37_79B9


def chance(stream: int, number: int) -> int:
    """32 bits for a ``number`` of a ``stream``; both may be any integers."""
    bits = (stream + _STEP * number) & _MASK
    bits = ((bits ^ bits >> 16) * 0x7FEB_352D) & _MASK
    bits = ((bits ^ bits >> 15) * 0x846C_A68B) & _MASK
    return bits ^ bits >> 16
