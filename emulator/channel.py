"""The client's end of a connection: APDUs out, APDUs in, in any framing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, cast

from dlms.errors import RemoteProtocolError
from dlms.xdlms.general_block import MAX_WINDOW
from emulator.framing import Addressed, Framing, Linked, Polling, WrapperFraming

MAX_WAITING = 2 * MAX_WINDOW
"""APDUs kept that nobody has taken yet: a stream of general blocks comes at once, and may be
repeated whole. No more is read until somebody takes one: the meter notices that its connection
fills, and keeps for itself what nobody wants to know. Only where one association waits for what
stands behind more than that for another is the meter cut off.
"""

Pair = tuple[int, int]


class ApduLink(Protocol):
    """What carries the APDUs of associations with one meter: a :class:`Channel`, or whoever passes
    them on to one.
    """

    def send(self, client_sap: int, server_sap: int, apdu: bytes) -> None: ...

    async def receive(self, client_sap: int, server_sap: int) -> bytes: ...

    def glance(self, client_sap: int, server_sap: int) -> bytes | None: ...

    async def news(self, client_sap: int, server_sap: int) -> None: ...

    def close(self) -> None: ...


class ChannelClosed(ConnectionError):
    """The connection ended while an answer was awaited, or before."""


def _nothing() -> None:
    """Nothing happens, but what waits in the framing may be taken."""


def client_wrapper() -> Framing:
    return WrapperFraming(at_meter=False)


class Channel(asyncio.Protocol):
    """One connection to one meter, for the associations of any pairs of SAPs."""

    def __init__(self, framing: Callable[[], Framing] = client_wrapper) -> None:
        self._framing = framing()
        self._polling = self._framing if isinstance(self._framing, Polling) else None
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[Pair, deque[bytes]] = {}
        self._waiters: dict[Pair, set[asyncio.Future[None]]] = {}
        self._paused = False
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
        will be none.
        """
        while (apdu := self.glance(client_sap, server_sap)) is None:
            await self.news(client_sap, server_sap)
        return apdu

    def glance(self, client_sap: int, server_sap: int) -> bytes | None:
        """The next APDU for this pair if it is here already. Raises as :meth:`receive` does."""
        pair = client_sap, server_sap
        waiting = self._waiting.get(pair)
        if not waiting:
            failure = self._lost.get(pair, self._failure)
            if failure is not None:
                raise failure
            return None
        apdu = waiting.popleft()
        if not waiting:
            del self._waiting[pair]
        if self._paused:
            self._guarded(_nothing)
        return apdu

    async def news(self, client_sap: int, server_sap: int) -> None:
        """Wait until :meth:`glance` has something to give, or to raise. Somebody else who waits for
        the same may have it by then.
        """
        pair = client_sap, server_sap
        if self._waiting.get(pair) or self._lost.get(pair, self._failure) is not None:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(pair, set()).add(waiter)
        if self._polling is not None:
            self._polling.listen(*pair, self._now())
        if self._paused or self._polling is not None:
            self._guarded(_nothing)
        try:
            await waiter
        finally:
            others = self._waiters.get(pair, set())
            others.discard(waiter)
            if not others:
                self._waiters.pop(pair, None)
                if self._polling is not None:
                    self._polling.rest(*pair)

    async def disconnect(self, client_sap: int, server_sap: int, *, settle: bool = False) -> None:
        """End the link of this pair, where the framing has links; the connection stays. With
        ``settle`` what was sent without awaiting anything arrives first.

        The framing bounds how long that takes. What arrives meanwhile is dropped.
        """
        framing = self._framing
        if self._transport is None or not isinstance(framing, Linked):
            return
        if framing.disconnect(client_sap, server_sap, self._now(), settle=settle):
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
        """Keep what has arrived for whoever asks for it, and read no more than is kept."""
        while (wanted := self._wants_more()) and (
            indication := self._framing.next_indication()
        ) is not None:
            pair = indication.client_sap, indication.server_sap
            if isinstance(indication, Addressed):
                if sum(map(len, self._waiting.values())) >= MAX_WAITING:
                    raise RemoteProtocolError("meter sends more than was asked for")
                self._waiting.setdefault(pair, deque()).append(indication.apdu)
            else:
                self._lost[pair] = ChannelClosed(indication.why)
            self._wake(pair)
        if self._transport is not None and self._paused is wanted:
            self._paused = not wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _wants_more(self) -> bool:
        """Whether there is room, or somebody waits for what may stand behind all that is kept."""
        return bool(self._waiters) or sum(map(len, self._waiting.values())) < MAX_WAITING

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
        for waiter in self._waiters.pop(pair, ()):
            if not waiter.done():
                waiter.set_result(None)
