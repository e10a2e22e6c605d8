"""The nine octets of a descriptor: of which of the two kinds it is, and that all are there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.xdlms.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    encode_descriptor,
    read_attribute,
    read_method,
)

OCTETS = bytes.fromhex("0102 0100010800FF FE")
READERS: list[tuple[Callable[[Reader], AttributeDescriptor | MethodDescriptor], type]] = [
    (read_attribute, AttributeDescriptor),
    (read_method, MethodDescriptor),
]


@pytest.mark.parametrize(("read", "kind"), READERS)
def test_a_descriptor_is_of_its_kind(
    read: Callable[[Reader], AttributeDescriptor | MethodDescriptor], kind: type
) -> None:
    reader = Reader(b"\xaa" + OCTETS + b"\xbb", 1)
    descriptor = read(reader)
    assert type(descriptor) is kind  # as tuples, the two are equal
    assert descriptor == (0x0102, bytes.fromhex("0100010800FF"), 0xFE)
    assert encode_descriptor(descriptor) == OCTETS
    assert reader.remaining == 1
    for end in range(1, 10):
        with pytest.raises(CodecError) as caught:
            read(Reader(OCTETS, 1, end))
        assert (caught.value.offset, caught.value.field) == (1, "descriptor")
