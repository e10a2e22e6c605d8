"""General block transfer: any APDU, ciphered or not, in blocks (GB Ed. 8, 9.4.6.13).

One :class:`GeneralTransfer` at each end of an association, below ciphering: whole APDUs in and out
on the one side, general-block-transfer APDUs on the other. An exchange is a message and, as a rule,
a message back. The blocks of each direction are numbered from 1; each block says how many its
sender takes in one stream and up to which number it has all of the other's. A stream ends with a
block that is not streaming; the other end then sends its own next blocks, or an empty last block.
Where it has a gap it asks for just that, by its acknowledgement and a window as large as the gap.

Where the book leaves it open:

- A block with number 1 that acknowledges nothing and has data begins an exchange, and ends the one
  before. If it is the same as the first block of that one, it is a repetition: nothing is handed
  over twice. Not so on a line that keeps the order, once our answer was acknowledged: nothing of
  that exchange can follow, and a client may ask the same again.
- A plain APDU in either direction ends an exchange too: the owner calls ``reset`` for it.
- Numbers do not begin again behind 65535.
- Once an exchange was broken off by an abort, of either end, only a first block begins another:
  what is left of its stream would pass for blocks whose first one is lost.
- The book's ABORT is a last block with number 0 that acknowledges nothing. It is our answer to what
  makes it impossible to go on. A block that cannot be read or believed is as if it were lost.
- Window 0 says that nothing is to come back. Blocks with data that say so and acknowledge nothing
  are unconfirmed (:mod:`dlms.transfer.general_unconfirmed`).

A block does not say which exchange it belongs to. One that is late, or repeated by a timer that ran
too short, may be taken for one of the next exchange; only ciphering and invoke ids tell then. So
that messages are not mixed, what equals a block of the exchange before is not believed until a
first block has come: where the order is kept, nothing late comes behind that.

A :class:`RemoteProtocolError` leaves all as it was if its reason is ``malformed-gbt``,
``block-number-ack`` (of what was not sent), ``block-of-no-exchange`` or ``collision`` (the peer
begins an exchange while ours waits for an answer). There is no exchange any more after the others:
``aborted`` by the peer; ``block-number`` 0; ``last-and-streaming``, of which a block may be one;
``window-0`` while there is more to send; ``numbers-exhausted``, none is left to acknowledge with;
``no-progress``, time ran out more than :data:`MAX_REPEATS` times; and ``block-contradicts``,
``block-beyond-window``, ``long-apdu`` (:class:`~dlms.transfer.general_receiving.Verdict`).
"""

from __future__ import annotations

from typing import NamedTuple

from dlms.errors import CodecError, LocalProtocolError, RemoteProtocolError
from dlms.transfer.general_receiving import TAKEN, ReceiveQueue, Verdict
from dlms.transfer.general_sending import SendQueue, check_apdu
from dlms.transfer.general_unconfirmed import UnconfirmedTransfer
from dlms.transfer.pieces import MAX_TOTAL
from dlms.xdlms.block import Block
from dlms.xdlms.general_block import MAX_WINDOW, GeneralBlock, decode

MAX_REPEATS = 8
"""How often the same is sent again without any progress: as often because the peer repeats itself,
which is ignored from then on, as because nothing comes."""

ABORT = GeneralBlock(True, False, 0, 0, 0, b"").encode()


class Received(NamedTuple):
    """``apdu`` is whole and given once; ``replies`` are to be sent now."""

    apdu: bytes | None
    replies: tuple[bytes, ...]


_NOTHING = Received(None, ())


class GeneralTransfer:
    """One end. The owner has the clock, and the knowledge of who answers whom.

    - What :meth:`receive` gives as ``apdu`` is answered: with :meth:`send`, or, if there is nothing
      to say, with :meth:`acknowledge`. While :attr:`owes` the answer may not go without blocks.
    - If nothing has come for a while and :attr:`waiting`, :meth:`timeout` says what to repeat.

    ``max_block`` is how many octets of data a block to the peer may have (its PDU size without
    :data:`~dlms.xdlms.general_block.HEAD` and the length), ``window`` how many blocks we take in
    one stream, ``peer_window`` how many the peer takes as long as it has not said so. What is kept
    is bounded by ``max_total`` octets: once sending, once receiving, once receiving unconfirmed.
    ``ordered``: the line delivers in order, as HDLC and TCP do, if at all. ``answers``: this end
    only ever answers, so the peer may begin an exchange while ours, which answers what came
    without blocks, waits for an acknowledgement that was lost.
    """

    def __init__(
        self,
        *,
        max_block: int,
        window: int = 1,
        max_total: int = MAX_TOTAL,
        peer_window: int = 1,
        ordered: bool = True,
        answers: bool = False,
    ) -> None:
        if max_block < 1 or not 1 <= window <= MAX_WINDOW or not 1 <= peer_window <= MAX_WINDOW:
            raise LocalProtocolError(f"blocks of {max_block}, windows {window}, {peer_window}")
        self._max_block = max_block
        self._window = window
        self._max_total = max_total
        self._first_peer_window = peer_window
        self._ordered = ordered
        self._answers = answers
        self._unconfirmed = UnconfirmedTransfer(
            max_block=max_block, max_total=max_total, ordered=ordered
        )
        self._inbox = ReceiveQueue(max_total)
        self.reset()

    @property
    def owes(self) -> bool:
        """Whether an APDU was handed over that has not been answered."""
        return self._owes

    @property
    def waiting(self) -> bool:
        """Whether the peer is to acknowledge or to go on: time may run out."""
        return bool(self._queue.pending or self._inbox.pending)

    @property
    def pending(self) -> int:
        """How many octets are kept."""
        return self._queue.pending + self._inbox.pending + self._unconfirmed.pending

    @property
    def taken(self) -> int:
        """How many blocks of the present messages have arrived, ours and the peer's."""
        return self._queue.acknowledged + self._inbox.upto + self._unconfirmed.taken

    def reset(self) -> None:
        """Forget the exchange: an APDU has gone without blocks. What comes unconfirmed is no part
        of any.
        """
        self._queue = SendQueue()
        self._before = self._inbox.memory()
        self._inbox = ReceiveQueue(self._max_total)
        self._peer_window = self._first_peer_window
        self._announced = self._window
        self._owes = self._answered = self._began = self._aborted = False
        self._repeats = self._timeouts = 0

    # Sending ------------------------------------------------------------------------------------

    def send(self, apdu: bytes) -> tuple[bytes, ...]:
        """Answer the APDU that was handed over last, or begin an exchange.

        :class:`LocalProtocolError` if a message is under way. :class:`TooLong` if there are not
        enough numbers for it, or it exceeds ``max_total``.
        """
        check_apdu(apdu, self._max_total)
        if not self._owes and self.waiting:
            raise LocalProtocolError("a message is under way")
        queue = self._queue if self._owes else SendQueue()
        queue.add_message(apdu, self._max_block)
        if self._owes:
            self._owes, self._answered = False, True
        else:
            self.reset()
            self._queue, self._began = queue, True
        return self._stream()

    def acknowledge(self) -> tuple[bytes, ...]:
        """Say that the APDU was received and nothing comes back. Empty if none is owed."""
        if not self._owes:
            return ()
        self._owes = False
        return self._stream()

    def send_unconfirmed(self, apdu: bytes) -> tuple[bytes, ...]:
        """All of ``apdu`` in blocks that nobody acknowledges. Exchanges are not touched."""
        return self._unconfirmed.send(apdu)

    def timeout(self) -> tuple[bytes, ...]:
        """Nothing came for a while: what to send again. Empty if nothing is awaited.

        :class:`RemoteProtocolError` (``no-progress``) if that was done too often.
        """
        if not self.waiting:
            return ()
        self._timeouts += 1
        if self._timeouts > MAX_REPEATS:
            raise self._broken("no progress", "no-progress")
        return self._stream()

    def _stream(self) -> tuple[bytes, ...]:
        """Our next blocks, or an acknowledgement, or both again."""
        if not self._queue.need_block():
            raise self._broken("65535 blocks", "numbers-exhausted")
        inbox = self._inbox
        window = min(inbox.gap, self._window) or self._window
        self._announced = inbox.upto + window
        # An acknowledgement is what any peer must take.
        *more, end = self._queue.stream(max(self._peer_window, 1))
        blocks = [GeneralBlock(False, True, window, b.number, inbox.upto, b.raw) for b in more]
        blocks.append(GeneralBlock(end.last, False, window, end.number, inbox.upto, end.raw))
        return tuple(block.encode() for block in blocks)

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, octets: bytes) -> Received:
        """Take one general-block-transfer APDU. :class:`RemoteProtocolError`: see above."""
        try:
            block = decode(octets)
        except CodecError as error:
            raise _refused(str(error), "malformed-gbt") from error
        piece = Block(block.last, block.number, block.data)
        if not block.number:
            if block.last and not block.streaming and not block.acknowledged and not block.data:
                self.reset()
                self._aborted = True
                raise _refused("the peer has aborted", "aborted")
            raise self._broken("block with number 0", "block-number")
        if not block.window and not block.acknowledged and block.data:
            return Received(self._unconfirmed.receive(piece), ())
        if block.last and block.streaming:
            raise self._broken("the last block is streaming", "last-and-streaming")
        if block.data and block.number > 1 and not self._inbox.upto:
            late = self._before.get(block.number) == hash(block.data)
            if late or self._aborted:
                raise _refused(f"block {block.number} is of no exchange", "block-of-no-exchange")
        if self._begins(block):
            self._judge(block, piece, ReceiveQueue(self._max_total), SendQueue())
            self.reset()
        else:
            self._judge(block, piece, self._inbox, self._queue)
        return self._take(block, piece)

    def _begins(self, block: GeneralBlock) -> bool:
        """Whether ``block`` begins an exchange while there is another."""
        if block.acknowledged or not block.data:
            return False
        inbox, first = self._inbox, block.number == 1
        if self._began:
            # Whoever answers has acknowledged something.
            if not first or (self._queue.pending and not self._answers):
                raise _refused("an exchange of ours is under way", "collision")
            return True
        if not first or not inbox.upto:
            return False
        if not inbox.begins_with(block.data):
            return True
        return self._ordered and inbox.complete and self._answered and not self._queue.pending

    def _judge(
        self, block: GeneralBlock, piece: Block, inbox: ReceiveQueue, queue: SendQueue
    ) -> None:
        """Refuse ``block`` if anything is wrong with it, before anything changes."""
        if block.acknowledged > queue.sent:
            raise _refused(f"block {block.acknowledged} was not sent", "block-number-ack")
        verdict = inbox.judge(piece)
        if verdict is Verdict.FOREIGN:
            raise _refused(f"block {block.number} is of no exchange", verdict.value)
        if verdict not in TAKEN:
            raise self._broken(f"block {block.number}: {verdict.value}", verdict.value)
        if not block.window and queue.pending_after(block.acknowledged):
            raise self._broken("no window for our blocks", "window-0")

    def _take(self, block: GeneralBlock, piece: Block) -> Received:
        inbox, queue = self._inbox, self._queue
        self._aborted &= not block.data
        # An empty block in front of everything is an acknowledgement of the exchange before.
        kept = block.data or block.number == 1 or inbox.upto
        new = bool(kept) and inbox.judge(piece) is Verdict.NEW
        if block.acknowledged >= queue.acknowledged:  # else it has been overtaken
            self._peer_window = block.window
        progress = queue.acknowledge(block.acknowledged) or new
        if progress:
            self._repeats = self._timeouts = 0
        apdu = inbox.put(piece) if new else None
        if apdu is not None:
            # An answer before all of the question has come: the rest is no longer wanted.
            if queue.pending:
                queue.drop()
            self._owes = True
            return Received(apdu, ())
        if block.streaming and inbox.upto < self._announced:
            return _NOTHING
        if not block.data and not queue.pending:
            return _NOTHING  # an acknowledgement is not acknowledged
        if not progress:
            # On a line that repeats, every answer to a repetition would be repeated in its turn.
            self._repeats += 1
            if self._repeats > MAX_REPEATS:
                return _NOTHING
        return Received(None, self._stream())

    def _broken(self, why: str, reason: str) -> RemoteProtocolError:
        self.reset()
        self._aborted = True
        return RemoteProtocolError(why, reply=ABORT, reason=reason)


def _refused(why: str, reason: str) -> RemoteProtocolError:
    return RemoteProtocolError(why, reason=reason)
