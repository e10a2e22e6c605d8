"""The writer: takes entries at once and stores them in batches, in a thread of its own.

A command does not wait for a disk at each operation, only where it says so: :meth:`Writer.flush`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from emulator.database import DatabaseError
from emulator.ledger.entry import Entry
from emulator.ledger.errors import LedgerError
from emulator.ledger.store import LedgerStore

LIMIT = 8192
"""Entries that wait: about 10 MiB. Who brings more waits for room; nothing is dropped."""
BATCH = 512
"""So many are written without anybody asking for it."""
DELAY = 1.0
"""Seconds after which what is there is written in any case."""


class Writer:
    """One thread on one store. To be entered before it is used; leaving it flushes, stops the
    thread and closes the store.
    """

    def __init__(self, store: LedgerStore, limit: int = LIMIT, batch: int = BATCH) -> None:
        self._store = store
        self._limit = limit
        self._batch = batch
        self._changed = threading.Condition()
        self._waiting: list[Entry] = []
        self._taken = 0
        self._stored = 0
        self._wanted = 0
        self._asked: list[tuple[int, Callable[[], None]]] = []
        self._failure: str | None = None
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="ledger writer", daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.flush()
        finally:
            with self._changed:
                self._ends = True
                self._changed.notify_all()
            self._thread.join()
            self._store.close()

    def put(self, entry: Entry) -> None:
        """:class:`LedgerError` if the store has failed: then nothing more is taken."""
        with self._changed:
            if len(self._waiting) >= self._limit:
                self._wanted = self._taken
                self._changed.notify_all()
                self._changed.wait_for(self._has_room)
            self._check()
            self._waiting.append(entry)
            self._taken += 1
            # The first makes the thread look at the time, a full batch makes it write.
            if len(self._waiting) in (1, self._batch):
                self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all that was taken so far is stored and committed. :class:`LedgerError` if it
        cannot be.
        """
        with self._changed:
            wanted = self._wanted = self._taken
            if self._stored < wanted:
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._stored >= wanted or self._failure is not None)
            self._check()

    async def flushed(self) -> None:
        """The same for an event loop, which goes on meanwhile."""
        loop = asyncio.get_running_loop()
        stored = loop.create_future()

        def tell() -> None:
            if not stored.done():
                stored.set_result(None)

        with self._changed:
            self._check()
            wanted = self._wanted = self._taken
            if self._stored >= wanted:
                return
            self._asked.append((wanted, lambda: _call(loop, tell)))
            self._changed.notify_all()
        await stored
        with self._changed:
            self._check()

    def _has_room(self) -> bool:
        return len(self._waiting) < self._limit or self._failure is not None

    def _check(self) -> None:
        if self._failure is not None:
            raise LedgerError(f"the ledger cannot be written: {self._failure}")

    def _is_due(self) -> bool:
        return self._ends or self._wanted > self._stored or len(self._waiting) >= self._batch

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ends or bool(self._waiting))
                self._changed.wait_for(self._is_due, DELAY)
                entries, self._waiting = self._waiting, []
                if not entries:
                    return  # it ends
                self._changed.notify_all()  # there is room
            failure = self._store_all(entries)
            with self._changed:
                self._failure = failure
                self._stored += len(entries)
                self._changed.notify_all()
                asked, self._asked = self._asked, []
                for wanted, tell in asked:
                    if self._stored >= wanted or failure is not None:
                        tell()
                    else:
                        self._asked.append((wanted, tell))
                if failure is not None:
                    return

    def _store_all(self, entries: list[Entry]) -> str | None:
        """Why not, if it was not possible."""
        try:
            self._store.append(entries)
        except (DatabaseError, LedgerError) as error:
            return str(error)
        except Exception as error:
            # Whatever it is, who waits must be told: nothing is done that nobody writes down.
            return f"{type(error).__name__}: {error}"
        return None


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """From another thread. A loop that has ended waits for nothing any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)
