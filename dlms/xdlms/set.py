"""The SET service, normal form (GB Ed. 8, 9.3.7 and 9.5)."""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr import Data, read_data, write_data
from dlms.octets import Reader
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import (
    AttributeDescriptor,
    SelectiveAccess,
    encode_descriptor,
    expect_choice,
    read_descriptor,
    read_selection,
    write_selection,
)
from dlms.xdlms.get import read_access_result

REQUEST_TAG = 0xC1
RESPONSE_TAG = 0xC5
_NORMAL = 1


class SetRequest(NamedTuple):
    """Write one attribute."""

    invoke: int
    attribute: AttributeDescriptor
    value: Data
    selection: SelectiveAccess | None = None

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _NORMAL, self.invoke))
        out += encode_descriptor(self.attribute)
        write_selection(out, self.selection)
        write_data(out, self.value)
        return bytes(out)


class SetResponse(NamedTuple):
    invoke: int
    result: DataAccessResult

    def encode(self) -> bytes:
        return bytes((RESPONSE_TAG, _NORMAL, self.invoke, self.result))


def decode_request(octets: bytes) -> SetRequest:
    reader = Reader(octets, 1)
    expect_choice(reader, _NORMAL, "set-request")
    invoke = reader.u8("invoke-id-and-priority")
    attribute = AttributeDescriptor(*read_descriptor(reader))
    selection = read_selection(reader)
    request = SetRequest(invoke, attribute, read_data(reader), selection)
    reader.finish("set-request")
    return request


def decode_response(octets: bytes) -> SetResponse:
    reader = Reader(octets, 1)
    expect_choice(reader, _NORMAL, "set-response")
    response = SetResponse(reader.u8("invoke-id-and-priority"), read_access_result(reader))
    reader.finish("set-response")
    return response
