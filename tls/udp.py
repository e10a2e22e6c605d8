"""Plain UDP, for the one transport that has no connection to secure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

P = TypeVar("P", bound=asyncio.DatagramProtocol)


class UdpListener:
    """A bound port; closed at the end of the async context."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport
        self.port: int = transport.get_extra_info("sockname")[1]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._transport.close()


async def start_udp_server(
    protocol_factory: Callable[[], asyncio.DatagramProtocol], host: str, port: int
) -> UdpListener:
    """Bind ``host`` and ``port`` (0: any free one). ``OSError`` if that cannot be."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(protocol_factory, local_addr=(host, port))
    return UdpListener(transport)


async def open_udp(
    protocol_factory: Callable[[], P], host: str, port: int
) -> tuple[asyncio.DatagramTransport, P]:
    """A socket that sends to and hears from one address only."""
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(protocol_factory, remote_addr=(host, port))
