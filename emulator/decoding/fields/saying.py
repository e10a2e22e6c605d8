"""How the octets of a field are said in the words of the standard."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from dlms.axdr import CosemDateTime
from dlms.cosem import catalogue, classes, obis
from dlms.errors import CodecError

_LONGEST = 160
"""Characters of a value that is shown."""


def clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def presence(octets: bytes) -> str:
    return "present" if octets[0] else "absent"


def named(kind: type[IntEnum]) -> Callable[[bytes], str]:
    """By the name of the code."""

    def name(octets: bytes) -> str:
        try:
            return kind(octets[0]).name
        except ValueError:
            return f"{octets[0]}, unknown"

    return name


def one_of(words: dict[int, str]) -> Callable[[bytes], str]:
    """By one of these words."""
    return lambda octets: words.get(octets[0], f"{octets[0]}, unknown")


def class_name(octets: bytes) -> str:
    number = int.from_bytes(octets, "big")
    found = classes.BY_ID.get(number)
    return f"{number} ({found.name})" if found else str(number)


def logical_name(octets: bytes) -> str:
    return f"{obis.text(octets)} ({catalogue.describe(octets)})"


def moment(octets: bytes) -> str:
    """A date-time, or the octets if they are none."""
    try:
        return str(CosemDateTime.from_octets(octets))
    except CodecError:
        return octets.hex()


def size(octets: bytes) -> str:
    return f"{len(octets)} octets"
