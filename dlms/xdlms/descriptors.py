"""What a GET, SET or ACTION is about, and its invoke id (GB Ed. 8, 9.5)."""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr import Data, read_data, write_data
from dlms.errors import CodecError
from dlms.octets import Reader


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


def read_descriptor(reader: Reader) -> tuple[int, bytes, int]:
    """Read the nine octets that both kinds of descriptor share."""
    octets = reader.take(9, "descriptor")
    # Attribute and method ids are Integer8 by the book; negative ones name nothing.
    return int.from_bytes(octets[:2], "big"), octets[2:8], octets[8]


def encode_descriptor(descriptor: AttributeDescriptor | MethodDescriptor) -> bytes:
    class_id, instance, index = descriptor
    return class_id.to_bytes(2, "big") + instance + bytes((index,))


def read_selection(reader: Reader) -> SelectiveAccess | None:
    """Read the optional selective access descriptor."""
    if not reader.flag("access-selection"):
        return None
    selector = reader.u8("access-selector")
    return SelectiveAccess(selector, read_data(reader))


def write_selection(out: bytearray, selection: SelectiveAccess | None) -> None:
    if selection is None:
        out.append(0)
        return
    out += bytes((1, selection.selector))
    write_data(out, selection.parameters)


CONFIRMED = 0x40
HIGH_PRIORITY = 0x80
INVOKE_ID = 0x0F


def expect_choice(reader: Reader, choice: int, what: str) -> None:
    """Refuse any form of a service but ``choice``."""
    found = reader.u8(what)
    if found != choice:
        raise CodecError(f"choice {found} is not supported", offset=reader.position - 1, field=what)
