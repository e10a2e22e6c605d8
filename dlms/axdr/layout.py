"""How wide each type of ``Data`` is on the wire, shared by both directions (IEC 61334-6)."""

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
