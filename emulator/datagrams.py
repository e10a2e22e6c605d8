"""UDP for what speaks to streams: asyncio's datagrams behind the face of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from tls.udp import open_udp

P = TypeVar("P", bound=asyncio.Protocol)


class _Transport(asyncio.Transport):
    """Each write is one datagram."""

    def __init__(self, transport: asyncio.DatagramTransport) -> None:
        super().__init__()
        self._transport = transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.sendto(data)

    def pause_reading(self) -> None:
        """Datagrams are not kept back; the framing bounds how many it keeps."""

    def resume_reading(self) -> None:
        """See :meth:`pause_reading`."""

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


class _Protocol(asyncio.DatagramProtocol, Generic[P]):
    def __init__(self, stream: P) -> None:
        self.stream = stream
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.stream.connection_made(_Transport(cast(asyncio.DatagramTransport, transport)))

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.stream.data_received(data)

    def error_received(self, exc: Exception) -> None:
        # Nobody listens there (ICMP): said now rather than by a time-out.
        self.stream.connection_lost(exc)
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stream.connection_lost(exc)


async def open_datagrams(make: Callable[[], P], host: str, port: int) -> P:
    """What ``make`` makes, with one UDP address: each write and each call of ``data_received`` is a
    datagram. ``OSError`` if it cannot be had.
    """
    _, protocol = await open_udp(lambda: _Protocol(make()), host, port)
    return protocol.stream
