"""The GET service in all its forms (GB Ed. 8, 9.3.6 and 9.5).

``invoke`` is the Invoke-Id-And-Priority octet: bits 0-3 the invoke id, bit 6 confirmed, bit 7 high
priority. A request's ``needs`` are the conformance bits without which this very request may not be
sent (GB Ed. 8, 9.4.6.1).
"""

from __future__ import annotations

import struct
from typing import NamedTuple, TypeAlias

from dlms.axdr import Data, read_data, write_data
from dlms.errors import CodecError
from dlms.octets import Reader, encode_octet_string
from dlms.xdlms.block import encode_number, encode_start, read_start
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import (
    AttributeDescriptor,
    Item,
    SelectiveAccess,
    encode_count,
    encode_descriptor,
    encode_selection,
    read_attribute,
    read_count,
    read_items,
    read_selection,
    selection_needs,
    unknown_choice,
    write_items,
)

REQUEST_TAG = 0xC0
RESPONSE_TAG = 0xC4
_NORMAL, _NEXT, _WITH_LIST = 1, 2, 3
_BLOCK = 2
_new = tuple.__new__  # NamedTuple without its Python-level __new__: twice as fast
_PLAINEST = struct.Struct(">xBBH6sBB")
"""A GET of one attribute without selective access: choice, invoke id, descriptor, no selection."""

_GET = Conformance.GET
_GET_NEXT = Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
_GET_LIST = Conformance.GET | Conformance.MULTIPLE_REFERENCES
_ATTRIBUTE_0 = Conformance.ATTRIBUTE0_WITH_GET
_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper


class GetRequest(NamedTuple):
    """Ask for the value of one attribute."""

    invoke: int
    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None

    @property
    def needs(self) -> Conformance:
        if self.selection is None and self.attribute.attribute:
            return _GET
        return selection_needs(((self.attribute, self.selection),), _GET, _ATTRIBUTE_0)

    def encode(self) -> bytes:
        invoke, attribute, selection = self
        head = bytes((REQUEST_TAG, _NORMAL, invoke)) + encode_descriptor(attribute)
        return head + encode_selection(selection)


class GetRequestNext(NamedTuple):
    """Ask for the block after block ``number``, which was received."""

    invoke: int
    number: int

    @property
    def needs(self) -> Conformance:
        return _GET_NEXT

    def encode(self) -> bytes:
        return bytes((REQUEST_TAG, _NEXT, self.invoke)) + encode_number(self.number)


class GetRequestWithList(NamedTuple):
    """Ask for the values of several attributes."""

    invoke: int
    items: tuple[Item, ...]

    @property
    def needs(self) -> Conformance:
        return selection_needs(self.items, _GET_LIST, _ATTRIBUTE_0)

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _WITH_LIST, self.invoke))
        write_items(out, self.items)
        return bytes(out)


class GetResponse(NamedTuple):
    """The value, or why there is none."""

    invoke: int
    result: Data | DataAccessResult

    def encode(self) -> bytes:
        invoke, result = self
        out = bytearray((RESPONSE_TAG, _NORMAL, invoke))
        write_get_result(out, result)
        return bytes(out)


class GetResponseBlock(NamedTuple):
    """A piece of a long answer, or why there are no more of them (DataBlock-G).

    What the pieces make together is a Data, or for a list a SEQUENCE OF Get-Data-Result.
    """

    invoke: int
    last: bool
    number: int
    result: bytes | DataAccessResult

    def encode(self) -> bytes:
        head = bytes((RESPONSE_TAG, _BLOCK, self.invoke)) + encode_start(self.last, self.number)
        if isinstance(self.result, DataAccessResult):
            return head + bytes((1, self.result))
        return head + b"\x00" + encode_octet_string(self.result)


class GetResponseWithList(NamedTuple):
    """A value, or why there is none, for each item of the list, in its order."""

    invoke: int
    results: tuple[Data | DataAccessResult, ...]

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG, _WITH_LIST, self.invoke))
        out += encode_count(len(self.results), "get-response results")
        for result in self.results:
            write_get_result(out, result)
        return bytes(out)


Request: TypeAlias = GetRequest | GetRequestNext | GetRequestWithList
Response: TypeAlias = GetResponse | GetResponseBlock | GetResponseWithList


def decode_request(octets: bytes) -> Request:
    if len(octets) == _PLAINEST.size:
        # Most have this layout: it is read in one go, any other one field by field.
        choice, invoke, class_id, instance, index, selection = _PLAINEST.unpack(octets)
        if choice == _NORMAL and selection == 0:
            attribute = _new(AttributeDescriptor, (class_id, instance, index))
            return _new(GetRequest, (invoke, attribute, None))
    return _decode_any_request(octets)


def _decode_any_request(octets: bytes) -> Request:
    reader = Reader(octets, 1)
    choice = reader.u8("get-request")
    if choice != _NORMAL:
        return _decode_other_request(reader, choice)
    invoke = reader.u8("invoke-id-and-priority")
    attribute = read_attribute(reader)
    request = _new(GetRequest, (invoke, attribute, read_selection(reader)))
    reader.finish("get-request")
    return request


def _decode_other_request(reader: Reader, choice: int) -> GetRequestNext | GetRequestWithList:
    request: GetRequestNext | GetRequestWithList
    if choice == _NEXT:
        request = GetRequestNext(reader.u8("invoke-id-and-priority"), reader.u32("block-number"))
    elif choice == _WITH_LIST:
        request = GetRequestWithList(reader.u8("invoke-id-and-priority"), read_items(reader))
    else:
        raise unknown_choice(choice, "get-request")
    reader.finish("get-request")
    return request


def decode_response(octets: bytes) -> Response:
    reader = Reader(octets, 1)
    choice = reader.u8("get-response")
    if choice != _NORMAL:
        return _decode_other_response(reader, choice)
    invoke = reader.u8("invoke-id-and-priority")
    response = _new(GetResponse, (invoke, read_get_result(reader)))
    reader.finish("get-response")
    return response


def _decode_other_response(reader: Reader, choice: int) -> GetResponseBlock | GetResponseWithList:
    response: GetResponseBlock | GetResponseWithList
    if choice == _BLOCK:
        invoke = reader.u8("invoke-id-and-priority")
        last, number = read_start(reader)
        response = GetResponseBlock(invoke, last, number, _read_block_result(reader))
    elif choice == _WITH_LIST:
        response = GetResponseWithList(
            reader.u8("invoke-id-and-priority"), read_get_results(reader)
        )
    else:
        raise unknown_choice(choice, "get-response")
    reader.finish("get-response")
    return response


def _read_block_result(reader: Reader) -> bytes | DataAccessResult:
    choice = reader.u8("datablock result")
    if choice == 0:
        return reader.octet_string("raw-data")
    if choice == 1:
        return read_access_result(reader)
    raise unknown_choice(choice, "datablock result", reader.position - 1)


def read_get_results(reader: Reader) -> tuple[Data | DataAccessResult, ...]:
    """Read a SEQUENCE OF Get-Data-Result."""
    count = read_count(reader, "get-response results")
    return tuple([read_get_result(reader) for _ in range(count)])


def read_get_result(reader: Reader) -> Data | DataAccessResult:
    """Read a Get-Data-Result."""
    choice = reader.u8("get-data-result")
    if choice == 0:
        return read_data(reader)
    if choice == 1:
        return read_access_result(reader)
    raise unknown_choice(choice, "get-data-result", reader.position - 1)


def write_get_result(out: bytearray, result: Data | DataAccessResult) -> None:
    if isinstance(result, DataAccessResult):
        out += bytes((1, result))
    else:
        out.append(0)
        write_data(out, result)


def read_access_result(reader: Reader) -> DataAccessResult:
    """Read a Data-Access-Result."""
    code = reader.u8("data-access-result")
    try:
        return DataAccessResult(code)
    except ValueError:
        raise CodecError(
            f"result {code} is unknown", offset=reader.position - 1, field="data-access-result"
        ) from None
