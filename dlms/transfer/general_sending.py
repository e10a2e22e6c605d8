"""The blocks that one end of a general block transfer has to send (GB Ed. 8, 9.4.6.13.4: SQ)."""

from __future__ import annotations

from collections import deque

from dlms.errors import LocalProtocolError
from dlms.transfer.pieces import TooLong, cut
from dlms.xdlms.block import Block
from dlms.xdlms.general_block import MAX_NUMBER


class SendQueue:
    """What is not acknowledged yet, numbered without a gap from ``acknowledged + 1`` on.

    Where there is nothing to say, an empty last block carries the acknowledgement. It has a number
    like any other, and keeps it until it is acknowledged itself.
    """

    __slots__ = ("_blocks", "_data", "_dropped", "acknowledged", "sent")

    def __init__(self) -> None:
        self._blocks: deque[Block] = deque()
        self._data = 0
        self._dropped = False
        self.acknowledged = 0
        self.sent = 0

    @property
    def pending(self) -> int:
        """Octets that are not acknowledged."""
        return self._data

    def add_message(self, apdu: bytes, size: int) -> None:
        """Append ``apdu`` in blocks of at most ``size`` octets.

        :class:`TooLong` if the numbers do not suffice: they do not begin again.
        """
        base = self._next - 1
        if base + -(-len(apdu) // size) > MAX_NUMBER:
            raise TooLong(f"{len(apdu)} octets in blocks of {size}")
        self._blocks.extend(
            block._replace(number=base + block.number) for block in _cut(apdu, size)
        )
        self._data += len(apdu)

    def need_block(self) -> bool:
        """See to it that there is a block, if need be an empty one. ``False``: out of numbers."""
        if not self._blocks:
            if self._next > MAX_NUMBER:
                return False
            self._blocks.append(Block(not self._dropped, self._next, b""))
        return True

    def acknowledge(self, number: int) -> bool:
        """Drop the blocks up to ``number``, which has been sent. Whether there were any."""
        before = self.acknowledged
        while self._blocks and self._blocks[0].number <= number:
            self._data -= len(self._blocks.popleft().raw)
        self.acknowledged = max(before, number)
        return self.acknowledged > before

    def pending_after(self, number: int) -> bool:
        """Whether there will be data to send when the blocks up to ``number`` are acknowledged."""
        if not self._data:
            return False
        return any(block.raw and block.number > number for block in reversed(self._blocks))

    def stream(self, window: int) -> list[Block]:
        """The next blocks to send, or to send again: at most ``window``, and an empty one in front
        that was sent before: it would otherwise never be got rid of where ``window`` is 1.
        """
        blocks = []
        for block in self._blocks:
            window -= bool(block.raw)
            if window < 0:
                break
            blocks.append(block)
        if blocks:
            self.sent = max(self.sent, blocks[-1].number)
        return blocks

    def drop(self) -> None:
        """Give up what is not acknowledged. Its numbers are used again, but no empty last block
        may make what the peer has of it look whole.
        """
        self._dropped = True
        self._blocks.clear()
        self._data = 0

    @property
    def _next(self) -> int:
        return self.acknowledged + len(self._blocks) + 1


def check_apdu(apdu: bytes, max_total: int) -> None:
    """:class:`LocalProtocolError` if ``apdu`` is none that may be sent in blocks."""
    if not apdu:
        raise LocalProtocolError("an empty APDU cannot be told from an acknowledgement")
    if len(apdu) > max_total:
        raise LocalProtocolError(f"APDU of {len(apdu)} octets, {max_total} allowed")


def _cut(apdu: bytes, size: int) -> list[Block]:
    return list(cut(apdu, size, size))
