"""Stands between the tester and a TLS device, so that the record has what is on the line: what TLS
makes of the octets, which the tester's own end never shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from emulator.conformance.probing.record import Direction, Level, Recorder
from emulator.meter_address import LOOPBACK
from tls.listener import Listener
from tls.plain import open_tcp_connection, start_tcp_server


class Relay:
    """One connection to ``host`` and ``port``, reached at ``self.port`` of loopback."""

    def __init__(self, host: str, port: int, number: int, recorder: Recorder) -> None:
        self._host = host
        self._port = port
        self._number = number
        self._recorder = recorder
        self._listener: Listener | None = None
        self._forwarding: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        self._listener = await start_tcp_server(self._accepted, LOOPBACK, 0, max_connections=1)
        self.port = self._listener.port

    async def close(self) -> None:
        for task in self._forwarding:
            task.cancel()
        if self._listener is not None:
            await self._listener.__aexit__(None, None, None)

    def _accepted(self) -> _End:
        near = _End(lambda octets: self._keep(Direction.SENT, octets))
        far = _End(lambda octets: self._keep(Direction.RECEIVED, octets))
        near.other, far.other = far, near
        task = asyncio.create_task(self._forward(near, far))
        self._forwarding.add(task)
        task.add_done_callback(self._forwarding.discard)
        return near

    async def _forward(self, near: _End, far: _End) -> None:
        try:
            await open_tcp_connection(lambda: far, self._host, self._port)
        except OSError:
            near.drop()

    def _keep(self, direction: Direction, octets: bytes) -> None:
        self._recorder.add(direction, Level.OCTETS, octets, line=self._number)


class _End(asyncio.Protocol):
    """One side: what it hears it tells ``keep`` and the other."""

    other: _End

    def __init__(self, keep: Callable[[bytes], None]) -> None:
        self._keep = keep
        self._transport: asyncio.Transport | None = None
        self._waiting = bytearray()
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(bytes(self._waiting))
        self._waiting.clear()
        if self._closed:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._keep(data)
        self.other.pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if exc is None:
            self.other.hang_up()
        else:
            self.other.drop()

    def pass_on(self, octets: bytes) -> None:
        if self._transport is None:
            self._waiting += octets
        else:
            self._transport.write(octets)

    def hang_up(self) -> None:
        """Behind all that was passed on."""
        self._closed = True
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        self._closed = True
        if self._transport is not None:
            self._transport.abort()
