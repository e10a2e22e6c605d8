"""Plain TCP, the counterpart of :mod:`tls.transport` for what needs no channel security.

asyncio allocates 256 KiB for every single read of a plain socket. The APDUs of a meter are a few
hundred octets, so we ask for 4 KiB: three times the throughput was measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias, TypeVar, cast

from tls.events import Reason, format_address
from tls.listener import MAX_CONNECTIONS, Listener

READ_SIZE = 4096
"""Octets asked of the socket at a time."""

CONNECT_TIMEOUT = 10.0
"""Seconds for a TCP connection to come about."""

P = TypeVar("P", bound=asyncio.Protocol)

OnRefused: TypeAlias = Callable[[str, Reason], None]
"""Told the address of a peer that there was no room for, and the reason."""


def cap_reads(transport: asyncio.BaseTransport, size: int = READ_SIZE) -> None:
    """Make ``transport`` read at most ``size`` octets at a time, where it has such a setting.

    The attribute is asyncio's own and not documented; without it reads are larger, nothing else.
    """
    if hasattr(transport, "max_size"):
        transport.max_size = size


async def start_tcp_server(
    protocol_factory: Callable[[], asyncio.Protocol],
    host: str | None,
    port: int,
    *,
    on_refused: OnRefused | None = None,
    max_connections: int = MAX_CONNECTIONS,
    read_size: int = READ_SIZE,
    backlog: int = 100,
) -> Listener:
    """Serve plain TCP on ``host`` and ``port`` (0: any free one).

    A connection beyond ``max_connections`` is dropped before a protocol is made for it, and
    ``on_refused`` is told. The protocol must stay with its transport (no ``set_protocol``).
    """
    loop = asyncio.get_running_loop()
    listener = Listener(max_connections=max_connections)

    def connection() -> asyncio.Protocol:
        return _Incoming(protocol_factory, listener, on_refused, read_size)

    server = await loop.create_server(connection, host, port, backlog=backlog)
    listener.listening_on(server)
    return listener


async def open_tcp_connection(
    protocol_factory: Callable[[], P],
    host: str,
    port: int,
    *,
    local_address: tuple[str, int] | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    read_size: int = READ_SIZE,
) -> tuple[asyncio.Transport, P]:
    """Connect by plain TCP within ``connect_timeout`` seconds; raises ``OSError`` if it fails."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(connect_timeout):
        transport, protocol = await loop.create_connection(
            protocol_factory, host, port, local_addr=local_address
        )
    cap_reads(transport, read_size)
    return transport, protocol


class _Incoming(asyncio.Protocol):
    """Passes everything on to the application's protocol, and keeps the listener's books."""

    def __init__(
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        listener: Listener,
        on_refused: OnRefused | None,
        read_size: int,
    ) -> None:
        self._protocol_factory = protocol_factory
        self._listener = listener
        self._on_refused = on_refused
        self._read_size = read_size
        self._transport: asyncio.Transport | None = None
        self._application: asyncio.Protocol = asyncio.Protocol()  # until admitted: deaf

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        refusal = self._listener.refusal()
        if refusal is not None:
            self._transport.abort()
            if self._on_refused is not None:
                self._on_refused(format_address(transport.get_extra_info("peername")), refusal)
            return
        cap_reads(transport, self._read_size)
        self._listener.add(self)
        try:
            self._application = self._protocol_factory()
            self._application.connection_made(transport)
        except BaseException:
            self._transport.abort()
            raise

    def data_received(self, data: bytes) -> None:
        self._application.data_received(data)

    def eof_received(self) -> bool | None:
        return self._application.eof_received()

    def pause_writing(self) -> None:
        self._application.pause_writing()

    def resume_writing(self) -> None:
        self._application.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._listener.remove(self)
        self._application.connection_lost(exc)

    def abort(self) -> None:
        """Drop the connection now."""
        if self._transport is not None:
            self._transport.abort()
