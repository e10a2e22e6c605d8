"""Being on the broker, from the first connection to the last message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from emulator.mqtt.link import Link
from emulator.mqtt.outgoing import Outgoing

GOODBYE = 5.0
"""Seconds in which the last messages have to be acknowledged; then we go without."""


@asynccontextmanager
async def present(
    link: Link,
    outgoing: Outgoing,
    *,
    note: Callable[[str], None],
    leave: Callable[[], None] = lambda: None,
) -> AsyncIterator[None]:
    """Connected when it is entered; else :class:`~emulator.mqtt.broker_errors.BrokerError`.

    A broker that is lost afterwards is waited for meanwhile. ``leave`` says the last words;
    ``note`` is told in a line what has gone wrong since.
    """
    connected = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(link.run(connected))
    try:
        await asyncio.wait((connected, running), return_when=asyncio.FIRST_COMPLETED)
        if not connected.done():
            running.result()
        connected.result()
        running.add_done_callback(_noting(note))
        try:
            yield
        finally:
            leave()
            settled = asyncio.create_task(outgoing.settled())
            await asyncio.wait(
                (settled, running), timeout=GOODBYE, return_when=asyncio.FIRST_COMPLETED
            )
            settled.cancel()
            if len(outgoing):
                note(f"{len(outgoing)} messages were not taken by the MQTT broker")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def beside(
    work: Coroutine[None, None, object], note: Callable[[str], None]
) -> AsyncIterator[None]:
    """``work`` goes on meanwhile; if it fails, ``note`` is told."""
    task = asyncio.create_task(work)
    task.add_done_callback(_noting(note))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _noting(note: Callable[[str], None]) -> Callable[[asyncio.Task[Any]], None]:
    def done(task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is not None:
            note(f"MQTT does not go on: {task.exception()!r}")

    return done
