"""Our own meter behind real sockets on loopback, TCP or TLS, as the emulator serves them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from typing import Any, cast

from devices.outbox import Announcement
from emulator.fuzz.actions import Connect
from emulator.fuzz.in_process.channel import Shaken, TlsPort
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.kept import PowerCut
from emulator.fuzz.in_process.meter import BenchMeter
from emulator.fuzz.in_process.wire import HungUp
from emulator.fuzz.network.ends import ClientEnd, MeterEnd
from emulator.fuzz.network.lateness import Lateness
from emulator.fuzz.network.pump import call_soon, pump
from emulator.meter_address import LOOPBACK
from tls.events import HandshakeError
from tls.listener import Listener
from tls.plain import open_tcp_connection, start_tcp_server
from tls.transport import open_tls_connection, start_tls_server

PATIENCE = 10.0
"""Seconds for a step of a connection within this process. It is never waited for as a rule: what
is longer is a defect of this bench, or of the meter's.
"""

NEVER = 1e9
"""Seconds until a meter hangs up for want of APDUs: its own time is virtual, the loop's is not."""

HEAD_END = b"CSH\x00\x00\x00\x00\x01"
"""What the certificate of a client without a system title says."""


class SocketWay(Enum):
    """What is below the wrapper."""

    TCP = "tcp"
    TLS = "tls"


class SocketWire:
    """A :class:`~emulator.fuzz.in_process.wire.Wire`. With TLS each client has a certificate with
    its own system title; with TCP, only those that say so.
    """

    def __init__(self, meter: BenchMeter, way: SocketWay) -> None:
        self._meter = meter
        self._way = way
        self._port: TlsPort | None = None
        self._listeners: dict[SocketWay, Listener] = {}
        self._meter_ends: list[MeterEnd] = []
        self._ends: dict[str, tuple[ClientEnd, MeterEnd]] = {}
        self._news = asyncio.Event()
        self._lateness = Lateness(lambda: meter.now)

    # Wire -----------------------------------------------------------------------------------------

    def carry(self, client: BenchClient, apdu: bytes) -> tuple[bytes, ...]:
        return pump(self._carry(client, apdu))

    def connect(self, client: BenchClient, action: Connect) -> Shaken:
        return pump(self._connect(client, action))

    def tls_port(self) -> TlsPort:
        if self._port is None:
            self._port = TlsPort(self._meter.device.title)
        return self._port

    def hang(self, client: BenchClient) -> None:
        if client.name in self._ends:
            pump(self._hang(client.name))

    def is_up(self, name: str) -> bool:
        return name in self._ends

    def tell(self, what: Announcement) -> Iterator[tuple[str, bytes]]:
        raise ValueError("nothing is said unasked here")

    @property
    def connections(self) -> int:
        return len(self._ends)

    def associated(self) -> frozenset[str]:
        return frozenset(name for name, (_, meter) in self._ends.items() if meter.is_associated)

    def time_passes(self) -> None:
        pump(self._time_passes())

    def drop(self) -> None:
        if self._ends:
            pump(self._drop())

    def close(self) -> None:
        """The ports are closed, and all connections dropped, when the loop turns next."""
        listeners, ends = tuple(self._listeners.values()), tuple(self._ends.values())
        self._listeners.clear()
        self._ends.clear()
        self._meter_ends.clear()

        def end() -> None:
            for listener in listeners:
                listener.close()
                listener.abort_connections()
            for client, _ in ends:
                client.abort()

        call_soon(end)

    # Connections ----------------------------------------------------------------------------------

    async def _carry(self, client: BenchClient, apdu: bytes) -> tuple[bytes, ...]:
        here, there = await self._end_of(client)
        here.send(*client.pair, apdu)
        await self._until(lambda: _is_settled(here, there))
        replies = []
        with suppress(ConnectionError):
            while (reply := here.glance(*client.pair)) is not None:
                replies.append(reply)
        if there.lost_power:
            raise PowerCut
        if there.crash is not None:
            await self._hang(client.name)
            raise there.crash
        if here.is_gone:
            self._forget(client.name)
            if not replies:
                raise HungUp("the meter has ended the connection")
        return tuple(replies)

    async def _end_of(self, client: BenchClient) -> tuple[ClientEnd, MeterEnd]:
        """The connection of a client; a new one if it has none. :class:`HungUp` if it gets none."""
        found = self._ends.get(client.name)
        if found is not None and not (found[0].is_gone or found[1].is_ending):
            return found
        self._forget(client.name)
        title = client.kind.channel_title
        if title is None and self._way is SocketWay.TLS:
            title = client.config.own_title or HEAD_END
        if title is None:
            return await self._open(client.name)
        shaken = await self._shake(client.name, title, None, None)
        if shaken.why:
            raise HungUp(shaken.why)
        return self._ends[client.name]

    async def _open(self, name: str) -> tuple[ClientEnd, MeterEnd]:
        listener = await self._listening(SocketWay.TCP)
        opened = open_tcp_connection(lambda: ClientEnd(self._tell), LOOPBACK, listener.port)
        return await self._opened(name, opened)

    async def _opened(
        self, name: str, opened: Coroutine[Any, Any, tuple[asyncio.Transport, ClientEnd]]
    ) -> tuple[ClientEnd, MeterEnd]:
        before = len(self._meter_ends)
        _, here = await opened
        await self._until(lambda: len(self._meter_ends) > before and self._meter_ends[-1].is_made)
        self._ends[name] = here, self._meter_ends[-1]
        return self._ends[name]

    async def _connect(self, client: BenchClient, action: Connect) -> Shaken:
        await self._hang(client.name)
        if action.garbage:
            return await self._garbage(action.garbage)
        session = self.tls_port().sessions.get(client.name) if action.resume else None
        title = client.config.own_title or HEAD_END
        return await self._shake(client.name, title, action.days, session)

    async def _shake(
        self, name: str, title: bytes, days: int | None, session: ssl.SSLSession | None
    ) -> Shaken:
        port = self.tls_port()
        context = _Resuming(port.context(name, title, days), session)
        listener = await self._listening(SocketWay.TLS)
        opened = open_tls_connection(
            lambda: ClientEnd(self._tell),
            LOOPBACK,
            listener.port,
            cast(ssl.SSLContext, context),
        )
        try:
            here, _ = await self._opened(name, opened)
        except HandshakeError as error:
            return Shaken(str(error), error.event.alert_sent)
        tls = here.ssl_object
        port.sessions[name] = tls.session
        return Shaken("", False, bool(tls.session_reused), title, tls.session)

    async def _garbage(self, octets: bytes) -> Shaken:
        """Octets that are no TLS, to the TLS port."""
        listener = await self._listening(SocketWay.TLS)
        reader, writer = await asyncio.open_connection(LOOPBACK, listener.port)
        writer.write(octets)
        writer.write_eof()
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await reader.read()
        except ConnectionError:
            answer = b""
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        ended = "an alert" if answer[:1] == b"\x15" else "no alert"
        return Shaken(f"the meter ends it with {ended}")

    async def _listening(self, way: SocketWay) -> Listener:
        if way not in self._listeners:
            if way is SocketWay.TCP:
                listener = await start_tcp_server(self._served, LOOPBACK, 0)
            else:
                port = self.tls_port().presented
                listener = await start_tls_server(
                    self._served,
                    LOOPBACK,
                    0,
                    port.context,
                    on_event=lambda event: None,
                    accept=port.accept,
                    divert=port.divert,
                )
            self._listeners[way] = listener
        return self._listeners[way]

    def _served(self) -> MeterEnd:
        self._meter.host.taps.later = self._lateness.later
        host = replace(self._meter.host, inactivity_timeout=NEVER)
        self._meter_ends.append(MeterEnd(host, self._tell))
        return self._meter_ends[-1]

    async def _time_passes(self) -> None:
        """What was late comes; what the clients have not waited for is of no use to them."""
        self._lateness.let_come()
        ends = list(self._ends.values())
        await self._until(lambda: all(_is_settled(*pair) for pair in ends))

    # Their end ------------------------------------------------------------------------------------

    async def _hang(self, name: str) -> None:
        found = self._ends.get(name)
        if found is None:
            return
        here, there = found
        here.close()
        await self._until(lambda: here.is_gone and there.is_gone)
        self._forget(name)

    async def _drop(self) -> None:
        ends = list(self._ends.values())
        for listener in self._listeners.values():
            listener.abort_connections()
        await self._until(lambda: all(here.is_gone and there.is_gone for here, there in ends))
        for name in list(self._ends):
            self._forget(name)

    def _forget(self, name: str) -> None:
        found = self._ends.pop(name, None)
        if found is not None:
            self._meter_ends.remove(found[1])

    # Waiting --------------------------------------------------------------------------------------

    def _tell(self) -> None:
        self._news.set()

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._news.clear()
                await self._news.wait()


def _is_settled(here: ClientEnd, there: MeterEnd) -> bool:
    """Whether nothing is under way any more."""
    if there.lost_power or there.crash is not None or here.is_gone:
        return True
    if there.is_ending:
        return False  # the client is about to notice
    return there.taken == here.written and here.got == there.written


class _Resuming:
    """A context whose next connection resumes a session, if there is one."""

    def __init__(self, context: ssl.SSLContext, session: ssl.SSLSession | None) -> None:
        self._context = context
        self._session = session

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> ssl.SSLObject:
        return self._context.wrap_bio(
            incoming, outgoing, server_side, server_hostname, session=self._session
        )
