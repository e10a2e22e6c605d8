"""Octets between asyncio and tlslite: to tlslite it is a socket that never blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

Told = Callable[[bool, bytes], None]
"""Is told octets: ``True`` those that are sent, ``False`` those that came."""


def nobody(sent: bool, octets: bytes) -> None:
    """Nobody wants to know."""


class Wire(asyncio.Protocol):
    """``recv`` gives what has come, raises ``BlockingIOError`` while nothing has, and gives nothing
    when the peer has ended the connection.
    """

    def __init__(self, told: Told = nobody) -> None:
        self.ended = ""
        """Why there will be no more octets; empty as long as there may be."""
        self._told = told
        self._arrived = bytearray()
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None, "there is no connection yet"
        return self._transport

    @property
    def has_news(self) -> bool:
        return bool(self._arrived)

    # asyncio.Protocol -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._told(False, data)
        self._arrived += data
        self._news.set()

    def eof_received(self) -> bool:
        self._end("the peer has ended the connection")
        return True  # ours to close: what we still have to say may interest somebody

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("the peer has ended the connection" if exc is None else str(exc))

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        self._news.set()

    # The socket that tlslite sees -----------------------------------------------------------------

    def recv(self, most: int) -> bytes:
        if not self._arrived:
            if self.ended:
                return b""
            raise BlockingIOError(11, "nothing has come yet")
        octets = bytes(self._arrived[:most])
        del self._arrived[:most]
        return octets

    def send(self, octets: bytes | bytearray) -> int:
        if self._transport is None or self._transport.is_closing():
            raise BrokenPipeError("the connection has ended")
        self._told(True, bytes(octets))
        self._transport.write(bytes(octets))
        return len(octets)

    def sendall(self, octets: bytes | bytearray) -> None:
        self.send(octets)

    def half_close(self) -> None:
        """Nothing more comes from here; what the peer says is still heard."""
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # Waiting --------------------------------------------------------------------------------------

    async def news(self) -> None:
        """Something has come since it was last looked at, or the connection has ended."""
        while not self._arrived and not self.ended:
            self._news.clear()
            await self._news.wait()

    async def drive(self, work: Iterator[Any]) -> Any:
        """Run a generator of tlslite to its end; its last word that is not "wait"."""
        last: Any = None
        for result in work:
            if isinstance(result, int) and result in (0, 1):
                if result == 0:
                    await self.news()
                continue
            last = result
            if last is not None:
                break
        return last
