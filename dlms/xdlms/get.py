"""The GET service, normal form (GB Ed. 8, 9.3.6 and 9.5).

``invoke`` is the Invoke-Id-And-Priority octet: bits 0-3 the invoke id, bit 6 confirmed, bit 7 high
priority.
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr import Data, read_data, write_data
from dlms.errors import CodecError
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

REQUEST_TAG = 0xC0
RESPONSE_TAG = 0xC4
_NORMAL = 1


class GetRequest(NamedTuple):
    """Ask for the value of one attribute."""

    invoke: int
    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _NORMAL, self.invoke))
        out += encode_descriptor(self.attribute)
        write_selection(out, self.selection)
        return bytes(out)


class GetResponse(NamedTuple):
    """The value, or why there is none."""

    invoke: int
    result: Data | DataAccessResult

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG, _NORMAL, self.invoke))
        if isinstance(self.result, DataAccessResult):
            out += bytes((1, self.result))
        else:
            out.append(0)
            write_data(out, self.result)
        return bytes(out)


def decode_request(octets: bytes) -> GetRequest:
    reader = Reader(octets, 1)
    expect_choice(reader, _NORMAL, "get-request")
    request = GetRequest(
        reader.u8("invoke-id-and-priority"),
        AttributeDescriptor(*read_descriptor(reader)),
        read_selection(reader),
    )
    reader.finish("get-request")
    return request


def decode_response(octets: bytes) -> GetResponse:
    reader = Reader(octets, 1)
    expect_choice(reader, _NORMAL, "get-response")
    invoke = reader.u8("invoke-id-and-priority")
    response = GetResponse(invoke, read_get_result(reader))
    reader.finish("get-response")
    return response


def read_get_result(reader: Reader) -> Data | DataAccessResult:
    """Read a Get-Data-Result."""
    start = reader.position
    choice = reader.u8("get-data-result")
    if choice == 0:
        return read_data(reader)
    if choice == 1:
        return read_access_result(reader)
    raise CodecError(f"choice {choice} is unknown", offset=start, field="get-data-result")


def read_access_result(reader: Reader) -> DataAccessResult:
    """Read a Data-Access-Result."""
    code = reader.u8("data-access-result")
    try:
        return DataAccessResult(code)
    except ValueError:
        raise CodecError(
            f"result {code} is unknown", offset=reader.position - 1, field="data-access-result"
        ) from None
