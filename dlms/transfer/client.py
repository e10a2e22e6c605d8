"""Block transfer at the client's end: GET, SET and ACTION (GB Ed. 8, 9.3.6 to 9.3.8, 9.4.6).

:func:`exchange` yields what to send, is sent what came back, and returns the complete response. A
server that does not keep to the procedure, or to the bounds, causes :class:`RemoteProtocolError`;
what it kept of the transfer it gives up with the next request.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TypeAlias

from dlms.errors import CodecError, RemoteProtocolError
from dlms.transfer.contents import (
    ActionContents,
    FirstBlock,
    request_raw,
    whole_action_response,
    whole_get_response,
)
from dlms.transfer.judging import (
    Collected,
    Limits,
    acknowledged,
    failed_action,
    failed_get,
    fitting,
    set_result,
    unexpected,
)
from dlms.transfer.pieces import TooLong, capacity, cut
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestBlock,
    ActionRequestFirstBlock,
    ActionRequestNextBlock,
    ActionRequestWithList,
    ActionRequestWithListFirstBlock,
    ActionResponse,
    ActionResponseBlock,
    ActionResponseNextBlock,
)
from dlms.xdlms.block import Block
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import INVOKE_ID
from dlms.xdlms.get import GetRequest, GetRequestNext, GetRequestWithList, GetResponseBlock
from dlms.xdlms.registry import CompleteRequest, Request, Response
from dlms.xdlms.set import (
    SetRequest,
    SetRequestBlock,
    SetRequestFirstBlock,
    SetRequestWithList,
    SetRequestWithListFirstBlock,
    SetResponseBlock,
)

Transfer: TypeAlias = Generator[Request, Response, Response]

_LATER_HEAD = 8
"""Octets in front of the OCTET STRING of a request block that is not the first."""

_NOTHING = Block(False, 1, b"")
_DEFAULT_LIMITS = Limits()


def exchange(
    request: CompleteRequest,
    room: int | None,
    conformance: Conformance,
    *,
    whole: bool = False,
    limits: Limits = _DEFAULT_LIMITS,
    contents: ActionContents = ActionContents.RESPONSE,
) -> Transfer:
    """Carry ``request`` over, in blocks where it must be, and return its complete response.

    ``room`` is how many octets a plain request APDU may have, ``None`` any number; ``conformance``
    is what was negotiated. What is returned is of the form, normal or with list, that goes with
    ``request``, and has a result for each of its items.

    A request that does not fit and cannot be cut is yielded as it is if ``whole``, for others to
    cut; else it is :class:`TooLong` before anything is sent.
    :class:`RemoteProtocolError` if the server breaks the rules (:mod:`dlms.transfer.judging`).
    """
    match request:
        case GetRequest() | GetRequestWithList():
            return (yield from _get(request, conformance, limits))
        case SetRequest() | SetRequestWithList():
            return (yield from _set(request, room, conformance, whole))
        case _:
            return (yield from _action(request, room, conformance, whole, limits, contents))


def _get(
    request: GetRequest | GetRequestWithList, conformance: Conformance, limits: Limits
) -> Transfer:
    response = yield from _ask(request)
    if not isinstance(response, GetResponseBlock):
        return fitting(request, response)
    if not conformance & Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ:
        raise unexpected(response)
    collected = Collected(limits)
    while True:
        if not isinstance(response, GetResponseBlock):
            raise unexpected(response)
        invoke, last, number, result = response
        if isinstance(result, DataAccessResult):
            return failed_get(request, response, result)
        collected.take(Block(last, number, result))
        if last:
            break
        response = yield from _ask(GetRequestNext(request.invoke, number))
    try:
        return whole_get_response(request, invoke, bytes(collected.raw))
    except CodecError as error:
        raise _malformed(error) from error


def _set(
    request: SetRequest | SetRequestWithList,
    room: int | None,
    conformance: Conformance,
    whole: bool,
) -> Transfer:
    needs = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    blocks = _blocks(request, room, bool(needs & conformance), whole)
    if blocks is None:
        return fitting(request, (yield from _ask(request)))
    for step in blocks:
        response = yield from _ask(step)
        if step.block.last or not isinstance(response, SetResponseBlock):
            return set_result(request, response, step.block)
        acknowledged(response.number, step.block)
    raise AssertionError("the last block is the last")


def _action(
    request: ActionRequest | ActionRequestWithList,
    room: int | None,
    conformance: Conformance,
    whole: bool,
    limits: Limits,
    contents: ActionContents,
) -> Transfer:
    negotiated = bool(Conformance.BLOCK_TRANSFER_WITH_ACTION & conformance)
    steps = _blocks(request, room, negotiated, whole)
    if steps is None:
        response = yield from _ask(request)
    else:
        for step in steps:
            response = yield from _ask(step)
            if step.block.last:
                break
            if not isinstance(response, ActionResponseNextBlock):
                return failed_action(request, response)
            acknowledged(response.number, step.block)
    if not isinstance(response, ActionResponseBlock):
        if steps is not None and isinstance(response, ActionResponse) and response.result:
            return failed_action(request, response)
        return fitting(request, response)
    if not negotiated:
        raise unexpected(response)
    collected = Collected(limits)
    while isinstance(response, ActionResponseBlock):
        invoke, block = response
        collected.take(block)
        if block.last:
            break
        response = yield from _ask(ActionRequestNextBlock(request.invoke, block.number))
    else:
        return failed_action(request, response)
    try:
        return whole_action_response(request, invoke, bytes(collected.raw), contents)
    except CodecError as error:
        raise _malformed(error) from error


def _ask(step: Request) -> Transfer:
    response = yield step
    if (response.invoke ^ step.invoke) & INVOKE_ID:
        raise RemoteProtocolError("the response is to another request", reason="invoke-id")
    return response


def _blocks(
    request: SetRequest | SetRequestWithList | ActionRequest | ActionRequestWithList,
    room: int | None,
    negotiated: bool,
    whole: bool,
) -> Iterator[FirstBlock | SetRequestBlock | ActionRequestBlock] | None:
    """The steps that carry ``request``, or ``None`` if it fits, or is wanted whole."""
    if room is None or len(request.encode()) <= room:
        return None
    raw = request_raw(request)
    later = capacity(room - _LATER_HEAD)
    begin = _begin(request)
    # The empty block in it has a length octet, which capacity() counts again.
    first = capacity(room - len(begin.encode()) + 1)
    if raw is None or not negotiated or not min(first, later):
        if whole:
            return None
        raise TooLong(f"the request does not fit into {room} octets and cannot be cut")
    return _steps(begin, cut(raw, first, later))


def _steps(
    begin: FirstBlock, blocks: Iterator[Block]
) -> Iterator[FirstBlock | SetRequestBlock | ActionRequestBlock]:
    yield begin._replace(block=next(blocks))
    later: type[SetRequestBlock | ActionRequestBlock] = (
        SetRequestBlock
        if isinstance(begin, SetRequestFirstBlock | SetRequestWithListFirstBlock)
        else ActionRequestBlock
    )
    for block in blocks:
        yield later(begin.invoke, block)


def _begin(
    request: SetRequest | SetRequestWithList | ActionRequest | ActionRequestWithList,
) -> FirstBlock:
    match request:
        case SetRequest(invoke, attribute, _, selection):
            return SetRequestFirstBlock(invoke, attribute, selection, _NOTHING)
        case SetRequestWithList(invoke, items):
            return SetRequestWithListFirstBlock(invoke, items, _NOTHING)
        case ActionRequest(invoke, method):
            return ActionRequestFirstBlock(invoke, method, _NOTHING)
        case ActionRequestWithList(invoke, methods):
            return ActionRequestWithListFirstBlock(invoke, methods, _NOTHING)


def _malformed(error: CodecError) -> RemoteProtocolError:
    return RemoteProtocolError(f"the blocks together: {error}", reason="malformed-blocks")
