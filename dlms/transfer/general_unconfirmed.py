"""APDUs in general blocks that nobody acknowledges (GB Ed. 8, 9.4.6.13): window 0, all streaming.

Those of the peer's are put together by themselves, and a gap is never filled.
"""

from __future__ import annotations

from dlms.errors import RemoteProtocolError
from dlms.transfer.general_receiving import TAKEN, ReceiveQueue, Verdict
from dlms.transfer.general_sending import SendQueue, check_apdu
from dlms.xdlms.block import Block
from dlms.xdlms.general_block import GeneralBlock


class UnconfirmedTransfer:
    """One end. Its arguments are those of :class:`~dlms.transfer.general.GeneralTransfer`."""

    def __init__(self, *, max_block: int, max_total: int, ordered: bool) -> None:
        self._max_block = max_block
        self._max_total = max_total
        self._ordered = ordered
        self._inbox = ReceiveQueue(max_total)

    @property
    def pending(self) -> int:
        """How many octets are kept."""
        return self._inbox.pending

    @property
    def taken(self) -> int:
        """How many blocks of the present message have arrived."""
        return self._inbox.upto

    def send(self, apdu: bytes) -> tuple[bytes, ...]:
        """All of ``apdu``. The last block is streaming, too: nobody is to answer."""
        check_apdu(apdu, self._max_total)
        queue = SendQueue()
        queue.add_message(apdu, self._max_block)
        blocks = queue.stream(len(apdu))
        return tuple(GeneralBlock(b.last, True, 0, b.number, 0, b.raw).encode() for b in blocks)

    def receive(self, piece: Block) -> bytes | None:
        """Take a block; the APDU that it makes whole.

        :class:`RemoteProtocolError`, for the reason of its verdict, if it belongs to none; what
        there was of one is forgotten then.
        """
        inbox = self._inbox
        if piece.number == 1 and inbox.upto:
            again = inbox.begins_with(piece.raw) and not (self._ordered and inbox.complete)
            inbox = inbox if again else ReceiveQueue(self._max_total)
        verdict = inbox.judge(piece)
        if verdict is Verdict.FOREIGN and inbox.complete:  # of the next one, ahead of its first
            inbox = ReceiveQueue(self._max_total)
            verdict = inbox.judge(piece)
        if verdict not in TAKEN:
            self._inbox = ReceiveQueue(self._max_total)
            why = f"block {piece.number}: {verdict.value}"
            raise RemoteProtocolError(why, reason=verdict.value)
        self._inbox = inbox
        return inbox.put(piece) if verdict is Verdict.NEW else None
