"""The control socket: a unix socket that only its owner may use.

A connection's requests are carried out one after the other, and to their end even if the client
goes. What is no request is answered with an error; only a line that is too long ends the
connection, for it cannot be known where the next one begins.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from emulator.control import lines
from emulator.control.control import Control
from emulator.control.errors import MALFORMED, REFUSED, ControlError

MAX_CONNECTIONS = 16
"""Commands and programs of one user at a time."""


@asynccontextmanager
async def serve(control: Control, path: Path) -> AsyncIterator[None]:
    """Listen at ``path`` while the context is entered. A socket that a process before has left
    there is replaced; ``OSError`` if it is anything else, or cannot be made.
    """
    connections = _Connections(control)
    with lines.reachable(path) as name:
        sock = _bound(name)
    server = await asyncio.start_unix_server(connections.serve, sock=sock, limit=lines.MAX_REQUEST)
    try:
        yield
    finally:
        server.close()
        await connections.end()
        _remove(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _bound(name: str) -> socket.socket:
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.lstat(name).st_mode):
            os.unlink(name)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        sock.bind(name)
    except BaseException:
        sock.close()
        raise
    finally:
        os.umask(mask)
    return sock


class _Connections:
    def __init__(self, control: Control) -> None:
        self._control = control
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        full = len(self._tasks) >= MAX_CONNECTIONS
        self._tasks.add(task)
        try:
            if full:
                text = f"there are {MAX_CONNECTIONS} connections already"
                writer.write(lines.refusal(None, ControlError(REFUSED, text)))
                await writer.drain()
            else:
                await self._serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the sandbox is: there is nobody to tell
        finally:
            self._tasks.discard(task)
            writer.close()

    async def end(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                text = f"a line has at most {lines.MAX_REQUEST} octets"
                writer.write(lines.refusal(None, ControlError(MALFORMED, text)))
                await writer.drain()
                return
            writer.write(await self._answer(line))
            await writer.drain()

    async def _answer(self, line: bytes) -> bytes:
        try:
            asked = lines.request(line)
            result = await self._control.call(asked.action, asked.meter, asked.arguments)
        except ControlError as error:
            return lines.refusal(lines.id_of(line), error)
        return lines.answer(asked.id, result)
