"""Elements of a dump as values: what an attribute is made of, and how its text is read.

A :class:`Reader` gives the value of one attribute from the element of its object, in the shape that
the class has for it; ``None`` if the dump does not say, ``ValueError`` if it cannot be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from dlms.axdr.data import NULL, Data, DataType
from dlms.axdr.encoding import encode
from dlms.cosem import obis
from dlms.cosem.shape import ANY, ArrayOf, Choice, Meaning, Shape, Simple, StructureOf
from dlms.errors import CodecError
from emulator.importing.moments import octets as moment_octets
from emulator.importing.tree import Node

Reader: TypeAlias = Callable[[Node, Shape], Data | None]

_NUMBERS = {
    DataType.INTEGER, DataType.LONG, DataType.DOUBLE_LONG, DataType.LONG64, DataType.UNSIGNED,
    DataType.LONG_UNSIGNED, DataType.DOUBLE_LONG_UNSIGNED, DataType.LONG64_UNSIGNED, DataType.ENUM,
    DataType.BCD, DataType.DELTA_INTEGER, DataType.DELTA_LONG, DataType.DELTA_DOUBLE_LONG,
    DataType.DELTA_UNSIGNED, DataType.DELTA_LONG_UNSIGNED, DataType.DELTA_DOUBLE_LONG_UNSIGNED,
}  # fmt: skip
_FLOATS = {DataType.FLOAT32, DataType.FLOAT64}
_TEXTS = {DataType.VISIBLE_STRING, DataType.UTF8_STRING}
_SEQUENCES = {DataType.ARRAY, DataType.STRUCTURE}
_TIMES = {DataType.DATE_TIME: 12, DataType.DATE: 5, DataType.TIME: 4}
_TRUTH = {"1": True, "0": False, "true": True, "false": False}


def text(tag: str) -> Reader:
    """The text of a child, read as the shape has it; octets are in hexadecimal."""

    def read(node: Node, shape: Shape) -> Data | None:
        said = node.said(tag)
        if said is None:
            # An empty element is an empty string, where that is what it may be.
            empty = node.child(tag) is not None and _may_be_empty(shape)
            return _simple("", shape) if empty else None
        return _simple(said, shape)

    return read


def characters(tag: str) -> Reader:
    """An octet-string that a dump has as characters."""

    def read(node: Node, shape: Shape) -> Data | None:
        found = node.child(tag)
        if found is None:
            return None
        return Data(DataType.OCTET_STRING, found.text.strip().encode("latin-1"))

    return read


def typed(tag: str) -> Reader:
    """A child that says its type itself."""

    def read(node: Node, shape: Shape) -> Data | None:
        found = node.child(tag)
        return None if found is None or "Type" not in found.attributes else _typed(found)

    return read


def fields(*readers: Reader) -> Reader:
    """A structure of what each reader gives; of none of them, nothing."""

    def read(node: Node, shape: Shape) -> Data | None:
        shape = _of_kind(shape, StructureOf)
        assert isinstance(shape, StructureOf)
        if len(shape.fields) != len(readers):
            raise ValueError(f"this version has {len(shape.fields)} fields, not {len(readers)}")
        pairs = zip(readers, shape.fields, strict=True)
        found = [reader(node, field.shape) for reader, field in pairs]
        if all(one is None for one in found):
            return None
        missing = [
            field.name for field, one in zip(shape.fields, found, strict=True) if one is None
        ]
        if missing:
            raise ValueError(f"{', '.join(missing)} not said")
        return Data(DataType.STRUCTURE, tuple(one for one in found if one is not None))

    return read


def within(tag: str, reader: Reader) -> Reader:
    """What ``reader`` finds in a child."""

    def read(node: Node, shape: Shape) -> Data | None:
        found = node.child(tag)
        return None if found is None else reader(found, shape)

    return read


def items(container: str, tag: str, reader: Reader) -> Reader:
    """An array: ``reader`` for each element ``tag`` in ``container``. A dump leaves an empty one
    out.
    """

    def read(node: Node, shape: Shape) -> Data | None:
        shape = _of_kind(shape, ArrayOf)
        assert isinstance(shape, ArrayOf)
        found = node.child(container)
        if found is None:
            return Data(DataType.ARRAY, ())
        elements = [reader(one, shape.element) for one in found.all(tag)]
        if None in elements:
            raise ValueError("an element says nothing")
        return Data(DataType.ARRAY, tuple(one for one in elements if one is not None))

    return read


def itself(node: Node, shape: Shape) -> Data | None:
    """The text of the element itself."""
    return _typed(node) if "Type" in node.attributes else _simple(node.text.strip(), shape)


def constant(value: Data) -> Reader:
    return lambda node, shape: value


def factor(tag: str) -> Reader:
    """A scaler, which a dump has as the factor that it stands for: 0.1 is -1."""

    def read(node: Node, shape: Shape) -> Data | None:
        said = node.said(tag)
        return None if said is None else Data(DataType.INTEGER, exponent(said))

    return read


def exponent(said: str) -> int:
    value = _float(said)
    if value <= 0 or not math.isfinite(value):
        raise ValueError(f"{said!r} is no factor of a scaler")
    found = round(math.log10(value))
    if not math.isclose(value, 10.0**found, rel_tol=1e-6):
        raise ValueError(f"{said!r} is no power of ten")
    return found


def scaled(tag: str) -> Reader:
    """The value of a register, which a dump has multiplied by its factor."""

    def read(node: Node, shape: Shape) -> Data | None:
        found = node.child(tag)
        if found is None or "Type" not in found.attributes:
            return None
        factor_said = node.said("Scaler")
        if "UIType" not in found.attributes or factor_said is None:
            return _typed(found)
        raw = _float(found.text) / 10.0 ** exponent(factor_said)
        return _number(str(round(raw)), DataType(int(found.attributes["Type"])))

    return read


def _of_kind(shape: Shape, kind: type) -> Shape:
    if isinstance(shape, Choice):
        shape = next((one for one in shape.shapes if isinstance(one, kind)), shape)
    if not isinstance(shape, kind):
        raise ValueError("this version of the class has it otherwise")
    return shape


def _may_be_empty(shape: Shape) -> bool:
    strings = (DataType.OCTET_STRING, DataType.BIT_STRING, *_TEXTS)
    return isinstance(shape, Simple) and shape.types[0] in strings and not shape.sizes


def _simple(said: str, shape: Shape) -> Data:
    if isinstance(shape, Choice):
        shape = next((one for one in shape.shapes if isinstance(one, Simple)), ANY)
    if not isinstance(shape, Simple):
        raise ValueError("this version of the class has it otherwise")
    if shape.meaning is Meaning.LOGICAL_NAME:
        return Data(DataType.OCTET_STRING, obis.parse(said))
    if shape.meaning is not Meaning.PLAIN:
        return Data(DataType.OCTET_STRING, moment_octets(said, shape.sizes[0]))
    kind = shape.types[0]
    if kind is DataType.BIT_STRING:
        return Data(kind, _bits(said, shape))
    if kind is DataType.OCTET_STRING:
        return Data(kind, bytes.fromhex(said))
    return _scalar(said, kind)


def _bits(said: str, shape: Simple) -> str:
    """A dump has bit-strings as numbers, whose lowest bit is the first."""
    number = _int(said or "0")
    count = shape.sizes[0] if shape.sizes else max((bit for bit, _ in shape.names), default=-1) + 1
    count = max(count, number.bit_length())
    return "".join(str(number >> bit & 1) for bit in range(count))


def _typed(node: Node) -> Data:
    """``<Value Type="6">5</Value>``, where the type is the tag of A-XDR."""
    try:
        kind = DataType(_int(node.attributes["Type"]))
    except ValueError:
        raise ValueError(f"line {node.line}: {node.attributes['Type']!r} is no type") from None
    if kind in _SEQUENCES:
        return Data(kind, tuple(_typed(one) for one in node.all("Item")))
    said = node.text.strip()
    if kind is DataType.NULL_DATA:
        return NULL
    if kind in _TIMES:
        # A profile writes times as octet-strings, which is what most meters send.
        return Data(DataType.OCTET_STRING, moment_octets(said, _TIMES[kind]))
    if kind is DataType.OCTET_STRING:
        return Data(kind, _octets(said, node.attributes.get("UIType")))
    if kind is DataType.BIT_STRING:
        if said.strip("01"):
            raise ValueError(f"{said!r} is no bit-string")
        return Data(kind, said)
    return _scalar(said, kind)


def _octets(said: str, shown_as: str | None) -> bytes:
    """Octets are in hexadecimal, unless they are shown as what they stand for."""
    shown = DataType.OCTET_STRING if shown_as is None else DataType(_int(shown_as))
    if shown in _TEXTS:
        return said.encode("latin-1")
    if shown in _TIMES:
        return moment_octets(said, _TIMES[shown])
    return bytes.fromhex(said)


def _scalar(said: str, kind: DataType) -> Data:
    if kind is DataType.BOOLEAN:
        if said.lower() not in _TRUTH:
            raise ValueError(f"{said!r} is neither 0 nor 1")
        return Data(kind, _TRUTH[said.lower()])
    if kind in _NUMBERS:
        return _number(said, kind)
    if kind in _FLOATS:
        return Data(kind, _float(said))
    if kind in _TEXTS:
        return Data(kind, said)
    raise ValueError(f"a {kind.label} cannot be imported")


def _number(said: str, kind: DataType) -> Data:
    data = Data(kind, _int(said))
    try:
        encode(data)
    except CodecError:
        raise ValueError(f"{said} does not fit {kind.label}") from None
    return data


def _int(said: str) -> int:
    try:
        return int(said)
    except ValueError:
        raise ValueError(f"{said[:40]!r} is no whole number") from None


def _float(said: str) -> float:
    try:
        return float(said)
    except ValueError:
        raise ValueError(f"{said[:40]!r} is no number") from None
