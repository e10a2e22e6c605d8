"""The processes of a search.

They are no forks of the one that searches: it may have threads (an event loop in which a meter
lives), and a fork would copy their locks as they happen to be. They are forks of a server without
threads, where there is such a thing ("forkserver"): it imports once what all of them need, which is
a second of each, and who searches again and again pays it once. Elsewhere they begin afresh.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from emulator.fuzz.hunting.plan import AFTERWARDS, Plan
from emulator.fuzz.hunting.posts import Failed, Message, Piped, Stop

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

PATIENCE = 5.0
"""Seconds until a process that was told to end, or should have ended, is ended."""


def work(plan: Plan, pipe: Connection) -> None:
    """What a process does."""
    # Ctrl-C reaches the whole group; who has started this one says what is to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    post = Piped(pipe)
    try:
        from emulator.fuzz.hunting.searching import search

        search(plan, post)
    except Exception as error:
        post.failed(f"{type(error).__name__}: {error}")
    finally:
        pipe.close()


def _context() -> ForkServerContext | SpawnContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "emulator.fuzz.hunting.searching"])
    return context


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """What is begun now does not hear Ctrl-C, from its first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say so; :func:`work` says it a second later
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Crew:
    """A process for each plan, from the beginning of the ``with`` to its end."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans
        self._pipes: dict[int, Connection] = {}
        self._processes: dict[int, BaseProcess] = {}
        self._ends: float | None = None
        self._left_to: int | None = None
        deadlines = [one.deadline for one in plans if one.deadline is not None]
        if deadlines:
            self._ends = max(deadlines) + AFTERWARDS + PATIENCE

    def __enter__(self) -> Crew:
        context = _context()
        for plan in self._plans:
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(plan, theirs), daemon=True)
            with _deaf_to_interrupts():
                process.start()
            theirs.close()
            self._pipes[plan.process] = ours
            self._processes[plan.process] = process
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing of it is left behind."""
        self.tell(Stop())
        until = time.monotonic() + PATIENCE
        for process in self._processes.values():
            process.join(max(until - time.monotonic(), 0.0))
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        for pipe in self._pipes.values():
            pipe.close()
        self._pipes.clear()

    def tell(self, message: object, but: int | None = None) -> None:
        """Tell all processes, or all but one."""
        for number, pipe in self._pipes.items():
            if number != but:
                with suppress(OSError):  # it has ended, and wants to know nothing more
                    pipe.send(message)

    def leave_to(self, process: int) -> None:
        """Tell all others to end. Of several that have come to something at once it is left to the
        first, or each would end the other's work on it.
        """
        if self._left_to is None:
            self._left_to = process
            self.tell(Stop(), but=process)

    def is_left_to(self, process: int) -> bool:
        return process == self._left_to

    def stop(self) -> None:
        """Tell them to end; who does not do it soon is not waited for."""
        self.tell(Stop())
        ends = time.monotonic() + PATIENCE
        self._ends = ends if self._ends is None else min(self._ends, ends)

    @property
    def is_working(self) -> bool:
        """Whether somebody may still say something: not all have ended, nor is their time over."""
        return bool(self._pipes) and (self._ends is None or time.monotonic() < self._ends)

    def hear(self, seconds: float) -> list[tuple[int, Message]]:
        """What they say, with their numbers; nothing if nobody says anything for so long."""
        said: list[tuple[int, Message]] = []
        numbers = {id(pipe): number for number, pipe in self._pipes.items()}
        for one in wait(list(self._pipes.values()), timeout=seconds):
            number = numbers[id(one)]
            try:
                said.append((number, self._pipes[number].recv()))
            except (EOFError, OSError):
                self._pipes.pop(number).close()
                process = self._processes[number]
                process.join(PATIENCE)
                if process.exitcode:
                    why = f"a process of the search has ended with {process.exitcode}"
                    said.append((number, Failed(why)))
        return said
