"""Access rights, as profiles write them and as an Association LN shows them.

Written as words: ``r`` ``w`` ``rw`` for all attributes, ``2r`` ``2w`` ``2rw`` ``2-`` for attribute
2 (overriding the former), ``m`` for all methods, ``m1`` for method 1. Nothing written is no access.
Codes are those of the Association LN versions 0 to 2 (Blue Book 4.4.4).
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from dlms.cosem.interface_class import InterfaceClass

_WORD = re.compile(r"(?P<number>\d*)(?P<mode>rw|r|w|-)|m(?P<method>\d*)")


class AttributeAccess(IntEnum):
    NO_ACCESS = 0
    READ_ONLY = 1
    WRITE_ONLY = 2
    READ_AND_WRITE = 3

    @property
    def readable(self) -> bool:
        return bool(self & 1)

    @property
    def writable(self) -> bool:
        return bool(self & 2)


_MODES = {
    "-": AttributeAccess.NO_ACCESS,
    "r": AttributeAccess.READ_ONLY,
    "w": AttributeAccess.WRITE_ONLY,
    "rw": AttributeAccess.READ_AND_WRITE,
}


class Rights(NamedTuple):
    """What one association may do with one object."""

    attributes: dict[int, AttributeAccess]
    methods: frozenset[int]

    def attribute(self, number: int) -> AttributeAccess:
        return self.attributes.get(number, AttributeAccess.NO_ACCESS)


def parse_rights(text: str, interface_class: InterfaceClass) -> Rights:
    """Read the words. ``ValueError`` if one is unknown or the class has no such number."""
    numbers = (1, *(row.number for row in interface_class.attributes))
    attributes: dict[int, AttributeAccess] = {}
    methods: set[int] = set()
    for word in text.split():
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError(f"access right {word!r} is not like r, 2rw, m or m1")
        if match["mode"] is None:
            methods |= _methods(match["method"], interface_class)
        elif match["number"]:
            number = int(match["number"])
            if number not in numbers:
                raise ValueError(f"{interface_class.name} has no attribute {number}")
            attributes[number] = _MODES[match["mode"]]
        else:
            mode = _MODES[match["mode"]]
            attributes = dict.fromkeys(numbers, mode) | attributes
    if any(attributes.values()) or methods:
        # Whoever may do anything with an object may read its name, and never write it.
        attributes[1] = AttributeAccess.READ_ONLY
    return Rights(attributes, frozenset(methods))


def _methods(number: str, interface_class: InterfaceClass) -> set[int]:
    if not number:
        return {row.number for row in interface_class.methods}
    if interface_class.method(int(number)) is None:
        raise ValueError(f"{interface_class.name} has no method {number}")
    return {int(number)}
