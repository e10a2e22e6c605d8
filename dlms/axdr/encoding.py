"""A-XDR encoding of COSEM ``Data`` (IEC 61334-6; Green Book Ed. 8, 9.5)."""

from __future__ import annotations

import struct

from dlms.axdr.data import CompactArray, Data, DataType, TypeDescription
from dlms.axdr.layout import BATCH, FIXED, MAX_DEPTH, OCTETS, WORTHWHILE, T
from dlms.axdr.run_encoding import write_run
from dlms.errors import CodecError
from dlms.octets import encode_length

_PACK = {int(t): struct.Struct(">B" + s.format[1:]).pack for t, s in FIXED.items()}
# The members that most values are of: to look one up in its class takes longer than to pack it.
_ARRAY, _STRUCTURE, _OCTET_STRING = T.ARRAY, T.STRUCTURE, T.OCTET_STRING
_COMPACT_ARRAY, _NULL_DATA, _DONT_CARE = T.COMPACT_ARRAY, T.NULL_DATA, T.DONT_CARE
_BYTES = (bytes, bytearray)


def encode(data: Data) -> bytes:
    """Encode one ``Data``. :class:`CodecError` if the value does not fit its type, or is nested
    deeper than :data:`MAX_DEPTH`.
    """
    out = bytearray()
    write_data(out, data)
    return bytes(out)


def write_data(out: bytearray, data: Data, depth: int = 0) -> None:
    """Append the encoding of ``data`` to ``out``. After an error ``out`` may hold some of it."""
    kind, value = data
    pack = _PACK.get(kind)
    if pack is not None:
        try:
            out += pack(kind, value)
        except (struct.error, OverflowError, TypeError):
            raise CodecError(f"{value!r} does not fit", field=DataType(kind).label) from None
        return
    out.append(kind)
    if kind is _STRUCTURE or kind is _ARRAY:
        if type(value) is not tuple:  # Data and CompactArray are tuples as well
            raise CodecError(f"{type(value).__name__} is no sequence", field=kind.label)
        if depth >= MAX_DEPTH:
            raise CodecError(f"nested deeper than {MAX_DEPTH}", field=kind.label)
        out += encode_length(len(value))
        if kind is _ARRAY and len(value) > WORTHWHILE and depth + 1 < MAX_DEPTH:
            for start in range(0, len(value), BATCH):
                _write_batch(out, value[start : start + BATCH], depth + 1)
            return
        for element in value:
            write_data(out, element, depth + 1)
    elif kind is _COMPACT_ARRAY:
        _write_compact_array(out, value, depth)
    elif kind is not _NULL_DATA and kind is not _DONT_CARE:
        out += _string_octets(kind, value)


def _write_batch(out: bytearray, elements: tuple[Data, ...], depth: int) -> None:
    if write_run(out, elements):
        return
    # The first row of a profile's buffer may be the only one of its shape: in the others null-data
    # stands for a clock that goes on.
    rest = elements
    if len(elements) > 1 and _kinds(elements[0]) != _kinds(elements[1]):
        write_data(out, elements[0], depth)
        rest = elements[1:]
        if write_run(out, rest):
            return
    for element in rest:
        write_data(out, element, depth)


def _kinds(data: Data) -> list[DataType]:
    kind, value = data
    if kind is _STRUCTURE and type(value) is tuple:
        return [cell.type for cell in value]
    return [kind]


def _string_octets(kind: DataType, value: object) -> bytes:
    """Encode the value of a type that is not of fixed numeric size, without its tag."""
    if kind is _OCTET_STRING and isinstance(value, _BYTES):
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
    if size is not None and isinstance(value, _BYTES) and len(value) == size:
        return bytes(value)
    raise CodecError(f"{value!r} does not fit", field=kind.label)


def _bit_string_octets(bits: str) -> bytes:
    if bits.strip("01"):
        raise CodecError(f"{bits!r} is not made of 0 and 1", field="bit-string")
    octets = (len(bits) + 7) // 8
    value = int(bits.ljust(octets * 8, "0"), 2) if bits else 0
    return encode_length(len(bits)) + value.to_bytes(octets, "big")


def _write_description(out: bytearray, description: TypeDescription, depth: int) -> None:
    kind, size, fields = description
    if depth >= MAX_DEPTH:
        raise CodecError(f"nested deeper than {MAX_DEPTH}", field="type-description")
    out.append(kind)
    if kind is _ARRAY:
        if len(fields) != 1 or not 0 <= size <= 0xFFFF:
            raise CodecError(
                f"array of {size} elements of {len(fields)} types", field="type-description"
            )
        out += size.to_bytes(2, "big")
    elif kind is _STRUCTURE:
        out += encode_length(len(fields))
    elif fields or kind is T.COMPACT_ARRAY:
        raise CodecError(f"{kind.label} cannot be described", field="type-description")
    for field in fields:
        _write_description(out, field, depth + 1)


def _write_untagged(out: bytearray, description: TypeDescription, data: Data) -> None:
    kind, value = data
    if kind is not description.type:
        raise CodecError(
            f"element is {kind.label}, described as {description.type.label}",
            field="compact-array",
        )
    if kind is T.ARRAY or kind is T.STRUCTURE:
        if type(value) is not tuple:
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


def _write_compact_array(out: bytearray, value: object, depth: int) -> None:
    if not isinstance(value, CompactArray):
        raise CodecError(f"{type(value).__name__} is no CompactArray", field="compact-array")
    _write_description(out, value.description, depth)
    contents = bytearray()
    for element in value.elements:
        _write_untagged(contents, value.description, element)
    # Their number is not written: elements of no octets would be lost.
    if value.elements and not contents:
        raise CodecError("element of no octets", field="compact-array")
    out += encode_length(len(contents))
    out += contents
