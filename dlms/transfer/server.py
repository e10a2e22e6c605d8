"""Block transfer at the server's end: GET, SET and ACTION (GB Ed. 8, 9.3.6 to 9.3.8, 9.4.6).

One transfer at a time per association (:mod:`dlms.transfer.one_transfer`). Where the books leave it
open:

- A new request, or a first block, ends a transfer that is under way.
- A block with another invoke id belongs to no transfer, and leaves the one under way as it was.
- A block with a wrong number, old, repeated or ahead, aborts its transfer. So does one that leads
  beyond ``max_total``, and a last one whose octets are no right value.
- A block may be empty: it is counted and answered like any other.
- A last block that comes twice is the second time a block of no transfer: nothing is done twice.
- The service class is no matter here: the books' own examples of block transfer have an invoke-id
  octet of 81, which says unconfirmed. Whether an answer is sent is up to the association.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from dlms.errors import CodecError
from dlms.transfer.answers import (
    Invocation,
    LaterBlock,
    Next,
    Trouble,
    after_blocks,
    invocation,
    received,
    refusal,
)
from dlms.transfer.contents import ActionContents, FirstBlock, response_raw, whole_request
from dlms.transfer.one_transfer import Incoming, OneTransfer, Outgoing
from dlms.transfer.pieces import MAX_TOTAL, TooLong, capacity, cut
from dlms.xdlms import action, get, set
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestBlock,
    ActionRequestNextBlock,
    ActionRequestWithList,
    ActionResponseBlock,
)
from dlms.xdlms.block import Block
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import INVOKE_ID
from dlms.xdlms.get import GetRequest, GetRequestNext, GetRequestWithList, GetResponseBlock
from dlms.xdlms.registry import AnyRequest, AnyResponse, Response
from dlms.xdlms.set import SetRequest, SetRequestBlock, SetRequestWithList

_new = tuple.__new__  # NamedTuple without its Python-level __new__: twice as fast

Request: TypeAlias = get.Request | set.Request | action.Request

# Octets in front of the OCTET STRING of a response block; the bit that lets us send one.
_GET_HEAD, _GET_BLOCKS = 9, Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
_ACTION_HEAD, _ACTION_BLOCKS = 8, Conformance.BLOCK_TRANSFER_WITH_ACTION


class Complete(NamedTuple):
    """A request to carry out; its blocks, if it came in any, are put together."""

    request: AnyRequest


class Answer(NamedTuple):
    """A step of a block transfer: nothing to carry out, ``response`` is to be sent."""

    response: AnyResponse


@dataclass(slots=True, kw_only=True)
class _Incoming(Incoming[Invocation]):
    """A long request, with its first block for what it says beside octets."""

    first: FirstBlock


class ServerTransfers:
    """The block transfers of one association.

    Give :meth:`receive` every request, carry out what is :class:`Complete` and give its response to
    :meth:`send`; send the response of an :class:`Answer` as it is. ``max_total`` bounds the octets
    of one value; ``contents`` says what the blocks of an ACTION response hold.

    Whether a step was negotiated is judged before, by the request's own ``needs``.
    """

    def __init__(
        self,
        max_total: int = MAX_TOTAL,
        contents: ActionContents = ActionContents.RESPONSE,
    ) -> None:
        self._max_total = max_total
        self._contents = contents
        self._one: OneTransfer[Invocation] = OneTransfer(max_total)
        self._last_number: int | None = None

    @property
    def pending(self) -> int:
        """How many octets of a value are kept."""
        return self._one.pending

    def reset(self) -> None:
        """Forget everything: the association has ended."""
        self._one.reset()
        self._last_number = None

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, request: Request) -> Complete | Answer:
        """Take one request. No request makes it raise."""
        self._last_number = None
        match request:
            case (
                GetRequest()
                | SetRequest()
                | ActionRequest()
                | GetRequestWithList()
                | SetRequestWithList()
                | ActionRequestWithList()
            ):
                self._one.abandon()
                return _new(Complete, (request,))
            case GetRequestNext() | ActionRequestNextBlock():
                return Answer(self._go_on(request))
            case SetRequestBlock() | ActionRequestBlock():
                return self._take_later(request)
            case first:
                return self._take_first(first)

    def _go_on(self, step: Next) -> Response:
        of = invocation(step)
        block = self._one.go_on(of, step.number)
        return refusal(step, block) if isinstance(block, Trouble) else _sent(of, step.invoke, block)

    def _take_first(self, step: FirstBlock) -> Complete | Answer:
        self._one.abandon()
        block = step.block
        if block.number != 1:
            return Answer(refusal(step, Trouble.WRONG_NUMBER))
        if len(block.raw) > self._max_total:
            return Answer(refusal(step, Trouble.ABORTED))
        if block.last:
            return self._complete(step, step, block.raw)
        # Without its octets, which are kept once.
        first = step._replace(block=block._replace(raw=b""))
        self._one.begin(
            _Incoming(of=invocation(step), first=first, raw=bytearray(block.raw), number=1)
        )
        return Answer(received(step))

    def _take_later(self, step: LaterBlock) -> Complete | Answer:
        transfer, of, block = self._one.under_way, invocation(step), step.block
        if not isinstance(transfer, _Incoming) or transfer.of != of:
            return Answer(refusal(step, self._one.why_none(of)))
        trouble = self._one.put(transfer, block.number, block.last, block.raw)
        if trouble is not None:
            return Answer(refusal(step, trouble))
        if block.last:
            return self._complete(step, transfer.first, bytes(transfer.raw))
        return Answer(received(step))

    def _complete(
        self, step: FirstBlock | LaterBlock, first: FirstBlock, raw: bytes
    ) -> Complete | Answer:
        try:
            whole = whole_request(first, raw)
        except CodecError:
            return Answer(refusal(step, Trouble.ABORTED))
        self._last_number = step.block.number
        return Complete(whole)

    # Sending ------------------------------------------------------------------------------------

    def send(
        self,
        response: Response,
        room: int | None,
        conformance: Conformance,
        *,
        whole: bool = False,
    ) -> bytes:
        """Encode the response to the last :class:`Complete`: itself, or its first block.

        ``room`` is how many octets the plain APDU may have, ``None`` any number; ``conformance`` is
        what was negotiated. What does not fit and cannot be cut is given as it is if ``whole``, for
        others to cut; else it is :class:`TooLong`, and the answer is an ExceptionResponse,
        pdu-too-long. No transfer begins then, but a SET or ACTION has been carried out.
        """
        number, self._last_number = self._last_number, None
        if number is not None:
            response = after_blocks(response, number)
        apdu = response.encode()
        if room is None or len(apdu) <= room:
            return apdu
        raw = response_raw(apdu, response, self._contents)
        tag, head, blocks = get.REQUEST_TAG, _GET_HEAD, _GET_BLOCKS
        if apdu[0] == action.RESPONSE_TAG:
            tag, head, blocks = action.REQUEST_TAG, _ACTION_HEAD, _ACTION_BLOCKS
        size = capacity(room - head)
        if raw is None or len(raw) > self._max_total or not blocks & conformance or not size:
            if whole:
                return apdu
            raise TooLong(f"response of {len(apdu)} octets, {room} fit")
        of = Invocation(tag, response.invoke & INVOKE_ID)
        transfer = Outgoing(of=of, size=len(raw), blocks=cut(raw, size, size))
        self._one.begin(transfer)
        return _sent(of, response.invoke, self._one.next_block(transfer)).encode()


def _sent(of: Invocation, invoke: int, block: Block) -> Response:
    """A block of a long response to ``of``."""
    if of.tag == get.REQUEST_TAG:
        return GetResponseBlock(invoke, *block)
    return ActionResponseBlock(invoke, block)
