"""A-XDR decoding of COSEM ``Data`` (IEC 61334-6; Green Book Ed. 8, 9.5).

Scalars of fixed size are decoded by precompiled ``struct`` formats from one table; strings,
bit-strings and the nested types each have a function. Nesting and the number of elements are
bounded: an announced element count never makes the decoder allocate ahead of the octets that
carry it.
"""

from __future__ import annotations

from collections.abc import Callable

from dlms.axdr.data import NULL, CompactArray, Data, DataType, TypeDescription
from dlms.axdr.layout import (
    FIXED,
    MAX_DEPTH,
    MAX_ELEMENTS,
    OCTETS,
    VALUES_PER_OCTET,
    WORTHWHILE,
    T,
)
from dlms.axdr.run_decoding import read_run
from dlms.errors import CodecError
from dlms.octets import Reader

_PATIENCE = 2
"""Elements of an array after which a run may fail to follow before no more are looked for. One is
the first row of a profile's buffer: in the others null-data stands for a clock that goes on."""

_TYPES: dict[int, DataType] = {int(t): t for t in DataType}

# Per tag: the type, the unpacker, and how many octets it eats.
_UNPACK = {int(t): (_TYPES[t], s.unpack_from, s.size) for t, s in FIXED.items()}
_ARRAY = T.ARRAY  # to look a member up in its class takes long
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper per value


def decode(octets: bytes) -> Data:
    """Decode one ``Data`` that fills ``octets``. :class:`CodecError` if it does not."""
    reader = Reader(octets)
    data = read_data(reader)
    reader.finish("data")
    return data


def read_data(reader: Reader, depth: int = 0) -> Data:
    """Read one tagged ``Data`` from ``reader``."""
    position = reader.position
    if position >= reader.end:
        raise CodecError("1 octet needed, none left", offset=position, field="data")
    tag = reader.data[position]
    fixed = _UNPACK.get(tag)
    if fixed is not None:
        kind, unpack, size = fixed
        stop = position + 1 + size
        if stop > reader.end:
            raise CodecError(
                f"{size} octets needed, {reader.end - position - 1} left",
                offset=position + 1,
                field=kind.label,
            )
        reader.position = stop
        return _new(Data, (kind, unpack(reader.data, position + 1)[0]))
    reader.position = position + 1
    if tag == 0:
        return NULL
    try:
        read = _READERS[tag]
    except KeyError:
        raise CodecError(f"unknown data type {tag}", offset=position, field="data") from None
    return read(reader, depth)


def _read_sequence(reader: Reader, kind: DataType, depth: int) -> Data:
    if depth >= MAX_DEPTH:
        raise CodecError(
            f"nested deeper than {MAX_DEPTH}", offset=reader.position, field=kind.label
        )
    count = reader.length(kind.label)
    # Every element costs at least its tag, so a count beyond what is left is a lie.
    if count > reader.remaining:
        raise CodecError(
            f"{count} elements announced, {reader.remaining} octets left",
            offset=reader.position,
            field=kind.label,
        )
    depth += 1
    if kind is _ARRAY and count > WORTHWHILE:
        return _new(Data, (kind, tuple(_read_elements(reader, count, depth))))
    return _new(Data, (kind, tuple([read_data(reader, depth) for _ in range(count)])))


def _read_elements(reader: Reader, count: int, depth: int) -> list[Data]:
    """Read the elements of an array, which are mostly of one shape."""
    elements: list[Data] = []
    patience = _PATIENCE
    while patience and len(elements) < count:
        start = reader.position
        elements.append(read_data(reader, depth))
        run = read_run(reader, start, count - len(elements))
        elements += run
        if len(run) < WORTHWHILE:
            patience -= 1
    elements += [read_data(reader, depth) for _ in range(count - len(elements))]
    return elements


def _read_boolean(reader: Reader, depth: int) -> Data:
    # A-XDR: 00 is FALSE, any other octet is TRUE. Only 00 and one form of TRUE can be re-encoded
    # to the same octets, so the two forms met in practice are taken and the rest refused.
    value = reader.u8("boolean")
    if value not in (0, 1, 0xFF):
        raise CodecError(
            f"boolean must be 00, 01 or FF, not {value:02X}",
            offset=reader.position - 1,
            field="boolean",
        )
    return Data(T.BOOLEAN, value != 0)


def _read_bit_string(reader: Reader, depth: int) -> Data:
    length = reader.length("bit-string")
    octets = reader.take((length + 7) // 8, "bit-string")
    bits = bin(int.from_bytes(b"\x01" + octets, "big"))[3:]
    return Data(T.BIT_STRING, bits[:length])


def _read_octet_string(reader: Reader, depth: int) -> Data:
    return _new(Data, (T.OCTET_STRING, reader.octet_string("octet-string")))


def _read_visible_string(reader: Reader, depth: int) -> Data:
    # ISO/IEC 646 by the book; meters send Latin-1, which loses nothing.
    return Data(T.VISIBLE_STRING, reader.octet_string("visible-string").decode("latin-1"))


def _read_utf8_string(reader: Reader, depth: int) -> Data:
    start = reader.position
    try:
        return Data(T.UTF8_STRING, reader.octet_string("utf8-string").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CodecError(str(error.reason), offset=start, field="utf8-string") from None


def _read_octets(kind: DataType) -> Callable[[Reader, int], Data]:
    size = OCTETS[kind]

    def read(reader: Reader, depth: int) -> Data:
        return Data(kind, reader.take(size, kind.label))

    return read


def _read_description(reader: Reader, depth: int) -> TypeDescription:
    if depth >= MAX_DEPTH:
        raise CodecError(
            f"nested deeper than {MAX_DEPTH}", offset=reader.position, field="type-description"
        )
    tag = reader.u8("type-description")
    kind = _TYPES.get(tag)
    if kind is T.ARRAY:
        count = reader.u16("type-description array")
        return TypeDescription(kind, count, (_read_description(reader, depth + 1),))
    if kind is T.STRUCTURE:
        count = reader.length("type-description structure")
        if count > reader.remaining:
            raise CodecError(
                f"{count} fields announced, {reader.remaining} octets left",
                offset=reader.position,
                field="type-description",
            )
        return TypeDescription(
            kind, count, tuple([_read_description(reader, depth + 1) for _ in range(count)])
        )
    if kind is None or kind is T.COMPACT_ARRAY:
        raise CodecError(
            f"type {tag} cannot be described", offset=reader.position - 1, field="type-description"
        )
    return TypeDescription(kind)


def _read_untagged(reader: Reader, description: TypeDescription, budget: list[int]) -> Data:
    """Read a compact-array element: its value without the tags."""
    # Nulls and empty arrays cost no octets, so elements are counted against a budget instead.
    budget[0] -= 1
    if budget[0] < 0:
        raise CodecError(
            "more values than its octets allow", offset=reader.position, field="compact-array"
        )
    kind = description.type
    if kind is T.ARRAY:
        inner = description.fields[0]
        return Data(
            kind,
            tuple([_read_untagged(reader, inner, budget) for _ in range(description.size)]),
        )
    if kind is T.STRUCTURE:
        return Data(
            kind, tuple([_read_untagged(reader, field, budget) for field in description.fields])
        )
    if kind is T.NULL_DATA or kind is T.DONT_CARE:
        return Data(kind, None)
    fixed = FIXED.get(kind)
    if fixed is not None:
        return Data(kind, fixed.unpack(reader.take(fixed.size, kind.label))[0])
    return _READERS[kind](reader, 0)


def _read_compact_array(reader: Reader, depth: int) -> Data:
    description = _read_description(reader, depth)
    stop = reader.length("compact-array contents") + reader.position
    if stop > reader.end:
        raise CodecError(
            f"contents of {stop - reader.position} octets announced, {reader.remaining} left",
            offset=reader.position,
            field="compact-array",
        )
    contents = Reader(reader.data, reader.position, stop)
    budget = [min(MAX_ELEMENTS, VALUES_PER_OCTET * contents.remaining)]
    elements = []
    while contents.position < stop:
        start = contents.position
        elements.append(_read_untagged(contents, description, budget))
        if contents.position == start:
            raise CodecError("element of no octets", offset=start, field="compact-array")
    reader.position = stop
    return Data(T.COMPACT_ARRAY, CompactArray(description, tuple(elements)))


_READERS: dict[int, Callable[[Reader, int], Data]] = {
    T.ARRAY: lambda reader, depth: _read_sequence(reader, T.ARRAY, depth),
    T.STRUCTURE: lambda reader, depth: _read_sequence(reader, T.STRUCTURE, depth),
    T.BOOLEAN: _read_boolean,
    T.BIT_STRING: _read_bit_string,
    T.OCTET_STRING: _read_octet_string,
    T.VISIBLE_STRING: _read_visible_string,
    T.UTF8_STRING: _read_utf8_string,
    T.COMPACT_ARRAY: _read_compact_array,
    T.DATE_TIME: _read_octets(T.DATE_TIME),
    T.DATE: _read_octets(T.DATE),
    T.TIME: _read_octets(T.TIME),
    T.DONT_CARE: lambda reader, depth: Data(T.DONT_CARE, None),
}
