"""Meters for tests that are not asynchronous: a thread has their loop, the test has its own time.

So a client that waits on a plain socket, as most stacks do, gets its answers.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from devices.profile import Profile
from emulator.pytest_plugin.bench import Bench
from emulator.pytest_plugin.clock import BenchClock
from emulator.pytest_plugin.entries import BenchLedger
from emulator.pytest_plugin.faults import BenchFaults
from emulator.pytest_plugin.head_end import BenchHeadEnd
from emulator.pytest_plugin.meter import BenchMeter
from emulator.pytest_plugin.site import Site
from emulator.pytest_plugin.wanted import Wanted
from emulator.sandbox import Sandbox

T = TypeVar("T")

PATIENCE = 120.0
"""Real seconds that the sandbox may take for what it is asked: longer than whatever it waits for
itself."""


class LiveSandbox:
    """What the fixtures of asynchronous tests are, in one object; :meth:`run` is for their
    coroutines. Its ``sandbox`` itself belongs to the other thread: go there by :meth:`call`.
    """

    def __init__(self, wanted: Wanted, site: Site, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.bench = Bench(wanted, site, self.call)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it where the meters are, and wait for what comes of it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(PATIENCE)
        except TimeoutError:
            future.cancel()  # of no effect if it has ended by a time-out of its own
            raise

    def call(self, what: Callable[[], T], /) -> T:
        """Call something where the meters are, and wait."""

        async def calling() -> T:
            return what()

        return self.run(calling())

    @property
    def sandbox(self) -> Sandbox:
        return self.bench.sandbox

    def meter(self, profile: str) -> BenchMeter:
        return self.bench.meter(profile)

    def fleet(self, profile: str | Profile, count: int) -> tuple[BenchMeter, ...]:
        return self.run(self.bench.fleet(profile, count))

    @property
    def head_end(self) -> BenchHeadEnd:
        """``live_sandbox.run(live_sandbox.head_end.top_up(meter, 5))``."""
        return self.call(lambda: self.bench.head_end)

    @property
    def ledger(self) -> BenchLedger:
        return self.bench.ledger

    @property
    def faults(self) -> BenchFaults:
        return self.bench.faults

    @property
    def clock(self) -> BenchClock:
        return self.bench.clock

    def now(self) -> dt.datetime:
        return self.clock.now()

    def advance(self, **step: float) -> dt.datetime:
        """Step forward by ``days``, ``hours``, ``minutes`` and ``seconds``."""
        return self.run(self.clock.advance(**step))

    def to(self, moment: dt.datetime) -> dt.datetime:
        """Step forward to a moment (aware)."""
        return self.run(self.clock.to(moment))


@contextmanager
def live(wanted: Wanted, site: Site) -> Iterator[LiveSandbox]:
    """A sandbox in a thread of its own (:func:`loop_in_thread`)."""
    with loop_in_thread() as loop:
        there = LiveSandbox(wanted, site, loop)
        there.run(there.bench.__aenter__())
        try:
            yield there
        finally:
            there.run(there.bench.__aexit__())


@contextmanager
def loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread of its own. An ``ExceptionGroup`` at the end of what went wrong
    in there and nobody was told of.
    """
    loop = asyncio.new_event_loop()
    wrong: list[Exception] = []

    def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        wrong.append(error if isinstance(error, Exception) else RuntimeError(context["message"]))

    loop.set_exception_handler(note)
    thread = threading.Thread(target=loop.run_forever, name="cosemlab sandbox", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_wind_up(loop), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    if wrong:
        raise ExceptionGroup("went wrong in the thread of the sandbox", wrong)


async def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    """End what is still under way, as :func:`asyncio.run` does."""
    others = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await loop.shutdown_asyncgens()
