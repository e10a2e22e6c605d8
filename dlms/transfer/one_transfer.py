"""The one block transfer that a server has under way, and what is known of the one before.

One at a time per association, so that what a client can make us keep is bounded. Whoever asks for
the rest of one that was given up is told once that it was aborted, and then that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from dlms.transfer.answers import Trouble
from dlms.xdlms.block import Block

Of = TypeVar("Of")
"""What says which transfer a block belongs to."""


@dataclass(slots=True, kw_only=True)
class Outgoing(Generic[Of]):
    """A long response; ``number`` is of the block that was sent last."""

    of: Of
    size: int
    blocks: Iterator[Block]
    number: int = 0


@dataclass(slots=True, kw_only=True)
class Incoming(Generic[Of]):
    """A long request; ``number`` is of the block that came last."""

    of: Of
    raw: bytearray
    number: int = 0

    @property
    def size(self) -> int:
        return len(self.raw)


class OneTransfer(Generic[Of]):
    """``max_total`` bounds the octets of one value that comes."""

    __slots__ = ("_aborted", "_max_total", "under_way")

    def __init__(self, max_total: int) -> None:
        self._max_total = max_total
        self._aborted: Of | None = None
        self.under_way: Outgoing[Of] | Incoming[Of] | None = None

    @property
    def pending(self) -> int:
        """How many octets of a value are kept."""
        return 0 if self.under_way is None else self.under_way.size

    def reset(self) -> None:
        """Forget everything: the association has ended."""
        self.under_way = self._aborted = None

    def begin(self, transfer: Outgoing[Of] | Incoming[Of]) -> None:
        """Have ``transfer`` under way."""
        self.under_way = transfer
        if self._aborted == transfer.of:
            self._aborted = None

    def abandon(self) -> None:
        """Give up what is under way for something else that was asked."""
        if self.under_way is not None:
            self._aborted = self.under_way.of
            self.under_way = None

    def why_none(self, of: Of) -> Trouble:
        """The trouble with a step of a transfer ``of`` that is not under way."""
        if self._aborted != of:
            return Trouble.NONE_IN_PROGRESS
        self._aborted = None
        return Trouble.ABORTED

    def put(self, transfer: Incoming[Of], number: int, last: bool, raw: bytes) -> Trouble | None:
        """Take the next block of ``transfer``, which is under way as long as it is not the last.

        Trouble ends the transfer.
        """
        self.under_way = None
        if number != transfer.number + 1:
            return Trouble.WRONG_NUMBER
        if transfer.size + len(raw) > self._max_total:
            return Trouble.ABORTED
        transfer.raw += raw
        transfer.number = number
        if not last:
            self.begin(transfer)
        return None

    def go_on(self, of: Of, number: int) -> Block | Trouble:
        """The next block of a long response ``of``, of which block ``number`` has arrived.

        A wrong number ends the transfer.
        """
        transfer = self.under_way
        if not isinstance(transfer, Outgoing) or transfer.of != of:
            return self.why_none(of)
        if number != transfer.number:
            self.under_way = None
            return Trouble.WRONG_NUMBER
        return self.next_block(transfer)

    def next_block(self, transfer: Outgoing[Of]) -> Block:
        """The next block of ``transfer``, which ends with its last one."""
        block = next(transfer.blocks)
        transfer.number = block.number
        if block.last:
            self.under_way = None
        return block
