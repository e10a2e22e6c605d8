"""What is wrong with a ledger."""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger cannot be written or read; the text says why."""


class Tampered(LedgerError):
    """The chain does not hold. ``number`` is the first entry that is not as it was written."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"entry {number}: {why}")
        self.number = number
        self.why = why
