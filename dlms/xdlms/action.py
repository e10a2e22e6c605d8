"""The ACTION service, normal form (GB Ed. 8, 9.3.8 and 9.5)."""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr import Data, read_data, write_data
from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import (
    MethodDescriptor,
    encode_descriptor,
    expect_choice,
    read_descriptor,
)
from dlms.xdlms.get import read_get_result

REQUEST_TAG = 0xC3
RESPONSE_TAG = 0xC7
_NORMAL = 1


class ActionRequest(NamedTuple):
    """Invoke one method."""

    invoke: int
    method: MethodDescriptor
    parameter: Data | None = None

    def encode(self) -> bytes:
        out = bytearray((REQUEST_TAG, _NORMAL, self.invoke))
        out += encode_descriptor(self.method)
        if self.parameter is None:
            out.append(0)
        else:
            out.append(1)
            write_data(out, self.parameter)
        return bytes(out)


class ActionResponse(NamedTuple):
    """The result code and, optionally, return parameters or why there are none."""

    invoke: int
    result: ActionResult
    returned: Data | DataAccessResult | None = None

    def encode(self) -> bytes:
        out = bytearray((RESPONSE_TAG, _NORMAL, self.invoke, self.result))
        if self.returned is None:
            out.append(0)
        elif isinstance(self.returned, DataAccessResult):
            out += bytes((1, 1, self.returned))
        else:
            out += b"\x01\x00"
            write_data(out, self.returned)
        return bytes(out)


def decode_request(octets: bytes) -> ActionRequest:
    reader = Reader(octets, 1)
    expect_choice(reader, _NORMAL, "action-request")
    request = ActionRequest(
        reader.u8("invoke-id-and-priority"),
        MethodDescriptor(*read_descriptor(reader)),
        read_data(reader) if reader.flag("method-invocation-parameters") else None,
    )
    reader.finish("action-request")
    return request


def decode_response(octets: bytes) -> ActionResponse:
    reader = Reader(octets, 1)
    expect_choice(reader, _NORMAL, "action-response")
    invoke = reader.u8("invoke-id-and-priority")
    code = reader.u8("action-result")
    try:
        result = ActionResult(code)
    except ValueError:
        raise CodecError(f"result {code} is unknown", offset=3, field="action-result") from None
    returned = read_get_result(reader) if reader.flag("return-parameters") else None
    reader.finish("action-response")
    return ActionResponse(invoke, result, returned)
