"""General block transfer below an association: whole APDUs on one side of it, what is sent and
received on the other (GB Ed. 8, 9.4.6.13).

It carries what comes out of ciphering and goes into it, so that an invocation counter is spent for
an APDU and not for a block. An APDU goes in blocks if it is too long otherwise, if it answers one
that came in blocks, or if the configuration wants that always. What makes and ends associations
never does: it is what blocks are negotiated by.

An answer is given as its question came, even if the association has ended meanwhile.
"""

from __future__ import annotations

from dlms.acse import aare, aarq
from dlms.acse.release import RLRE_TAG, RLRQ_TAG
from dlms.errors import RemoteProtocolError
from dlms.transfer.general import ABORT, GeneralTransfer, Received
from dlms.transfer.pieces import MAX_TOTAL, TooLong, capacity
from dlms.xdlms import general_block
from dlms.xdlms.conformance import Conformance

_NEGOTIATED = int(Conformance.GENERAL_BLOCK_TRANSFER)
_ACSE = frozenset((aarq.TAG, aare.TAG, RLRQ_TAG, RLRE_TAG))
_TAG = bytes((general_block.TAG,))
_BLOCKS = general_block.MAX_NUMBER // 2
"""Blocks of one APDU at most: its question, and acknowledgements, have taken numbers before it."""


def is_general_block(octets: bytes) -> bool:
    return octets[:1] == _TAG


def is_acknowledgement(octets: bytes) -> bool:
    """Whether this is a general block without data: it asks for nothing."""
    return is_general_block(octets) and octets[general_block.HEAD :] == b"\0"


class Carrier:
    """``window`` is how many blocks we take in one stream, ``always`` whether what we send first
    goes in blocks even if it is short, which tells the peer our window. ``answers``: we never send
    first, as servers. ``ordered``: the line delivers in order, if at all. Where it does not, the
    same question again is a late repetition, and not carried out a second time. ``most``: octets
    that we take at once, as we have said to the peer; 0 for any number.
    """

    __slots__ = (
        "_always",
        "_answers",
        "_limit",
        "_longest",
        "_most",
        "_ordered",
        "_transfer",
        "_used",
        "_window",
        "negotiated",
    )

    def __init__(
        self,
        window: int,
        *,
        always: bool = False,
        answers: bool = False,
        ordered: bool = True,
        most: int = 0,
    ) -> None:
        self._most = most
        self.negotiated = False
        self._window = window
        self._always = always
        self._answers = answers
        self._ordered = ordered
        self._limit = self._longest = 0
        self._transfer: GeneralTransfer | None = None
        self._used = False

    def begin(self, conformance: Conformance, peer_max_pdu: int) -> None:
        """An association stands. ``peer_max_pdu`` is in octets, 0 for no limit."""
        room = capacity(peer_max_pdu - general_block.HEAD) if peer_max_pdu else MAX_TOTAL
        self.negotiated = bool(_NEGOTIATED & int(conformance)) and room > 0
        self._limit = peer_max_pdu
        self._longest = min(MAX_TOTAL, room * _BLOCKS)
        self._transfer, self._used = None, False
        if self.negotiated:
            self._transfer = GeneralTransfer(
                max_block=room,
                window=self._window,
                ordered=self._ordered,
                answers=self._answers,
            )

    def end(self) -> None:
        """It has ended; what is owed is still answered."""
        self.negotiated = False
        if self._transfer is not None and not self._transfer.owes:
            self._transfer = None

    @property
    def unbounded(self) -> bool:
        """Whether the next APDU may have any length, because it will go in blocks anyway."""
        transfer = self._transfer
        return transfer is not None and (self._always or transfer.owes)

    @property
    def taken(self) -> int:
        """How many blocks of the present messages have arrived, ours and the peer's."""
        return 0 if self._transfer is None else self._transfer.taken

    @property
    def pending(self) -> int:
        """How many octets of messages in blocks are kept."""
        return 0 if self._transfer is None else self._transfer.pending

    @property
    def waiting(self) -> bool:
        """Whether the peer has to acknowledge, or to go on, before anything else."""
        return self._transfer is not None and self._transfer.waiting

    def takes(self, length: int) -> bool:
        """Whether an APDU of ``length`` octets can be sent, in blocks or without."""
        limit = self._longest if self._transfer is not None else self._limit
        return not limit or length <= limit

    def check_length(self, octets: bytes) -> None:
        """:class:`RemoteProtocolError` if the peer sends more at once than was agreed on (GB Ed. 8,
        9.4.6.1). What makes and ends associations is not counted.
        """
        if 0 < self._most < len(octets) and octets[0] not in _ACSE:
            raise RemoteProtocolError(
                f"{len(octets)} octets at once, more than {self._most}", reason="pdu-too-long"
            )

    def send(self, apdu: bytes) -> tuple[bytes, ...]:
        """What to send now for ``apdu``: itself, or the first stream of its blocks. Whatever was
        under way is over.

        :class:`~dlms.errors.LocalProtocolError` if it cannot be sent. An answer for which the
        question has left no numbers is an abort.
        """
        transfer = self._transfer
        if transfer is None:
            return (apdu,)
        owes = transfer.owes
        in_blocks = owes or self._always or 0 < self._limit < len(apdu)
        if not in_blocks or apdu[0] in _ACSE:
            self.passed_plain()
            return (apdu,)
        if not owes:
            transfer.reset()
        self._used = True
        try:
            return transfer.send(apdu)
        except TooLong:
            if not owes:
                raise
            transfer.reset()
            return (ABORT,)

    def tell(self, apdu: bytes) -> tuple[bytes, ...]:
        """The same for what nobody answers, and nobody acknowledges. Nothing under way ends."""
        if self._transfer is not None and 0 < self._limit < len(apdu):
            return self._transfer.send_unconfirmed(apdu)
        return (apdu,)

    def receive(self, octets: bytes) -> Received:
        """Take one block. :class:`RemoteProtocolError`, perhaps with a reply, if it is wrong.

        Behind the end of an association only acknowledgements of what was owed are taken.
        """
        transfer = self._transfer
        if transfer is None:
            raise RemoteProtocolError("blocks were not negotiated", reason="gbt-not-negotiated")
        if not self.negotiated and not (transfer.waiting and is_acknowledgement(octets)):
            raise RemoteProtocolError("blocks of no association", reason="block-of-no-exchange")
        self._used = True
        return transfer.receive(octets)

    def passed_plain(self) -> None:
        """An APDU goes or comes without blocks: that ends every exchange."""
        if self._used and self._transfer is not None:
            self._transfer.reset()
            self._used = False

    def acknowledge(self) -> tuple[bytes, ...]:
        """What to send if the APDU that came last is not answered."""
        if self._transfer is None:
            return ()
        try:
            return self._transfer.acknowledge()
        except RemoteProtocolError:  # it has left no numbers to acknowledge it with
            return (ABORT,)

    def timeout(self) -> tuple[bytes, ...]:
        """What to send again because nothing came. :class:`RemoteProtocolError` if too often."""
        return () if self._transfer is None else self._transfer.timeout()
