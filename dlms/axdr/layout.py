"""How wide each type of ``Data`` is on the wire, and the bounds, for both directions (IEC 61334-6).

There is no bound of its own on the elements of an array or a structure, for each costs at least the
octet of its tag: what arrived bounds them. Only in a compact-array do values cost no octets.
"""

from __future__ import annotations

import struct

from dlms.axdr.data import DataType

T = DataType

FIXED: dict[int, struct.Struct] = {
    T.DOUBLE_LONG: struct.Struct(">i"),
    T.DOUBLE_LONG_UNSIGNED: struct.Struct(">I"),
    T.BCD: struct.Struct(">b"),
    T.INTEGER: struct.Struct(">b"),
    T.LONG: struct.Struct(">h"),
    T.UNSIGNED: struct.Struct(">B"),
    T.LONG_UNSIGNED: struct.Struct(">H"),
    T.LONG64: struct.Struct(">q"),
    T.LONG64_UNSIGNED: struct.Struct(">Q"),
    T.ENUM: struct.Struct(">B"),
    T.FLOAT32: struct.Struct(">f"),
    T.FLOAT64: struct.Struct(">d"),
    T.DELTA_INTEGER: struct.Struct(">b"),
    T.DELTA_LONG: struct.Struct(">h"),
    T.DELTA_DOUBLE_LONG: struct.Struct(">i"),
    T.DELTA_UNSIGNED: struct.Struct(">B"),
    T.DELTA_LONG_UNSIGNED: struct.Struct(">H"),
    T.DELTA_DOUBLE_LONG_UNSIGNED: struct.Struct(">I"),
}

OCTETS: dict[int, int] = {T.DATE_TIME: 12, T.DATE: 5, T.TIME: 4}

MAX_DEPTH = 32
"""Deepest nesting taken or made. The deepest COSEM attribute (object_list) nests 6 levels."""

MAX_ELEMENTS = 0x10000
"""Most values of one compact-array, in all: its number of elements and the length of an APDU have
16 bits, so that no more is meant than there can be octets."""

VALUES_PER_OCTET = 16
"""Most values of one compact-array per octet of its contents.

Nulls and arrays of nulls cost no octets there: without a bound, an APDU of 1 KiB would decode to
millions of values.
"""

WORTHWHILE = 8
"""Fewest equal-shaped elements for which it pays to look at them as a run."""

BATCH = 128
MAX_FIELDS = 32
"""Elements of a run that are handled at a time, and the most fields of each. To find that the next
ones are no run takes time by ``BATCH``; what is prepared and kept for a run takes memory by both.
Wider rows are worth little: they spend their time inside the row."""
