"""The writer: batches, room, flushes, and what happens if the store fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from emulator.database import Database, DatabaseError, sqlite_url
from emulator.ledger import Entry, Ledger, LedgerError
from emulator.ledger.chain import Head
from emulator.ledger.store import LedgerStore
from emulator.ledger.writer import Writer

PATIENCE = 120.0


class Gated(LedgerStore):
    """Stores only while the gate is open, or with ``step`` set one batch each time that it is
    opened; ``broken`` is raised instead.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(Database(sqlite_url(path)))
        self.gate = threading.Event()
        self.gate.set()
        self.step = threading.Event()
        self.entered = threading.Event()
        self.batches: list[int] = []
        self.broken: Exception | None = None

    def append(self, entries: Sequence[Entry]) -> Head:
        self.entered.set()
        assert self.gate.wait(PATIENCE)
        if self.step.is_set():
            self.gate.clear()
        if self.broken is not None:
            raise self.broken
        self.batches.append(len(entries))
        return super().append(entries)


@pytest.fixture
def gated(path: Path) -> Iterator[Gated]:
    store = Gated(path)
    yield store
    store.close()


def stored(path: Path) -> int:
    """What another process sees."""
    store = LedgerStore(Database(sqlite_url(path)))
    head = store.verify()
    store.close()
    return head.number


def test_flushed_it_is_there_for_others(
    gated: Gated, path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    with Writer(gated) as writer:
        for entry in sample(10):
            writer.put(entry)
        writer.flush()
        assert stored(path) == 10
        assert sum(gated.batches) == 10
        writer.flush()  # nothing more to be written
        assert sum(gated.batches) == 10


def test_left_it_is_flushed(gated: Gated, path: Path, sample: Callable[[int], list[Entry]]) -> None:
    with Writer(gated) as writer:
        for entry in sample(3):
            writer.put(entry)
    assert stored(path) == 3


def test_left_by_an_error_it_is_flushed(
    gated: Gated, path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    with pytest.raises(LookupError), Writer(gated) as writer:  # noqa: PT012
        writer.put(sample(1)[0])
        raise LookupError
    assert stored(path) == 1


def test_a_full_batch_is_written_unasked(
    gated: Gated, sample: Callable[[int], list[Entry]]
) -> None:
    with Writer(gated, batch=5) as writer:
        for entry in sample(5):
            writer.put(entry)
        assert gated.entered.wait(PATIENCE)


def test_one_entry_is_written_unasked(gated: Gated, sample: Callable[[int], list[Entry]]) -> None:
    """After a second, which nobody measures here."""
    with Writer(gated) as writer:
        writer.put(sample(1)[0])
        assert gated.entered.wait(PATIENCE)


def test_who_brings_too_much_waits(
    gated: Gated, path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    """And nothing is dropped. While the store is shut, one is in it and five wait in the queue."""
    first, *others = sample(20)
    gated.gate.clear()
    put = 0
    full = threading.Event()

    def bring(writer: Writer) -> None:
        nonlocal put
        for entry in others:
            writer.put(entry)
            put += 1
            if put == 5:
                full.set()

    with Writer(gated, limit=5, batch=1) as writer:
        writer.put(first)
        assert gated.entered.wait(PATIENCE)
        thread = threading.Thread(target=bring, args=(writer,))
        thread.start()
        assert full.wait(PATIENCE)
        assert put == 5
        assert len(writer._waiting) == 5
        gated.gate.set()
        thread.join(PATIENCE)
        assert put == 19
    assert stored(path) == 20


async def test_an_event_loop_goes_on_meanwhile(
    gated: Gated, path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    gated.gate.clear()
    with Writer(gated) as writer:
        ledger = Ledger(sink=writer)
        writer.put(sample(1)[0])
        waits = [asyncio.create_task(ledger.flushed()) for _ in range(3)]
        await asyncio.sleep(0)
        assert await asyncio.to_thread(gated.entered.wait, PATIENCE)
        assert not any(wait.done() for wait in waits)
        gated.gate.set()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*waits)
        assert stored(path) == 1
        await ledger.flushed()


async def test_who_asks_later_waits_for_more(
    gated: Gated, path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    """The batch that was in the store when it asked is not all that it asked for."""
    one, two = sample(2)
    gated.step.set()
    gated.gate.clear()
    with Writer(gated) as writer:
        writer.put(one)
        first = asyncio.create_task(writer.flushed())
        await asyncio.sleep(0)
        assert await asyncio.to_thread(gated.entered.wait, PATIENCE)
        writer.put(two)
        second = asyncio.create_task(writer.flushed())
        await asyncio.sleep(0)
        gated.gate.set()  # for the first batch alone
        await first
        assert gated.batches == [1]
        await asyncio.sleep(0)
        assert not second.done()
        gated.gate.set()
        await second
        assert gated.batches == [1, 1]
    assert stored(path) == 2


async def test_who_no_longer_waits_is_not_told(
    gated: Gated, path: Path, sample: Callable[[int], list[Entry]]
) -> None:
    gated.gate.clear()
    with Writer(gated) as writer:
        writer.put(sample(1)[0])
        wait = asyncio.create_task(writer.flushed())
        await asyncio.sleep(0)
        wait.cancel()
        with pytest.raises(asyncio.CancelledError):
            await wait
        gated.gate.set()
        await writer.flushed()
    assert stored(path) == 1


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (DatabaseError("no room"), "the ledger cannot be written: no room"),
        (LedgerError("no head"), "the ledger cannot be written: no head"),
        (RuntimeError("what"), "the ledger cannot be written: RuntimeError: what"),
    ],
)
async def test_a_store_that_fails(
    broken: Exception, text: str, gated: Gated, sample: Callable[[int], list[Entry]]
) -> None:
    """Whoever waits is told, and nothing more is taken."""
    one, two = sample(2)
    gated.broken = broken
    gated.gate.clear()
    writer = Writer(gated)
    with pytest.raises(LedgerError) as left, writer:  # noqa: PT012
        writer.put(one)
        wait = asyncio.create_task(writer.flushed())
        await asyncio.sleep(0)
        gated.gate.set()
        with pytest.raises(LedgerError) as caught:
            await wait
        assert str(caught.value) == text
        for what in (writer.flush, lambda: writer.put(two)):
            with pytest.raises(LedgerError) as caught:
                what()
            assert str(caught.value) == text
        with pytest.raises(LedgerError):
            await writer.flushed()
    assert str(left.value) == text
    assert not writer._thread.is_alive()


def test_who_waits_for_room_is_told(gated: Gated, sample: Callable[[int], list[Entry]]) -> None:
    gated.broken = DatabaseError("no room")
    gated.gate.clear()
    entries = sample(3)
    told: list[Any] = []

    def bring(writer: Writer) -> None:
        try:
            for entry in entries:
                writer.put(entry)
        except LedgerError as error:
            told.append(str(error))

    with pytest.raises(LedgerError), Writer(gated, limit=1, batch=1) as writer:  # noqa: PT012
        thread = threading.Thread(target=bring, args=(writer,))
        thread.start()
        assert gated.entered.wait(PATIENCE)
        gated.gate.set()
        thread.join(PATIENCE)
    assert told == ["the ledger cannot be written: no room"]
