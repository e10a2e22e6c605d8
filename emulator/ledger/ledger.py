"""What Custody writes to: entries in memory at once, and in a store if there is one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Protocol

from dlms.security.keys import KeyRef
from emulator.ledger.entry import Entry, Outcome
from emulator.ledger.groups import Group, summarise
from emulator.policy import Actor, Category, Decision, Purpose


class Sink(Protocol):
    """Where entries go to last."""

    def put(self, entry: Entry) -> None:
        """Take an entry, waiting for room. :class:`~emulator.ledger.LedgerError` if it cannot."""
        ...

    def flush(self) -> None:
        """Wait until all that was taken lasts. :class:`~emulator.ledger.LedgerError` if not."""
        ...

    async def flushed(self) -> None:
        """The same for an event loop, which goes on meanwhile."""
        ...


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Ledger:
    """``on_entry`` is told each entry as it is made, ``sink`` keeps it beyond this process. With
    ``keep`` off nothing stays in memory: for what runs without end.
    """

    def __init__(
        self,
        on_entry: Callable[[Entry], None] | None = None,
        *,
        sink: Sink | None = None,
        now: Callable[[], dt.datetime] = _utc_now,
        keep: bool = True,
    ) -> None:
        self._entries: list[Entry] = []
        self._count = 0
        self._on_entry = on_entry
        self._sink = sink
        self._now = now
        self._keep = keep

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        """The entries in memory."""
        return iter(self._entries)

    def append(
        self,
        *,
        actor: Actor,
        device: str,
        category: Category | None,
        operation: str,
        purpose: Purpose,
        keys: tuple[KeyRef, ...],
        decision: Decision,
        module: str,
        emulated: bool,
        sufficient: bool,
        outcome: Outcome,
        edition: str,
        mode: str,
    ) -> None:
        """:class:`~emulator.ledger.LedgerError` if the store can take no more: nothing is to be
        done that nobody writes down.
        """
        entry = Entry(
            self._count + 1,
            self._now(),
            actor,
            device,
            category,
            operation,
            purpose,
            keys,
            decision,
            module,
            emulated,
            sufficient,
            outcome,
            edition,
            mode,
        )
        if self._sink is not None:
            self._sink.put(entry)
        self._count += 1
        if self._keep:
            self._entries.append(entry)
        if self._on_entry is not None:
            self._on_entry(entry)

    def flush(self) -> None:
        """Wait until every entry lasts. :class:`~emulator.ledger.LedgerError` if one does not."""
        if self._sink is not None:
            self._sink.flush()

    async def flushed(self) -> None:
        """The same for an event loop, which goes on meanwhile."""
        if self._sink is not None:
            await self._sink.flushed()

    def summary(self) -> list[Group]:
        """Entries grouped by who did what under which clause, strictest class first."""
        return summarise(self._entries)

    def reasons(self) -> list[tuple[str, str]]:
        """Each clause with each reason that was given, once."""
        return sorted({(entry.decision.clause, entry.decision.why) for entry in self._entries})
