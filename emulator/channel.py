"""The client's end of a connection: APDUs out, APDUs in, in any framing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from dlms.errors import RemoteProtocolError
from dlms.xdlms.general_block import MAX_WINDOW
from emulator.framing import Addressed, Framing, Linked, Polling, WrapperFraming

MAX_WAITING = 2 * MAX_WINDOW
"""APDUs kept that nobody asked for yet; a meter that sends more is cut off. A stream of general
blocks comes at once, and may be repeated whole.
"""

Pair = tuple[int, int]


class ChannelClosed(ConnectionError):
    """The connection ended while an answer was awaited, or before."""


def client_wrapper() -> Framing:
    return WrapperFraming(at_meter=False)


class Channel(asyncio.Protocol):
    """One connection to one meter, for the associations of any pairs of SAPs."""

    def __init__(self, framing: Callable[[], Framing] = client_wrapper) -> None:
        self._framing = framing()
        self._polling = self._framing if isinstance(self._framing, Polling) else None
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[Pair, deque[bytes]] = {}
        self._waiters: dict[Pair, asyncio.Future[None]] = {}
        self._failure: Exception | None = None
        self._lost: dict[Pair, Exception] = {}
        self._deadline: asyncio.TimerHandle | None = None
        self._gone = asyncio.Event()
        self._gone.set()

    # asyncio.Protocol ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._gone.clear()

    def data_received(self, data: bytes) -> None:
        self._guarded(lambda: self._framing.receive(data, self._now()))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ChannelClosed("meter closed the connection" if exc is None else str(exc)))
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        self._gone.set()

    # For associations -----------------------------------------------------------------------------

    def send(self, client_sap: int, server_sap: int, apdu: bytes) -> None:
        """Send one APDU. :class:`ChannelClosed` if there is no connection any more."""
        if self._transport is None or self._transport.is_closing():
            raise self._failure or ChannelClosed("connection is closed")
        self._lost.pop((client_sap, server_sap), None)
        self._framing.send(Addressed(client_sap, server_sap, apdu), self._now())
        self._write()

    async def receive(self, client_sap: int, server_sap: int) -> bytes:
        """The next APDU for this pair. :class:`ChannelClosed`, or the protocol error, if there
        will be none. One caller at a time may wait for a pair.
        """
        pair = client_sap, server_sap
        while not self._waiting.get(pair):
            failure = self._lost.get(pair, self._failure)
            if failure is not None:
                raise failure
            waiter = self._waiters[pair] = asyncio.get_running_loop().create_future()
            if self._polling is None:
                await waiter
                continue
            self._polling.listen(*pair, self._now())
            self._write()
            try:
                await waiter
            finally:
                self._polling.rest(*pair)
        apdu = self._waiting[pair].popleft()
        if not self._waiting[pair]:
            del self._waiting[pair]
        return apdu

    async def disconnect(self, client_sap: int, server_sap: int) -> None:
        """End the link of this pair, where the framing has links; the connection stays.

        The framing bounds how long that takes. What arrives meanwhile is dropped.
        """
        framing = self._framing
        if self._transport is None or not isinstance(framing, Linked):
            return
        if framing.disconnect(client_sap, server_sap, self._now()):
            self._write()
            with suppress(ChannelClosed, RemoteProtocolError):
                while True:
                    await self.receive(client_sap, server_sap)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone; with TLS the peer has some seconds to agree."""
        await self._gone.wait()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # The way of the octets ------------------------------------------------------------------------

    def _guarded(self, happen: Callable[[], None]) -> None:
        try:
            happen()
            self._take()
        except RemoteProtocolError as error:
            self._fail(error)
            self.abort()
        else:
            self._write()

    def _take(self) -> None:
        """Keep what has arrived for whoever asks for it."""
        while (indication := self._framing.next_indication()) is not None:
            pair = indication.client_sap, indication.server_sap
            if isinstance(indication, Addressed):
                if sum(map(len, self._waiting.values())) >= MAX_WAITING:
                    raise RemoteProtocolError("meter sends more than was asked for")
                self._waiting.setdefault(pair, deque()).append(indication.apdu)
            else:
                self._lost[pair] = ChannelClosed(indication.why)
            self._wake(pair)

    def _write(self) -> None:
        octets = self._framing.octets_to_send()
        if octets and self._transport is not None:
            self._transport.write(octets)
        when = self._framing.deadline()
        if self._deadline is not None:
            if self._deadline.when() == when:
                return
            self._deadline.cancel()
            self._deadline = None
        if when is not None and self._transport is not None:
            self._deadline = asyncio.get_running_loop().call_at(when, self._timeout)

    def _timeout(self) -> None:
        self._deadline = None
        self._guarded(lambda: self._framing.timeout(self._now()))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
        for pair in tuple(self._waiters):
            self._wake(pair)

    def _wake(self, pair: Pair) -> None:
        waiter = self._waiters.pop(pair, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
