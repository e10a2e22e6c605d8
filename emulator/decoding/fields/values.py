"""Fields of a Data: one for each value, with the name and the meaning that its class gives it."""

from __future__ import annotations

from dlms.axdr import CosemDateTime, Data, DataType, read_data
from dlms.axdr.data import CompactArray
from dlms.axdr.layout import MAX_DEPTH
from dlms.cosem import catalogue, classes, obis
from dlms.cosem.shape import ANY, ArrayOf, Choice, Meaning, Shape, Simple, StructureOf, types_of
from dlms.cosem.typed import Named, typed
from dlms.errors import CodecError
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.decoding.fields.cutting import Cutter, Subject
from emulator.decoding.fields.saying import clipped

_SEQUENCES = (DataType.ARRAY, DataType.STRUCTURE)


def shape_of(subject: Subject | None, *, returned: bool = False) -> Shape:
    """The shape that a class gives an attribute, the parameter of a method or what it returns."""
    found = None if subject is None else classes.BY_ID.get(subject.class_id)
    if found is None or subject is None:
        return ANY
    if isinstance(subject, AttributeDescriptor):
        attribute = found.attribute(subject.attribute)
        return ANY if attribute is None else attribute.shape
    method = found.method(subject.method)
    if method is None:
        return ANY
    return (method.returns or ANY) if returned else method.parameter


def data(cutter: Cutter, name: str, shape: Shape = ANY, *, secret: bool = False) -> None:
    """A Data; each element of an array or structure is inside it."""
    if secret:
        start, before = cutter.position, cutter.hides
        cutter.hides = True  # also if it breaks off
        read_data(cutter.reader)
        cutter.hides = before
        cutter.add(start, name, "", secret=True)
        return
    _value(cutter, name, shape, 0)


def _value(cutter: Cutter, name: str, shape: Shape, depth: int) -> None:
    kind = cutter.reader.peek(name)
    if kind not in _SEQUENCES or depth > MAX_DEPTH:
        start = cutter.position
        found = read_data(cutter.reader)
        cutter.add(start, name, clipped(_written(found, shape)))
        return
    shape = _chosen(shape, DataType(kind))
    cutter.take(1, name, lambda one: DataType(one[0]).label)
    count = cutter.length(f"elements of {name}")
    with cutter.deeper():
        for number in range(min(count, cutter.most)):
            inner, label = _inside(shape, number)
            _value(cutter, f"{name}[{number}]{label}", inner, depth + 1)
        if count > cutter.most:
            start = cutter.position
            for _ in range(count - cutter.most):
                read_data(cutter.reader)
            cutter.add(start, f"{name}[{cutter.most}] and on", f"{count - cutter.most} elements")


def _chosen(shape: Shape, kind: DataType) -> Shape:
    if not isinstance(shape, Choice):
        return shape
    return next((one for one in shape.shapes if kind in types_of(one)), ANY)


def _inside(shape: Shape, number: int) -> tuple[Shape, str]:
    """The shape of an element, and its name."""
    if isinstance(shape, ArrayOf):
        return shape.element, ""
    if isinstance(shape, StructureOf) and number < len(shape.fields):
        field = shape.fields[number]
        return field.shape, f" {field.name}"
    return ANY, ""


def _written(value: Data, shape: Shape) -> str:
    """Type and value, octets in hexadecimal; and what they mean."""
    content = value.value
    if isinstance(content, CompactArray):
        return f"{value.type.label} of {content.description.type.label}, {len(content.elements)}"
    said = content.hex() if isinstance(content, bytes) else repr(content)
    meant = _meant(value, _chosen(shape, value.type))
    return f"{value.type.label} {said}" + (f" ({meant})" if meant else "")


def _meant(value: Data, shape: Shape) -> str:
    content = value.value
    found = typed(shape, value) if isinstance(shape, Simple) else None
    if isinstance(found, Named):
        return found.label
    if isinstance(shape, Simple) and shape.meaning is Meaning.LOGICAL_NAME:
        return _code(content)
    if isinstance(found, CosemDateTime):
        return str(found)
    if shape is ANY and isinstance(content, bytes) and value.type is DataType.OCTET_STRING:
        return _guessed(content)
    return ""


def _code(content: object) -> str:
    if not isinstance(content, bytes) or len(content) != 6:
        return ""
    return f"{obis.text(content)}, {catalogue.describe(content)}"


def _guessed(content: bytes) -> str:
    """What octets say by themselves, where no class says what they are."""
    if len(content) == 12 and content[0] in (0x07, 0x08) and content[2] in range(1, 13):
        try:
            return str(CosemDateTime.from_octets(content))
        except CodecError:
            return ""
    if len(content) == 6 and content[5] == 0xFF and catalogue.name(content):
        return _code(content)
    if len(content) > 3 and all(0x20 <= octet < 0x7F for octet in content):
        return repr(content.decode("ascii"))
    return ""
