"""What a server answers to the steps of a block transfer (GB Ed. 8, 9.3.6 to 9.3.8, 9.4.6).

A refused GET step is answered with a last block that has the reason in place of data, and a SET
step with the last-datablock form, with list or not: there is one reason for all of it. An ACTION
step has no form for it and gets the normal one; Action-Result knows no invalid block number.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias

from dlms.transfer.contents import FirstBlock
from dlms.xdlms import action, get, set
from dlms.xdlms.action import (
    ActionRequestBlock,
    ActionRequestNextBlock,
    ActionResponse,
    ActionResponseNextBlock,
)
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import INVOKE_ID
from dlms.xdlms.get import GetRequestNext, GetResponseBlock
from dlms.xdlms.registry import Response
from dlms.xdlms.set import (
    SetRequestBlock,
    SetRequestFirstBlock,
    SetRequestWithListFirstBlock,
    SetResponse,
    SetResponseBlock,
    SetResponseLastBlock,
    SetResponseLastBlockWithList,
    SetResponseWithList,
)

Next: TypeAlias = GetRequestNext | ActionRequestNextBlock
LaterBlock: TypeAlias = SetRequestBlock | ActionRequestBlock
BlockStep: TypeAlias = Next | FirstBlock | LaterBlock

_SETS = (SetRequestFirstBlock, SetRequestWithListFirstBlock, SetRequestBlock)


class Trouble(Enum):
    """Why a step is refused."""

    NONE_IN_PROGRESS = "there is no such transfer"
    ABORTED = "the transfer was aborted"
    WRONG_NUMBER = "the block has not the number that is due"


GET_CODES = {
    Trouble.NONE_IN_PROGRESS: DataAccessResult.NO_LONG_GET_IN_PROGRESS,
    Trouble.ABORTED: DataAccessResult.LONG_GET_ABORTED,
    Trouble.WRONG_NUMBER: DataAccessResult.DATA_BLOCK_NUMBER_INVALID,
}
SET_CODES = {
    Trouble.NONE_IN_PROGRESS: DataAccessResult.NO_LONG_SET_IN_PROGRESS,
    Trouble.ABORTED: DataAccessResult.LONG_SET_ABORTED,
    Trouble.WRONG_NUMBER: DataAccessResult.DATA_BLOCK_NUMBER_INVALID,
}
_ACTION_CODES = {
    Trouble.NONE_IN_PROGRESS: ActionResult.NO_LONG_ACTION_IN_PROGRESS,
    Trouble.ABORTED: ActionResult.LONG_ACTION_ABORTED,
    Trouble.WRONG_NUMBER: ActionResult.LONG_ACTION_ABORTED,
}


class Invocation(NamedTuple):
    """What all blocks of a transfer share: the service, by its tag, and the invoke id."""

    tag: int
    invoke_id: int


def invocation(step: BlockStep) -> Invocation:
    """The invocation that ``step`` belongs to."""
    if isinstance(step, GetRequestNext):
        tag = get.REQUEST_TAG
    elif isinstance(step, _SETS):
        tag = set.REQUEST_TAG
    else:
        tag = action.REQUEST_TAG
    return Invocation(tag, step.invoke & INVOKE_ID)


def refusal(step: BlockStep, trouble: Trouble) -> Response:
    """The answer to a step that ends the transfer, or belongs to none."""
    match step:
        case GetRequestNext(invoke, number):
            return GetResponseBlock(invoke, True, number, GET_CODES[trouble])
        case SetRequestFirstBlock() | SetRequestWithListFirstBlock() | SetRequestBlock():
            return SetResponseLastBlock(step.invoke, SET_CODES[trouble], step.block.number)
        case _:
            return ActionResponse(step.invoke, _ACTION_CODES[trouble])


def received(step: FirstBlock | LaterBlock) -> Response:
    """The answer to a block that is not the last."""
    if isinstance(step, _SETS):
        return SetResponseBlock(step.invoke, step.block.number)
    return ActionResponseNextBlock(step.invoke, step.block.number)


def after_blocks(response: Response, number: int) -> Response:
    """``response`` in the form that goes with a request whose last block had ``number``."""
    match response:
        case SetResponse(invoke, result):
            return SetResponseLastBlock(invoke, result, number)
        case SetResponseWithList(invoke, results):
            return SetResponseLastBlockWithList(invoke, results, number)
        case _:
            return response
