"""The blocks that one end of a general block transfer has received (GB Ed. 8, 9.4.6.13.5 and
9.4.6.13.6: RQ).
"""

from __future__ import annotations

from enum import Enum

from dlms.xdlms.block import Block
from dlms.xdlms.general_block import MAX_WINDOW


class Verdict(Enum):
    """What a block is, beside those that were taken before. The value is the ``reason``."""

    NEW = "new"
    REPEATED = "repeated"
    FOREIGN = "block-of-no-exchange"
    """Another block than the one with its number was, or one behind the last."""
    CONTRADICTS = "block-contradicts"
    """Another block than the one with its number that waits for a gap to be filled."""
    TOO_FAR = "block-beyond-window"
    TOO_LONG = "long-apdu"


TAKEN = frozenset((Verdict.NEW, Verdict.REPEATED))
"""The verdicts that nothing is wrong with."""


class ReceiveQueue:
    """Blocks with their numbers, put together to one APDU of at most ``max_total`` octets.

    Blocks ahead of a gap wait. No window is larger than :data:`MAX_WINDOW`, so none may be further
    ahead than that, and as few may be repeated: of those a hash tells whether they are the same.
    """

    __slots__ = ("_first", "_max_total", "_raw", "_recent", "_size", "_waiting", "complete", "upto")

    def __init__(self, max_total: int) -> None:
        self.upto = 0
        """Number of the last block up to which nothing is missing."""
        self.complete = False
        """Whether the APDU has been given out."""
        self._max_total = max_total
        self._raw = bytearray()
        self._waiting: dict[int, Block] = {}
        self._size = 0
        self._first = 0
        self._recent: dict[int, int] = {}

    @property
    def pending(self) -> int:
        """Octets that are kept. More than none: an APDU is under way."""
        return self._size

    @property
    def gap(self) -> int:
        """How many blocks are missing in the first gap."""
        return min(self._waiting) - self.upto - 1 if self._waiting else 0

    def memory(self) -> dict[int, int]:
        """Hashes of the data of the last blocks that were taken, by their numbers."""
        return self._recent

    def begins_with(self, octets: bytes) -> bool:
        """Whether block 1 was taken, and is the same."""
        return self.upto > 0 and self._first == hash(octets)

    def judge(self, block: Block) -> Verdict:
        """Say what ``block`` is. Nothing changes."""
        number = block.number
        if number <= self.upto:
            known = self._recent.get(number)
            return Verdict.REPEATED if known in (None, hash(block.raw)) else Verdict.FOREIGN
        waiting = self._waiting.get(number)
        if waiting is not None:
            return Verdict.REPEATED if waiting.raw == block.raw else Verdict.CONTRADICTS
        if number > self.upto + MAX_WINDOW:
            return Verdict.TOO_FAR
        if self.complete and block.raw:
            return Verdict.FOREIGN
        if self._size + len(block.raw) > self._max_total:
            return Verdict.TOO_LONG
        return Verdict.NEW

    def put(self, block: Block) -> bytes | None:
        """Take a block that is :attr:`Verdict.NEW`. The APDU, if that makes it whole.

        A last block ends an APDU only if there is one: an acknowledgement is an empty last block.
        """
        self._waiting[block.number] = block
        self._size += len(block.raw)
        whole = None
        while (due := self._waiting.pop(self.upto + 1, None)) is not None:
            self._remember(due)
            self._raw += due.raw
            if due.last and self._raw:
                whole = bytes(self._raw)
                self.complete = True
                self._raw.clear()
                self._size = 0
                # What waits behind the last block belongs to nothing.
                self._waiting = {n: b for n, b in self._waiting.items() if not b.raw}
        return whole

    def _remember(self, block: Block) -> None:
        self.upto = block.number
        if block.number == 1:
            self._first = hash(block.raw)
        self._recent[block.number] = hash(block.raw)
        self._recent.pop(block.number - MAX_WINDOW, None)
