"""The client's end of a connection: WPDUs out, WPDUs in."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from dlms.errors import RemoteProtocolError
from dlms.framing import Wpdu, WrapperReceiver

MAX_WAITING = 16
"""WPDUs kept that nobody asked for yet; a meter that sends more is cut off."""


class ChannelClosed(ConnectionError):
    """The connection ended while an answer was awaited, or before."""


class WrapperChannel(asyncio.Protocol):
    """One connection to one meter."""

    def __init__(self) -> None:
        self._receiver = WrapperReceiver()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Wpdu] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._gone = asyncio.Event()
        self._gone.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._gone.clear()

    def data_received(self, data: bytes) -> None:
        self._receiver.receive(data)
        try:
            while (wpdu := self._receiver.next_wpdu()) is not None:
                if len(self._waiting) >= MAX_WAITING:
                    raise RemoteProtocolError("meter sends more than was asked for")
                self._waiting.append(wpdu)
        except RemoteProtocolError as error:
            self._fail(error)
            self.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ChannelClosed("meter closed the connection" if exc is None else str(exc)))
        self._transport = None
        self._gone.set()
        self._wake()

    def send(self, wpdu: Wpdu) -> None:
        """Send one WPDU. :class:`ChannelClosed` if there is no connection any more."""
        if self._transport is None or self._transport.is_closing():
            raise self._failure or ChannelClosed("connection is closed")
        self._transport.write(wpdu.encode())

    async def receive(self) -> Wpdu:
        """The next WPDU. :class:`ChannelClosed` or the protocol error if there will be none."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._waiting.popleft()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone; with TLS the peer has some seconds to agree."""
        await self._gone.wait()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
