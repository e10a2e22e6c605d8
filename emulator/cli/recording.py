"""The ledger that a command writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emulator.database import Database
from emulator.ledger import Entry, Ledger
from emulator.ledger.store import LedgerStore
from emulator.ledger.writer import Writer


@contextmanager
def recorded(
    database: Database, on_entry: Callable[[Entry], None] | None = None, *, keep: bool = True
) -> Iterator[Ledger]:
    """The ledger in a database, to be written by one command. All of it lasts when the block is
    left. :class:`~emulator.ledger.LedgerError` if it cannot be written.
    """
    with Writer(LedgerStore(database)) as writer:
        yield Ledger(on_entry, sink=writer, keep=keep)
