"""The SET service in all its forms (GB Ed. 8, 9.3.7 and 9.5).

What the blocks of a long request make together is a Data, or for a list a SEQUENCE OF Data.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dlms.axdr import Data, read_data, write_data
from dlms.octets import Reader
from dlms.xdlms.block import Block, encode_number, read_block
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import (
    AttributeDescriptor,
    Item,
    SelectiveAccess,
    encode_count,
    encode_descriptor,
    encode_selection,
    one_each,
    read_attribute,
    read_count,
    read_items,
    read_selection,
    read_values,
    selection_needs,
    unknown_choice,
    write_items,
    write_values,
)
from dlms.xdlms.get import read_access_result

REQUEST_TAG = 0xC1
RESPONSE_TAG = 0xC5
_NORMAL, _FIRST_BLOCK, _BLOCK, _WITH_LIST, _WITH_LIST_FIRST_BLOCK = 1, 2, 3, 4, 5
_BLOCK_RECEIVED, _LAST_BLOCK, _LAST_BLOCK_WITH_LIST, _LIST = 2, 3, 4, 5

_SET = Conformance.SET
_SET_BLOCK = Conformance.SET | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
_SET_LIST = Conformance.SET | Conformance.MULTIPLE_REFERENCES
_SET_LIST_BLOCK = _SET_BLOCK | _SET_LIST
_ATTRIBUTE_0 = Conformance.ATTRIBUTE0_WITH_SET


class SetRequest(NamedTuple):
    """Write one attribute."""

    invoke: int
    attribute: AttributeDescriptor
    value: Data
    selection: SelectiveAccess | None = None

    @property
    def needs(self) -> Conformance:
        if self.selection is None and self.attribute.attribute:
            return _SET
        return selection_needs(((self.attribute, self.selection),), _SET, _ATTRIBUTE_0)

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _NORMAL, self.invoke))
        out += encode_descriptor(self.attribute)
        out += encode_selection(self.selection)
        write_data(out, self.value)
        return bytes(out)


class SetRequestFirstBlock(NamedTuple):
    """Begin to write one attribute with a long value."""

    invoke: int
    attribute: AttributeDescriptor
    selection: SelectiveAccess | None
    block: Block

    @property
    def needs(self) -> Conformance:
        return selection_needs(((self.attribute, self.selection),), _SET_BLOCK, _ATTRIBUTE_0)

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _FIRST_BLOCK, self.invoke))
        out += encode_descriptor(self.attribute)
        out += encode_selection(self.selection)
        out += self.block.encode()
        return bytes(out)


class SetRequestBlock(NamedTuple):
    """Go on with a long value, or with the long values of a list."""

    invoke: int
    block: Block

    @property
    def needs(self) -> Conformance:
        return _SET_BLOCK

    def encode(self) -> bytes:
        return bytes((REQUEST_TAG, _BLOCK, self.invoke)) + self.block.encode()


class SetRequestWithList(NamedTuple):
    """Write several attributes: one value for each item."""

    invoke: int
    items: tuple[Item, ...]
    values: tuple[Data, ...]

    @property
    def needs(self) -> Conformance:
        return selection_needs(self.items, _SET_LIST, _ATTRIBUTE_0)

    def encode(self) -> bytes:
        one_each(len(self.values), len(self.items), "value-list")
        out = bytearray((REQUEST_TAG, _WITH_LIST, self.invoke))
        write_items(out, self.items)
        write_values(out, self.values, "value-list")
        return bytes(out)


class SetRequestWithListFirstBlock(NamedTuple):
    """Begin to write several attributes whose values together are long."""

    invoke: int
    items: tuple[Item, ...]
    block: Block

    @property
    def needs(self) -> Conformance:
        return selection_needs(self.items, _SET_LIST_BLOCK, _ATTRIBUTE_0)

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _WITH_LIST_FIRST_BLOCK, self.invoke))
        write_items(out, self.items)
        out += self.block.encode()
        return bytes(out)


class SetResponse(NamedTuple):
    invoke: int
    result: DataAccessResult

    def encode(self) -> bytes:
        return bytes((RESPONSE_TAG, _NORMAL, self.invoke, self.result))


class SetResponseBlock(NamedTuple):
    """Block ``number`` was received, and is not the last."""

    invoke: int
    number: int

    def encode(self) -> bytes:
        return bytes((RESPONSE_TAG, _BLOCK_RECEIVED, self.invoke)) + encode_number(self.number)


class SetResponseLastBlock(NamedTuple):
    """The result of a long SET, with the last block or before."""

    invoke: int
    result: DataAccessResult
    number: int

    def encode(self) -> bytes:
        head = bytes((RESPONSE_TAG, _LAST_BLOCK, self.invoke, self.result))
        return head + encode_number(self.number)


class SetResponseLastBlockWithList(NamedTuple):
    """The results of a long SET with list."""

    invoke: int
    results: tuple[DataAccessResult, ...]
    number: int

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG, _LAST_BLOCK_WITH_LIST, self.invoke))
        out += encode_count(len(self.results), "set-response results")
        out += bytes(self.results)
        out += encode_number(self.number)
        return bytes(out)


class SetResponseWithList(NamedTuple):
    """A result for each item of the list, in its order."""

    invoke: int
    results: tuple[DataAccessResult, ...]

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG, _LIST, self.invoke))
        out += encode_count(len(self.results), "set-response results")
        out += bytes(self.results)
        return bytes(out)


Request: TypeAlias = (
    SetRequest
    | SetRequestFirstBlock
    | SetRequestBlock
    | SetRequestWithList
    | SetRequestWithListFirstBlock
)
Response: TypeAlias = (
    SetResponse
    | SetResponseBlock
    | SetResponseLastBlock
    | SetResponseLastBlockWithList
    | SetResponseWithList
)


def decode_request(octets: bytes) -> Request:
    reader = Reader(octets, 1)
    choice = reader.u8("set-request")
    invoke = reader.u8("invoke-id-and-priority")
    request: Request
    if choice == _NORMAL:
        attribute = read_attribute(reader)
        selection = read_selection(reader)
        request = SetRequest(invoke, attribute, read_data(reader), selection)
    elif choice == _FIRST_BLOCK:
        attribute = read_attribute(reader)
        selection = read_selection(reader)
        request = SetRequestFirstBlock(invoke, attribute, selection, read_block(reader))
    elif choice == _BLOCK:
        request = SetRequestBlock(invoke, read_block(reader))
    elif choice == _WITH_LIST:
        items = read_items(reader)
        start = reader.position
        values = read_values(reader, "value-list")
        one_each(len(values), len(items), "value-list", start)
        request = SetRequestWithList(invoke, items, values)
    elif choice == _WITH_LIST_FIRST_BLOCK:
        request = SetRequestWithListFirstBlock(invoke, read_items(reader), read_block(reader))
    else:
        raise unknown_choice(choice, "set-request")
    reader.finish("set-request")
    return request


def decode_response(octets: bytes) -> Response:
    reader = Reader(octets, 1)
    choice = reader.u8("set-response")
    invoke = reader.u8("invoke-id-and-priority")
    response: Response
    if choice == _NORMAL:
        response = SetResponse(invoke, read_access_result(reader))
    elif choice == _BLOCK_RECEIVED:
        response = SetResponseBlock(invoke, reader.u32("block-number"))
    elif choice == _LAST_BLOCK:
        result = read_access_result(reader)
        response = SetResponseLastBlock(invoke, result, reader.u32("block-number"))
    elif choice == _LAST_BLOCK_WITH_LIST:
        results = _read_results(reader)
        number = reader.u32("block-number")
        response = SetResponseLastBlockWithList(invoke, results, number)
    elif choice == _LIST:
        response = SetResponseWithList(invoke, _read_results(reader))
    else:
        raise unknown_choice(choice, "set-response")
    reader.finish("set-response")
    return response


def _read_results(reader: Reader) -> tuple[DataAccessResult, ...]:
    count = read_count(reader, "set-response results")
    return tuple([read_access_result(reader) for _ in range(count)])
