"""The ACTION service in all its forms (GB Ed. 8, 9.3.8 and 9.5).

What the blocks of a long request make together is a Data, or for a list a SEQUENCE OF Data. In a
list, null-data stands for no parameter.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dlms.axdr import Data, read_data, write_data
from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.xdlms.block import Block, encode_number, read_block
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import (
    MethodDescriptor,
    encode_count,
    encode_descriptor,
    one_each,
    read_count,
    read_method,
    read_methods,
    read_values,
    unknown_choice,
    write_methods,
    write_values,
)
from dlms.xdlms.get import read_get_result, write_get_result

REQUEST_TAG = 0xC3
RESPONSE_TAG = 0xC7
_NORMAL, _NEXT_BLOCK, _WITH_LIST, _FIRST_BLOCK, _WITH_LIST_FIRST_BLOCK, _BLOCK = 1, 2, 3, 4, 5, 6
_RESPONSE_BLOCK, _LIST, _BLOCK_RECEIVED = 2, 3, 4

_ACTION = Conformance.ACTION
_ACTION_BLOCK = Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION
_ACTION_LIST = Conformance.ACTION | Conformance.MULTIPLE_REFERENCES
_ACTION_LIST_BLOCK = _ACTION_BLOCK | _ACTION_LIST


class ActionRequest(NamedTuple):
    """Invoke one method."""

    invoke: int
    method: MethodDescriptor
    parameter: Data | None = None

    @property
    def needs(self) -> Conformance:
        return _ACTION

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _NORMAL, self.invoke))
        out += encode_descriptor(self.method)
        if self.parameter is None:
            out.append(0)
        else:
            out.append(1)
            write_data(out, self.parameter)
        return bytes(out)


class ActionRequestNextBlock(NamedTuple):
    """Ask for the block after block ``number`` of a long response."""

    invoke: int
    number: int

    @property
    def needs(self) -> Conformance:
        return _ACTION_BLOCK

    def encode(self) -> bytes:
        return bytes((REQUEST_TAG, _NEXT_BLOCK, self.invoke)) + encode_number(self.number)


class ActionRequestWithList(NamedTuple):
    """Invoke several methods: one parameter for each."""

    invoke: int
    methods: tuple[MethodDescriptor, ...]
    parameters: tuple[Data, ...]

    @property
    def needs(self) -> Conformance:
        return _ACTION_LIST

    def encode(self) -> bytes:
        one_each(len(self.parameters), len(self.methods), "method-invocation-parameters")
        out = bytearray((REQUEST_TAG, _WITH_LIST, self.invoke))
        write_methods(out, self.methods)
        write_values(out, self.parameters, "method-invocation-parameters")
        return bytes(out)


class ActionRequestFirstBlock(NamedTuple):
    """Begin to invoke one method with a long parameter."""

    invoke: int
    method: MethodDescriptor
    block: Block

    @property
    def needs(self) -> Conformance:
        return _ACTION_BLOCK

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _FIRST_BLOCK, self.invoke))
        out += encode_descriptor(self.method)
        out += self.block.encode()
        return bytes(out)


class ActionRequestWithListFirstBlock(NamedTuple):
    """Begin to invoke several methods whose parameters together are long."""

    invoke: int
    methods: tuple[MethodDescriptor, ...]
    block: Block

    @property
    def needs(self) -> Conformance:
        return _ACTION_LIST_BLOCK

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _WITH_LIST_FIRST_BLOCK, self.invoke))
        write_methods(out, self.methods)
        out += self.block.encode()
        return bytes(out)


class ActionRequestBlock(NamedTuple):
    """Go on with a long parameter, or with the long parameters of a list."""

    invoke: int
    block: Block

    @property
    def needs(self) -> Conformance:
        return _ACTION_BLOCK

    def encode(self) -> bytes:
        return bytes((REQUEST_TAG, _BLOCK, self.invoke)) + self.block.encode()


class MethodResult(NamedTuple):
    """Action-Response-With-Optional-Data: the result code and, optionally, return parameters or
    why there are none."""

    result: ActionResult
    returned: Data | DataAccessResult | None = None


class ActionResponse(NamedTuple):
    """The result code and, optionally, return parameters or why there are none."""

    invoke: int
    result: ActionResult
    returned: Data | DataAccessResult | None = None

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG, _NORMAL, self.invoke))
        _write_method_result(out, self.result, self.returned)
        return bytes(out)


class ActionResponseBlock(NamedTuple):
    """A piece of a long response; :mod:`dlms.transfer.contents` says of what."""

    invoke: int
    block: Block

    def encode(self) -> bytes:
        return bytes((RESPONSE_TAG, _RESPONSE_BLOCK, self.invoke)) + self.block.encode()


class ActionResponseWithList(NamedTuple):
    """A result for each method of the list, in its order."""

    invoke: int
    results: tuple[MethodResult, ...]

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG, _LIST, self.invoke))
        out += encode_count(len(self.results), "list-of-responses")
        for result, returned in self.results:
            _write_method_result(out, result, returned)
        return bytes(out)


class ActionResponseNextBlock(NamedTuple):
    """Block ``number`` was received, and is not the last."""

    invoke: int
    number: int

    def encode(self) -> bytes:
        return bytes((RESPONSE_TAG, _BLOCK_RECEIVED, self.invoke)) + encode_number(self.number)


Request: TypeAlias = (
    ActionRequest
    | ActionRequestNextBlock
    | ActionRequestWithList
    | ActionRequestFirstBlock
    | ActionRequestWithListFirstBlock
    | ActionRequestBlock
)
Response: TypeAlias = (
    ActionResponse | ActionResponseBlock | ActionResponseWithList | ActionResponseNextBlock
)


def decode_request(octets: bytes) -> Request:
    reader = Reader(octets, 1)
    choice = reader.u8("action-request")
    invoke = reader.u8("invoke-id-and-priority")
    request: Request
    if choice == _NORMAL:
        method = read_method(reader)
        present = reader.flag("method-invocation-parameters")
        request = ActionRequest(invoke, method, read_data(reader) if present else None)
    elif choice == _NEXT_BLOCK:
        request = ActionRequestNextBlock(invoke, reader.u32("block-number"))
    elif choice == _WITH_LIST:
        methods = read_methods(reader)
        start = reader.position
        parameters = read_values(reader, "method-invocation-parameters")
        one_each(len(parameters), len(methods), "method-invocation-parameters", start)
        request = ActionRequestWithList(invoke, methods, parameters)
    elif choice == _FIRST_BLOCK:
        method = read_method(reader)
        request = ActionRequestFirstBlock(invoke, method, read_block(reader))
    elif choice == _WITH_LIST_FIRST_BLOCK:
        methods = read_methods(reader)
        request = ActionRequestWithListFirstBlock(invoke, methods, read_block(reader))
    elif choice == _BLOCK:
        request = ActionRequestBlock(invoke, read_block(reader))
    else:
        raise unknown_choice(choice, "action-request")
    reader.finish("action-request")
    return request


def decode_response(octets: bytes) -> Response:
    reader = Reader(octets, 1)
    choice = reader.u8("action-response")
    invoke = reader.u8("invoke-id-and-priority")
    response: Response
    if choice == _NORMAL:
        response = ActionResponse(invoke, *read_method_result(reader))
    elif choice == _RESPONSE_BLOCK:
        response = ActionResponseBlock(invoke, read_block(reader))
    elif choice == _LIST:
        response = ActionResponseWithList(invoke, read_method_results(reader))
    elif choice == _BLOCK_RECEIVED:
        response = ActionResponseNextBlock(invoke, reader.u32("block-number"))
    else:
        raise unknown_choice(choice, "action-response")
    reader.finish("action-response")
    return response


def read_method_result(reader: Reader) -> MethodResult:
    """Read an Action-Response-With-Optional-Data."""
    code = reader.u8("action-result")
    try:
        result = ActionResult(code)
    except ValueError:
        raise CodecError(
            f"result {code} is unknown", offset=reader.position - 1, field="action-result"
        ) from None
    return MethodResult(
        result, read_get_result(reader) if reader.flag("return-parameters") else None
    )


def read_method_results(reader: Reader) -> tuple[MethodResult, ...]:
    """Read a SEQUENCE OF Action-Response-With-Optional-Data."""
    count = read_count(reader, "list-of-responses")
    return tuple([read_method_result(reader) for _ in range(count)])


def _write_method_result(
    out: bytearray, result: ActionResult, returned: Data | DataAccessResult | None
) -> None:
    out.append(result)
    if returned is None:
        out.append(0)
    else:
        out.append(1)
        write_get_result(out, returned)
