"""What keeps a serial line or a UDP port open while its meter has no mains."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from emulator.lines import LineTransport


class Plug(asyncio.Protocol, asyncio.DatagramProtocol):
    """Serves by what ``serve`` makes, anew each time that it is resumed; what comes meanwhile is
    dropped. Nobody connects to a line or a port of datagrams, so it knows no connections.
    """

    def __init__(self, serve: Callable[[], asyncio.BaseProtocol]) -> None:
        self._serve = serve
        self._served: Any = None
        self._transport: asyncio.BaseTransport | None = None

    @property
    def connections(self) -> int:
        return 0

    def pause(self) -> None:
        if isinstance(self._transport, LineTransport):
            self._transport.discard()
        self._lose(None)

    def resume(self) -> None:
        if self._transport is not None and self._served is None:
            self._served = self._serve()
            self._served.connection_made(self._transport)

    # asyncio.Protocol and asyncio.DatagramProtocol ------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.resume()

    def data_received(self, data: bytes) -> None:
        if self._served is not None:
            self._served.data_received(data)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self._served is not None:
            self._served.datagram_received(data, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lose(exc)

    def _lose(self, exc: Exception | None) -> None:
        served, self._served = self._served, None
        if served is not None:
            served.connection_lost(exc)
