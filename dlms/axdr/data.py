"""The COSEM ``Data`` type: a value together with the type it travels as.

Green Book Ed. 8, 9.5 (``Data ::= CHOICE``) and Blue Book 4.1.5 (common data types).

================================  ============================================
type                              Python value
================================  ============================================
null-data, dont-care              ``None``
array, structure                  ``tuple[Data, ...]``
compact-array                     :class:`CompactArray`
boolean                           ``bool``
bit-string                        ``str`` of ``0`` and ``1``, first bit first
all integers, enum, bcd           ``int``
octet-string, date-time, date,    ``bytes`` (for the last three: 12, 5, 4
time                              octets; see :mod:`dlms.axdr.datetimes`)
visible-string, utf8-string       ``str``
float32, float64                  ``float``
================================  ============================================
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeAlias


class DataType(IntEnum):
    """Tags of the ``Data`` choice."""

    NULL_DATA = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BIT_STRING = 4
    DOUBLE_LONG = 5
    DOUBLE_LONG_UNSIGNED = 6
    OCTET_STRING = 9
    VISIBLE_STRING = 10
    UTF8_STRING = 12
    BCD = 13
    INTEGER = 15
    LONG = 16
    UNSIGNED = 17
    LONG_UNSIGNED = 18
    COMPACT_ARRAY = 19
    LONG64 = 20
    LONG64_UNSIGNED = 21
    ENUM = 22
    FLOAT32 = 23
    FLOAT64 = 24
    DATE_TIME = 25
    DATE = 26
    TIME = 27
    DELTA_INTEGER = 28
    DELTA_LONG = 29
    DELTA_DOUBLE_LONG = 30
    DELTA_UNSIGNED = 31
    DELTA_LONG_UNSIGNED = 32
    DELTA_DOUBLE_LONG_UNSIGNED = 33
    DONT_CARE = 255

    @property
    def label(self) -> str:
        """The type's name as the standard writes it, for example ``long-unsigned``."""
        return self.name.lower().replace("_", "-")


class TypeDescription(NamedTuple):
    """Contents description of a compact-array: a simple type, an array or a structure.

    For ``ARRAY``, ``size`` is the number of elements and ``fields`` has their one type; for
    ``STRUCTURE``, ``fields`` has one type per element.
    """

    type: DataType
    size: int = 0
    fields: tuple[TypeDescription, ...] = ()


class CompactArray(NamedTuple):
    """An array whose element type is written once (Green Book Ed. 8, 9.5)."""

    description: TypeDescription
    elements: tuple[Data, ...]


Value: TypeAlias = "bool | int | float | str | bytes | tuple[Data, ...] | CompactArray | None"


class Data(NamedTuple):
    """A typed COSEM value."""

    type: DataType
    value: Value


NULL = Data(DataType.NULL_DATA, None)


def array(*elements: Data) -> Data:
    return Data(DataType.ARRAY, elements)


def structure(*elements: Data) -> Data:
    return Data(DataType.STRUCTURE, elements)


def boolean(value: bool) -> Data:
    return Data(DataType.BOOLEAN, value)


def bit_string(bits: str) -> Data:
    """``bits`` is written first bit first, as in ``bit_string("1000")``."""
    return Data(DataType.BIT_STRING, bits)


def double_long(value: int) -> Data:
    return Data(DataType.DOUBLE_LONG, value)


def double_long_unsigned(value: int) -> Data:
    return Data(DataType.DOUBLE_LONG_UNSIGNED, value)


def octet_string(value: bytes) -> Data:
    return Data(DataType.OCTET_STRING, value)


def visible_string(value: str) -> Data:
    return Data(DataType.VISIBLE_STRING, value)


def utf8_string(value: str) -> Data:
    return Data(DataType.UTF8_STRING, value)


def integer(value: int) -> Data:
    return Data(DataType.INTEGER, value)


def long(value: int) -> Data:
    return Data(DataType.LONG, value)


def unsigned(value: int) -> Data:
    return Data(DataType.UNSIGNED, value)


def long_unsigned(value: int) -> Data:
    return Data(DataType.LONG_UNSIGNED, value)


def enum(value: int) -> Data:
    return Data(DataType.ENUM, value)
