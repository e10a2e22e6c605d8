"""A-XDR encoding of COSEM ``Data`` (IEC 61334-6; Green Book Ed. 8, 9.5)."""

from __future__ import annotations

import struct

from dlms.axdr.data import CompactArray, Data, DataType, TypeDescription
from dlms.axdr.layout import FIXED, OCTETS, T
from dlms.errors import CodecError
from dlms.octets import encode_length

_PACK = {int(t): struct.Struct(">B" + s.format[1:]).pack for t, s in FIXED.items()}
# The members that most values are of: to look one up in its class takes longer than to pack it.
_ARRAY, _STRUCTURE, _OCTET_STRING = T.ARRAY, T.STRUCTURE, T.OCTET_STRING


def encode(data: Data) -> bytes:
    """Encode one ``Data``. :class:`CodecError` if the value does not fit its type."""
    out = bytearray()
    write_data(out, data)
    return bytes(out)


def write_data(out: bytearray, data: Data) -> None:
    """Append the encoding of ``data`` to ``out``."""
    kind, value = data
    pack = _PACK.get(kind)
    if pack is not None:
        try:
            out += pack(kind, value)
        except (struct.error, OverflowError, TypeError):
            raise CodecError(f"{value!r} does not fit", field=DataType(kind).label) from None
        return
    if kind == 0 or kind == 255:
        out.append(kind)
        return
    if kind is _STRUCTURE or kind is _ARRAY:
        if not isinstance(value, tuple):
            raise CodecError(f"{type(value).__name__} is no sequence", field=kind.label)
        out.append(kind)
        out += encode_length(len(value))
        for element in value:
            write_data(out, element)
        return
    out.append(kind)
    if kind is T.COMPACT_ARRAY:
        _write_compact_array(out, value)
        return
    out += _string_octets(kind, value)


def _string_octets(kind: DataType, value: object) -> bytes:
    """Encode the value of a type that is not of fixed numeric size, without its tag."""
    if kind is _OCTET_STRING and isinstance(value, bytes):
        return encode_length(len(value)) + value
    if kind is T.BOOLEAN and isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    if kind is T.BIT_STRING and isinstance(value, str):
        return _bit_string_octets(value)
    if kind is T.VISIBLE_STRING and isinstance(value, str):
        try:
            octets = value.encode("latin-1")
        except UnicodeEncodeError as error:
            raise CodecError(str(error.reason), field=kind.label) from None
        return encode_length(len(octets)) + octets
    if kind is T.UTF8_STRING and isinstance(value, str):
        try:
            octets = value.encode("utf-8")
        except UnicodeEncodeError as error:  # a lone surrogate
            raise CodecError(str(error.reason), field=kind.label) from None
        return encode_length(len(octets)) + octets
    size = OCTETS.get(kind)
    if size is not None and isinstance(value, bytes) and len(value) == size:
        return value
    raise CodecError(f"{value!r} does not fit", field=kind.label)


def _bit_string_octets(bits: str) -> bytes:
    if bits.strip("01"):
        raise CodecError(f"{bits!r} is not made of 0 and 1", field="bit-string")
    octets = (len(bits) + 7) // 8
    value = int(bits.ljust(octets * 8, "0"), 2) if bits else 0
    return encode_length(len(bits)) + value.to_bytes(octets, "big")


def _write_description(out: bytearray, description: TypeDescription) -> None:
    out.append(description.type)
    if description.type is T.ARRAY:
        out += description.size.to_bytes(2, "big")
        _write_description(out, description.fields[0])
    elif description.type is T.STRUCTURE:
        out += encode_length(len(description.fields))
        for field in description.fields:
            _write_description(out, field)


def _write_untagged(out: bytearray, description: TypeDescription, data: Data) -> None:
    kind, value = data
    if kind is not description.type:
        raise CodecError(
            f"element is {kind.label}, described as {description.type.label}",
            field="compact-array",
        )
    if kind is T.ARRAY or kind is T.STRUCTURE:
        if not isinstance(value, tuple):
            raise CodecError(f"{type(value).__name__} is no sequence", field=kind.label)
        fields = description.fields * description.size if kind is T.ARRAY else description.fields
        if len(value) != len(fields):
            raise CodecError(
                f"{len(value)} elements, {len(fields)} described", field="compact-array"
            )
        for field, element in zip(fields, value, strict=True):
            _write_untagged(out, field, element)
        return
    if kind in FIXED:
        out += encode(data)[1:]
    elif kind is not T.NULL_DATA and kind is not T.DONT_CARE:
        out += _string_octets(kind, value)


def _write_compact_array(out: bytearray, value: object) -> None:
    if not isinstance(value, CompactArray):
        raise CodecError(f"{type(value).__name__} is no CompactArray", field="compact-array")
    _write_description(out, value.description)
    contents = bytearray()
    for element in value.elements:
        _write_untagged(contents, value.description, element)
    out += encode_length(len(contents))
    out += contents
