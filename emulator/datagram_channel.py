"""A channel over UDP: asyncio's datagrams behind the face of a stream."""

from __future__ import annotations

import asyncio
from typing import cast

from emulator.channel import Channel
from emulator.framing import DatagramFraming
from tls.udp import open_udp


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


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.channel = Channel(DatagramFraming)
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.channel.connection_made(_Transport(cast(asyncio.DatagramTransport, transport)))

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.channel.data_received(data)

    def error_received(self, exc: Exception) -> None:
        # Nobody listens there (ICMP): said now rather than by a time-out.
        self.channel.connection_lost(exc)
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.channel.connection_lost(exc)


async def open_datagram_channel(host: str, port: int) -> Channel:
    """A channel to one UDP address; ``OSError`` if it cannot be had."""
    _, protocol = await open_udp(_Protocol, host, port)
    return protocol.channel
