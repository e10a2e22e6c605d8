"""How a client judges what a server sends in a transfer.

Whatever is wrong is a :class:`RemoteProtocolError`, whose ``reason`` says what:

=======================  ===========================================================================
``unexpected-form``      a form that does not belong to the request or the step, a block that was
                         not negotiated, or not one result for each item
``block-number``         a block, or the acknowledgement of one, without the number that is due
``invoke-id``            another invocation's
``long-response``        beyond :class:`Limits`
``malformed-blocks``     the blocks together are no right value
``early-success``        success before the last block was sent, or in place of data
=======================  ===========================================================================
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import RemoteProtocolError
from dlms.transfer.pieces import MAX_BLOCKS, MAX_TOTAL
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestWithList,
    ActionResponse,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.block import Block
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.get import (
    GetRequest,
    GetRequestWithList,
    GetResponse,
    GetResponseBlock,
    GetResponseWithList,
)
from dlms.xdlms.registry import AnyResponse, CompleteRequest, Response
from dlms.xdlms.set import (
    SetRequest,
    SetRequestWithList,
    SetResponse,
    SetResponseLastBlock,
    SetResponseLastBlockWithList,
    SetResponseWithList,
)


class Limits(NamedTuple):
    """What a server may send as one value: octets in all, and blocks, empty ones included."""

    total: int = MAX_TOTAL
    blocks: int = MAX_BLOCKS


class Collected:
    """The blocks of a long response, put together as they come."""

    __slots__ = ("_limits", "_number", "raw")

    def __init__(self, limits: Limits) -> None:
        self.raw = bytearray()
        self._number = 0
        self._limits = limits

    def take(self, block: Block) -> None:
        """Take the next block; its number must follow the last one's, from 1."""
        if block.number != self._number + 1:
            raise RemoteProtocolError(
                f"block {block.number} where {self._number + 1} is due", reason="block-number"
            )
        total = len(self.raw) + len(block.raw)
        if total > self._limits.total or block.number > self._limits.blocks:
            raise RemoteProtocolError(
                f"{total} octets in {block.number} blocks, and no end", reason="long-response"
            )
        self.raw += block.raw
        self._number = block.number


def acknowledged(number: int, block: Block) -> None:
    """Judge the acknowledgement of ``block``, the one sent last."""
    if number != block.number:
        raise RemoteProtocolError(
            f"block {number} acknowledged, {block.number} was sent", reason="block-number"
        )


def unexpected(response: AnyResponse) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{type(response).__name__} does not belong here", reason="unexpected-form"
    )


def early_success() -> RemoteProtocolError:
    return RemoteProtocolError("success before the end", reason="early-success")


def fitting(request: CompleteRequest, response: Response) -> Response:
    """``response``, if it is of the form that goes with ``request``."""
    match request, response:
        case (
            (GetRequest(), GetResponse())
            | (SetRequest(), SetResponse())
            | (ActionRequest(), ActionResponse())
        ):
            return response
        case (
            (GetRequestWithList(items=items), GetResponseWithList(results=results))
            | (SetRequestWithList(items=items), SetResponseWithList(results=results))
            | (ActionRequestWithList(methods=items), ActionResponseWithList(results=results))
        ) if len(items) == len(results):
            return response
    raise unexpected(response)


def failed_get(
    request: GetRequest | GetRequestWithList, response: GetResponseBlock, why: DataAccessResult
) -> Response:
    """The complete response, where a block says why there is no more."""
    if why is DataAccessResult.SUCCESS:
        raise early_success()
    if isinstance(request, GetRequest):
        return GetResponse(response.invoke, why)
    return GetResponseWithList(response.invoke, (why,) * len(request.items))


def failed_action(request: ActionRequest | ActionRequestWithList, response: Response) -> Response:
    """The complete response, where the normal form says that the transfer has come to nothing."""
    if not isinstance(response, ActionResponse):
        raise unexpected(response)
    if response.result is ActionResult.SUCCESS:
        raise early_success()
    if isinstance(request, ActionRequest):
        return response
    result = MethodResult(response.result, response.returned)
    return ActionResponseWithList(response.invoke, (result,) * len(request.methods))


def set_result(
    request: SetRequest | SetRequestWithList, response: Response, sent: Block
) -> Response:
    """The complete response, from the last-datablock form that answers block ``sent``."""
    results: tuple[DataAccessResult, ...]
    match request, response:
        case SetRequest(), SetResponseLastBlock(result=result, number=number):
            results = (result,)
        case (
            SetRequestWithList(items=items),
            SetResponseLastBlock(result=result, number=number),
        ) if result is not DataAccessResult.SUCCESS:
            results = (result,) * len(items)  # one reason for all of it
        case (
            SetRequestWithList(items=items),
            SetResponseLastBlockWithList(results=results, number=number),
        ) if len(items) == len(results):
            pass
        case _:
            raise unexpected(response)
    if DataAccessResult.SUCCESS in results:
        if not sent.last:
            raise early_success()
        if number != sent.number:
            raise RemoteProtocolError(
                f"result of block {number}, {sent.number} was sent", reason="block-number"
            )
    if isinstance(request, SetRequest):
        return SetResponse(response.invoke, results[0])
    return SetResponseWithList(response.invoke, results)
