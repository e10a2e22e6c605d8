"""Closing a connection so that the last octets sent can arrive.

A socket closed while it holds unread data answers with a reset, and a reset throws away what the
peer has not read yet: the very alert that says what is wrong. So we stop sending, read on for a
while, and close when the peer does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LINGER_TIMEOUT = 2.0
"""Seconds for the peer to close; enough for a few round trips of any network with meters in it."""

LINGER_OCTETS = 65536
"""Octets read and thrown away before we close anyhow: more than any flight of a handshake."""

_SCRATCH = bytearray(4096)  # shared by all: nobody looks at what arrives here


def linger(transport: asyncio.Transport, last: bytes, on_gone: Callable[[], None]) -> None:
    """Send ``last``, then close ``transport`` gently; ``on_gone`` is called when it is closed."""
    closing = _Lingering(transport, on_gone)
    transport.set_protocol(closing)
    transport.write(last)
    try:
        transport.write_eof()
    except OSError:  # the peer is gone already
        transport.abort()
        return
    transport.resume_reading()


class _Lingering(asyncio.BufferedProtocol):
    def __init__(self, transport: asyncio.Transport, on_gone: Callable[[], None]) -> None:
        self._transport = transport
        self._on_gone = on_gone
        self._left = LINGER_OCTETS
        self._timer = asyncio.get_running_loop().call_later(LINGER_TIMEOUT, transport.abort)

    def get_buffer(self, sizehint: int) -> bytearray:
        return _SCRATCH

    def buffer_updated(self, nbytes: int) -> None:
        self._left -= nbytes
        if self._left < 0:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._on_gone()
