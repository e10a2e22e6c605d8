"""The event loop of this process's sockets, which turns only while somebody waits for them.

Both ends of a connection to a meter of our own live in it, so nothing happens to the meter between
two calls, and it can be looked at without locks.
"""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_loops: dict[int, asyncio.AbstractEventLoop] = {}
"""By process: one that was forked has none."""


def pump(work: Coroutine[Any, Any, T]) -> T:
    """Let the loop turn until that is done. ``RuntimeError`` where a loop is running already."""
    loop = _loops.get(os.getpid())
    if loop is None:
        loop = _loops[os.getpid()] = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        work.close()


def call_soon(what: Any) -> None:
    """Do that when the loop turns next, from wherever: also while it turns, and where it is gone,
    not at all.
    """
    loop = _loops.get(os.getpid())
    if loop is not None and not loop.is_closed():
        loop.call_soon(what)


@atexit.register
def _end() -> None:
    loop = _loops.pop(os.getpid(), None)
    if loop is None or loop.is_running():
        return
    for _ in range(3):  # transports that were dropped close their sockets in the next turn
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()
