"""What the raw data of all blocks make together (GB Ed. 8, 9.3.6 to 9.3.8).

=================================  ===================================================
long                               raw data
=================================  ===================================================
GET response                       Data
GET response with list             SEQUENCE OF Get-Data-Result
SET request, ACTION request        Data
the same with list                 SEQUENCE OF Data
ACTION response                    Action-Response-With-Optional-Data, or Data alone:
                                   :class:`ActionContents`
ACTION response with list          SEQUENCE OF Action-Response-With-Optional-Data
=================================  ===================================================

A SEQUENCE OF begins with its count. Results, values and parameters must be as many as the items
they belong to.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from dlms import axdr
from dlms.octets import Reader
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestFirstBlock,
    ActionRequestWithList,
    ActionRequestWithListFirstBlock,
    ActionResponse,
    ActionResponseWithList,
    read_method_result,
    read_method_results,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import one_each, read_values, write_values
from dlms.xdlms.get import (
    GetRequest,
    GetRequestWithList,
    GetResponse,
    GetResponseWithList,
    read_get_results,
)
from dlms.xdlms.registry import Response
from dlms.xdlms.set import (
    SetRequest,
    SetRequestFirstBlock,
    SetRequestWithList,
    SetRequestWithListFirstBlock,
)

FirstBlock: TypeAlias = (
    SetRequestFirstBlock
    | SetRequestWithListFirstBlock
    | ActionRequestFirstBlock
    | ActionRequestWithListFirstBlock
)


class ActionContents(Enum):
    """What a long ACTION response without list is cut from. DataBlock-SA does not say it.

    ``RESPONSE`` has the same octets as a short one and so keeps the result. With ``DATA`` the
    blocks bring the return parameters alone and the result is success; there are implementations
    that know only this.
    """

    RESPONSE = "Action-Response-With-Optional-Data"
    DATA = "Data"


def response_raw(apdu: bytes, response: Response, contents: ActionContents) -> bytes | None:
    """The raw data of a long response: a part of ``apdu``, which is ``response`` encoded.

    ``None`` if the books have no blocks for such a response, or ``contents`` cannot express it.
    """
    match response:
        case GetResponse(result=result):
            return None if isinstance(result, DataAccessResult) else apdu[4:]
        case GetResponseWithList() | ActionResponseWithList():
            return apdu[3:]
        case ActionResponse(result=result, returned=returned):
            if contents is ActionContents.RESPONSE:
                return apdu[3:]
            data = isinstance(returned, axdr.Data) and result is ActionResult.SUCCESS
            return apdu[6:] if data else None
        case _:
            return None


def request_raw(
    request: SetRequest | SetRequestWithList | ActionRequest | ActionRequestWithList,
) -> bytes | None:
    """The raw data of a long request. ``None`` if it has nothing that could be cut."""
    match request:
        case SetRequest(value=value):
            return axdr.encode(value)
        case ActionRequest(parameter=parameter):
            return None if parameter is None else axdr.encode(parameter)
        case SetRequestWithList(items=items, values=values):
            return _sequence(values, len(items))
        case ActionRequestWithList(methods=methods, parameters=parameters):
            return _sequence(parameters, len(methods))


def whole_request(
    first: FirstBlock, raw: bytes
) -> SetRequest | SetRequestWithList | ActionRequest | ActionRequestWithList:
    """The request that began with ``first``. :class:`CodecError` if ``raw`` is not right."""
    match first:
        case SetRequestFirstBlock(invoke, attribute, selection):
            return SetRequest(invoke, attribute, axdr.decode(raw), selection)
        case ActionRequestFirstBlock(invoke, method):
            return ActionRequest(invoke, method, axdr.decode(raw))
        case SetRequestWithListFirstBlock(invoke, items):
            return SetRequestWithList(invoke, items, _values(raw, len(items)))
        case ActionRequestWithListFirstBlock(invoke, methods):
            return ActionRequestWithList(invoke, methods, _values(raw, len(methods)))


def whole_get_response(
    request: GetRequest | GetRequestWithList, invoke: int, raw: bytes
) -> GetResponse | GetResponseWithList:
    """The long answer to ``request``. :class:`CodecError` if ``raw`` is not right."""
    if isinstance(request, GetRequest):
        return GetResponse(invoke, axdr.decode(raw))
    reader = Reader(raw)
    results = read_get_results(reader)
    reader.finish("get-response results")
    one_each(len(results), len(request.items), "get-response results", 0)
    return GetResponseWithList(invoke, results)


def whole_action_response(
    request: ActionRequest | ActionRequestWithList,
    invoke: int,
    raw: bytes,
    contents: ActionContents,
) -> ActionResponse | ActionResponseWithList:
    """The long answer to ``request``. :class:`CodecError` if ``raw`` is not right."""
    reader = Reader(raw)
    if isinstance(request, ActionRequest):
        if contents is ActionContents.DATA:
            return ActionResponse(invoke, ActionResult.SUCCESS, axdr.decode(raw))
        response = ActionResponse(invoke, *read_method_result(reader))
        reader.finish("single-response")
        return response
    results = read_method_results(reader)
    reader.finish("list-of-responses")
    one_each(len(results), len(request.methods), "list-of-responses", 0)
    return ActionResponseWithList(invoke, results)


def _sequence(values: tuple[axdr.Data, ...], items: int) -> bytes:
    one_each(len(values), items, "values")
    out = bytearray()
    write_values(out, values, "values")
    return bytes(out)


def _values(raw: bytes, items: int) -> tuple[axdr.Data, ...]:
    reader = Reader(raw)
    values = read_values(reader, "values")
    reader.finish("values")
    one_each(len(values), items, "values", 0)
    return values
