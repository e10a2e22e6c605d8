"""Block transfer at the server's end: Read and Write (GB Ed. 8, 9.3.13 to 9.3.16).

The decisions are those of :mod:`dlms.transfer.server`, and one transfer at a time per association
is the bound again. What is different: there are no invoke ids, and no form says that a block is the
first. So

- a block belongs to the transfer of its kind, whoever began it;
- a block with number 1 begins a transfer and ends the one under way, also one of its own kind;
- block-number-access confirms the block that came, by its number, and asks for the next, as
  get-request-next does;
- the reason for a refused step stands where the one result of an item does;
- a long Write is answered as a short one: no form says that it came in blocks.

Read has the codes of GET, and Write those of SET (Data-Access-Result, 9.5).
"""

from __future__ import annotations

from dlms.errors import CodecError
from dlms.transfer.answers import GET_CODES, SET_CODES, Trouble
from dlms.transfer.names_contents import (
    MAX_NUMBER,
    Long,
    NameRequest,
    NameResponse,
    Onward,
    Piece,
    step_of,
    whole_request,
)
from dlms.transfer.one_transfer import Incoming, OneTransfer, Outgoing
from dlms.transfer.pieces import MAX_TOTAL, TooLong, capacity, cut
from dlms.transfer.server import Answer, Complete
from dlms.xdlms.block import Block
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.read import BlockTaken, ReadResponse
from dlms.xdlms.variable_access import ShortBlock
from dlms.xdlms.write import WriteResponse

_HEAD = 6
"""Octets in front of the OCTET STRING of a response block."""


class NamesServer:
    """The block transfers of one association with short names.

    Give :meth:`receive` every request, carry out what is :class:`Complete` and give its response to
    :meth:`send`; send the response of an :class:`Answer` as it is. ``max_total`` bounds the octets
    of one value.

    Whether a step was negotiated is judged before, by the request's own ``needs``; those of a
    request that came in blocks are known only once it is :class:`Complete`.
    """

    def __init__(self, max_total: int = MAX_TOTAL) -> None:
        self._max_total = max_total
        self._one: OneTransfer[Long] = OneTransfer(max_total)

    @property
    def pending(self) -> int:
        """How many octets of a value are kept."""
        return self._one.pending

    def reset(self) -> None:
        """Forget everything: the association has ended."""
        self._one.reset()

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, request: NameRequest) -> Complete | Answer:
        """Take one request, whole or a step. None makes it raise."""
        match step_of(request):
            case Onward(number):
                return Answer(self._go_on(number))
            case Piece(of, block):
                return self._take(of, block)
        self._one.abandon()
        return Complete(request)

    def _go_on(self, number: int) -> NameResponse:
        block = self._one.go_on(Long.READ_RESPONSE, number)
        return _refusal(Long.READ_RESPONSE, block) if isinstance(block, Trouble) else _sent(block)

    def _take(self, of: Long, block: ShortBlock) -> Complete | Answer:
        transfer = self._one.under_way
        if block.number == 1:
            self._one.abandon()
            transfer = Incoming(of=of, raw=bytearray())
        if not isinstance(transfer, Incoming) or transfer.of is not of:
            return Answer(_refusal(of, self._one.why_none(of)))
        trouble = self._one.put(transfer, block.number, block.last, block.raw)
        if trouble is not None:
            return Answer(_refusal(of, trouble))
        if block.last:
            try:
                return Complete(whole_request(of, bytes(transfer.raw)))
            except CodecError:
                return Answer(_refusal(of, Trouble.ABORTED))
        return Answer(_one_result(of, BlockTaken(number=block.number)))

    # Sending ------------------------------------------------------------------------------------

    def send(
        self,
        response: NameResponse,
        room: int | None,
        conformance: Conformance,
        *,
        whole: bool = False,
    ) -> bytes:
        """Encode the response to the last :class:`Complete`: itself, or its first block.

        ``room`` is how many octets the plain APDU may have, ``None`` any number; ``conformance`` is
        what was negotiated. What does not fit and cannot be cut is given as it is if ``whole``, for
        others to cut; else it is :class:`TooLong`, and the answer is a ConfirmedServiceError,
        pdu-size. No transfer begins then, but a Write has been carried out.
        """
        apdu = response.encode()
        if room is None or len(apdu) <= room:
            return apdu
        raw, size = apdu[1:], capacity(room - _HEAD)
        cuttable = isinstance(response, ReadResponse) and (
            Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ in conformance
        )
        # A product, so that no room at all makes it too long, too.
        if not cuttable or len(raw) > min(self._max_total, size * MAX_NUMBER):
            if whole:
                return apdu
            raise TooLong(f"response of {len(apdu)} octets, {room} fit")
        transfer = Outgoing(of=Long.READ_RESPONSE, size=len(raw), blocks=cut(raw, size, size))
        self._one.begin(transfer)
        return _sent(self._one.next_block(transfer)).encode()


def _sent(block: Block) -> NameResponse:
    return ReadResponse((ShortBlock(*block),))


def _refusal(of: Long, trouble: Trouble) -> NameResponse:
    """The answer to a step that ends the transfer, or belongs to none."""
    return _one_result(of, (SET_CODES if of is Long.WRITE_REQUEST else GET_CODES)[trouble])


def _one_result(of: Long, result: BlockTaken | DataAccessResult) -> NameResponse:
    return WriteResponse((result,)) if of is Long.WRITE_REQUEST else ReadResponse((result,))
