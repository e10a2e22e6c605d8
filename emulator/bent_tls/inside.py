"""What is inside a session of tlslite, for a protocol of asyncio."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from emulator.bent_tls.connection import BentConnection


class Inside(asyncio.Transport):
    """What is written leaves in records of ``most`` octets, what comes goes to ``protocol``, which
    is not told that the connection has been made. ``get_extra_info("ssl_object")`` has the peer's
    certificate, as that of :mod:`ssl` has.
    """

    def __init__(
        self, connection: BentConnection, protocol: asyncio.Protocol, most: int = 1 << 14
    ) -> None:
        super().__init__()
        self.connection = connection
        self._wire = connection.wire
        self._protocol = protocol
        self._most = most
        self._closing = False
        self._is_lost = False
        self._reader = asyncio.ensure_future(self._read())

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "ssl_object":
            shown = self.connection.certificates
            return _Certified(shown) if shown else default
        return self._wire.transport.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        octets = bytes(data)
        with suppress(OSError):
            for start in range(0, len(octets), self._most):
                for _ in self.connection.writeAsync(octets[start : start + self._most]):
                    """A wire takes all at once."""

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        """There is not so much to read."""

    def resume_reading(self) -> None:
        """As above."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is not so much to write."""

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        """Take leave with close_notify; that of the peer is not waited for."""
        if self._closing:
            return
        self._closing = True
        with suppress(Exception):
            self.connection.closeSocket = False
            for waits in self.connection.closeAsync():
                if waits == 0:
                    break
        self._wire.close()
        self._end()

    def abort(self) -> None:
        self._closing = True
        self._wire.transport.abort()
        self._end()

    def _end(self) -> None:
        self._reader.cancel()
        asyncio.get_running_loop().call_soon(self._lost, None)

    async def _read(self) -> None:
        why: Exception | None = None
        try:
            while not self.connection.closed:
                await self._read_piece()
        except Exception as error:  # an alert, or the end: the protocol is told
            why = error
        self._closing = True
        self._wire.close()
        self._lost(why)

    async def _read_piece(self) -> None:
        """The protocol is told of the end before tlslite is, and may still write."""
        for result in self.connection.readAsync(max=1 << 14, min=1):
            if not isinstance(result, int):
                if result:
                    self._protocol.data_received(bytes(result))
                return
            if result == 0:
                await self._wire.news()
                if self._wire.ended and not self._wire.has_news:
                    self._protocol.eof_received()

    def _lost(self, why: Exception | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._protocol.connection_lost(why)


class _Certified:
    """The peer's certificate. How old its session is tlslite does not tell: as old as this."""

    session = None

    def __init__(self, chain: tuple[bytes, ...]) -> None:
        self._chain = chain

    def getpeercert(self, binary_form: bool = False) -> bytes:
        return self._chain[0]
