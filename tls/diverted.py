"""A connection that somebody else serves in the place of TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


class Diverted(asyncio.Protocol):
    """Hands everything on to ``inner``; ``on_lost`` is called when the socket is gone."""

    def __init__(self, inner: asyncio.Protocol, on_lost: Callable[[], None]) -> None:
        self._inner = inner
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None

    def abort(self) -> None:
        """Drop the connection now, in whatever state it is."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._inner.connection_lost(exc)
        self._on_lost()
