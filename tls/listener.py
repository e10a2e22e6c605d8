"""A listening socket together with the connections that came in by it."""

from __future__ import annotations

import asyncio
from typing import Protocol, Self

from tls.events import Reason

MAX_CONNECTIONS = 15000
"""Open connections of one server.

A process has 20000 file descriptors at most on a usual system; some must remain for the rest. A TLS
connection takes about 50 KiB, so this is also 750 MiB.
"""

MAX_HANDSHAKES = 1024
"""Handshakes going on at once.

One costs about 1.4 ms of processor time, so this many are more than a second of work: who comes
later would only wait, and most of those that come in a flood never finish.
"""


class Connection(Protocol):
    """Something that can be dropped at once."""

    def abort(self) -> None: ...


class Listener:
    """What :func:`tls.transport.start_tls_server` and ``start_tcp_server`` return.

    Use it as ``asyncio.Server``; as an async context manager it ends by dropping everything.
    Unlike ``asyncio.Server``, :meth:`wait_closed` means the same on every version of Python: the
    last connection is gone.
    """

    def __init__(self, *, max_connections: int, max_handshakes: int = MAX_HANDSHAKES) -> None:
        if max_connections < 1 or max_handshakes < 1:
            raise ValueError("a server needs room for one connection at least")
        self._max_connections = max_connections
        self._max_handshakes = max_handshakes
        self._connections: set[Connection] = set()
        self._handshakes: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._closed = False
        self._paused = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def connections(self) -> int:
        """How many connections there are, in any state."""
        return len(self._connections)

    @property
    def handshakes(self) -> int:
        """How many of them have not finished their handshake."""
        return len(self._handshakes)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each listening socket."""
        sockets = () if self._server is None else self._server.sockets
        return tuple(sock.getsockname()[:2] for sock in sockets)

    @property
    def port(self) -> int:
        """The port of the first listening socket; raises ``RuntimeError`` if closed."""
        if not self.addresses:
            raise RuntimeError("the server is closed")
        return self.addresses[0][1]

    def is_serving(self) -> bool:
        return not self._closed and self._server is not None and self._server.is_serving()

    def close(self) -> None:
        """Accept no more connections; those that exist go on."""
        self._closed = True
        if self._server is not None:
            self._server.close()

    def pause(self) -> None:
        """Drop every connection at once, and those that come until :meth:`resume`. The port stays
        bound: nobody else can take it.
        """
        self._paused = True
        self.abort_connections()

    def resume(self) -> None:
        self._paused = False

    def abort_connections(self) -> None:
        """Drop every connection at once."""
        for connection in tuple(self._connections):
            connection.abort()

    async def wait_closed(self) -> None:
        """Wait until the last connection is gone. Call :meth:`close` first."""
        await self._empty.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()
        self.abort_connections()
        await self.wait_closed()

    # For the transports of this package:

    def listening_on(self, server: asyncio.Server) -> None:
        self._server = server

    def refusal(self) -> Reason | None:
        """Say why there is no room for one more connection, or ``None`` if there is."""
        if self._closed:
            return Reason.CLOSING
        if self._paused:
            return Reason.PAUSED
        if len(self._connections) >= self._max_connections:
            return Reason.TOO_MANY_CONNECTIONS
        if len(self._handshakes) >= self._max_handshakes:
            return Reason.TOO_MANY_HANDSHAKES
        return None

    def add(self, connection: Connection, *, handshake: bool = False) -> None:
        self._connections.add(connection)
        self._empty.clear()
        if handshake:
            self._handshakes.add(connection)

    def handshake_over(self, connection: Connection) -> None:
        self._handshakes.discard(connection)

    def remove(self, connection: Connection) -> None:
        self._handshakes.discard(connection)
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()
