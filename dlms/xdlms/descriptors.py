"""What a GET, SET or ACTION is about, and its invoke id (GB Ed. 8, 9.5)."""

from __future__ import annotations

import struct
from typing import NamedTuple, TypeAlias

from dlms.axdr import Data, encode, read_data, write_data
from dlms.errors import CodecError
from dlms.octets import Reader, encode_length
from dlms.xdlms.conformance import Conformance

_DESCRIPTOR = struct.Struct(">H6sB")
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


class AttributeDescriptor(NamedTuple):
    """Cosem-Attribute-Descriptor: one attribute of one object; ``instance`` is 6 octets."""

    class_id: int
    instance: bytes
    attribute: int


class MethodDescriptor(NamedTuple):
    """Cosem-Method-Descriptor: one method of one object; ``instance`` is 6 octets."""

    class_id: int
    instance: bytes
    method: int


class SelectiveAccess(NamedTuple):
    """Selective-Access-Descriptor: which part of an attribute."""

    selector: int
    parameters: Data


Item: TypeAlias = tuple[AttributeDescriptor, SelectiveAccess | None]
"""Cosem-Attribute-Descriptor-With-Selection: one line of a list."""

MAX_ITEMS = 255
"""Most items of a list. The books set no bound; 255 is beyond what clients ask for at once, and
each item may cost its server a whole attribute."""


def read_attribute(reader: Reader) -> AttributeDescriptor:
    """Read the nine octets of a Cosem-Attribute-Descriptor."""
    # Attribute and method ids are Integer8 by the book; negative ones name nothing.
    return _new(AttributeDescriptor, _DESCRIPTOR.unpack(reader.take(9, "descriptor")))


def read_method(reader: Reader) -> MethodDescriptor:
    """Read the nine octets of a Cosem-Method-Descriptor."""
    return _new(MethodDescriptor, _DESCRIPTOR.unpack(reader.take(9, "descriptor")))


def encode_descriptor(descriptor: AttributeDescriptor | MethodDescriptor) -> bytes:
    class_id, instance, index = descriptor
    return class_id.to_bytes(2, "big") + instance + bytes((index,))


def read_selection(reader: Reader) -> SelectiveAccess | None:
    """Read the optional selective access descriptor."""
    if not reader.flag("access-selection"):
        return None
    selector = reader.u8("access-selector")
    return SelectiveAccess(selector, read_data(reader))


def encode_selection(selection: SelectiveAccess | None) -> bytes:
    if selection is None:
        return b"\x00"
    return bytes((1, selection.selector)) + encode(selection.parameters)


def read_count(reader: Reader, field: str) -> int:
    """Read how many elements a SEQUENCE OF has: at most :data:`MAX_ITEMS`."""
    start = reader.position
    count = reader.length(field)
    if count > MAX_ITEMS:
        raise CodecError(f"{count} items, {MAX_ITEMS} allowed", offset=start, field=field)
    return count


def encode_count(count: int, field: str) -> bytes:
    if count > MAX_ITEMS:
        raise CodecError(f"{count} items, {MAX_ITEMS} allowed", field=field)
    return encode_length(count)


def read_items(reader: Reader) -> tuple[Item, ...]:
    """Read an attribute-descriptor-list."""
    count = read_count(reader, "attribute-descriptor-list")
    return tuple([(read_attribute(reader), read_selection(reader)) for _ in range(count)])


def write_items(out: bytearray, items: tuple[Item, ...]) -> None:
    out += encode_count(len(items), "attribute-descriptor-list")
    for attribute, selection in items:
        out += encode_descriptor(attribute)
        out += encode_selection(selection)


def read_methods(reader: Reader) -> tuple[MethodDescriptor, ...]:
    """Read a cosem-method-descriptor-list."""
    count = read_count(reader, "cosem-method-descriptor-list")
    return tuple([read_method(reader) for _ in range(count)])


def write_methods(out: bytearray, methods: tuple[MethodDescriptor, ...]) -> None:
    out += encode_count(len(methods), "cosem-method-descriptor-list")
    for method in methods:
        out += encode_descriptor(method)


def read_values(reader: Reader, field: str) -> tuple[Data, ...]:
    """Read a SEQUENCE OF Data: the values or parameters of a list."""
    return tuple([read_data(reader) for _ in range(read_count(reader, field))])


def write_values(out: bytearray, values: tuple[Data, ...], field: str) -> None:
    out += encode_count(len(values), field)
    for value in values:
        write_data(out, value)


def one_each(values: int, items: int, field: str, offset: int | None = None) -> None:
    """:class:`CodecError` unless there is one value for each item."""
    if values != items:
        raise CodecError(f"{values} values for {items} items", offset=offset, field=field)


def selection_needs(
    items: tuple[Item, ...], needs: Conformance, attribute_0: Conformance
) -> Conformance:
    """``needs``, and the bits for what ``items`` use: selective access, attribute 0 (GB 9.4.6.1).

    ``attribute_0`` is the service's own bit for it.
    """
    for attribute, selection in items:
        if selection is not None:
            needs |= Conformance.SELECTIVE_ACCESS
        if attribute.attribute == 0:
            needs |= attribute_0
    return needs


CONFIRMED = 0x40
HIGH_PRIORITY = 0x80
INVOKE_ID = 0x0F


def unknown_choice(choice: int, what: str, offset: int = 1) -> CodecError:
    """The error for a form that the books do not define, with its place in the APDU."""
    return CodecError(f"choice {choice} is unknown", offset=offset, field=what)
