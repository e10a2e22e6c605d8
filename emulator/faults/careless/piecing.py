"""What comes out of a session, put together wrongly."""

from __future__ import annotations

import asyncio
from typing import cast

_HEADER = 8
"""Octets of a WPDU before its APDU; the last two say how long that is."""


def piecing(flaws: frozenset[str], inner: asyncio.Protocol) -> asyncio.Protocol:
    if "record-is-apdu" in flaws:
        return _OneByOne(inner)
    if "end-completes" in flaws:
        return _Completing(inner)
    return inner


class _Passing(asyncio.Protocol):
    def __init__(self, inner: asyncio.Protocol) -> None:
        self._inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._inner.connection_made(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)


class _OneByOne(_Passing):
    """A record that is no whole WPDU is lost."""

    def data_received(self, data: bytes) -> None:
        if len(data) >= _HEADER and len(data) >= _HEADER + int.from_bytes(data[6:8], "big"):
            super().data_received(data)


class _Completing(_Passing):
    """What is missing of a WPDU when the connection ends is taken for zeros."""

    def __init__(self, inner: asyncio.Protocol) -> None:
        super().__init__(inner)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= _HEADER:
            length = _HEADER + int.from_bytes(self._rest[6:8], "big")
            if len(self._rest) < length:
                break
            whole, self._rest = self._rest[:length], self._rest[length:]
            super().data_received(whole)

    def eof_received(self) -> None:
        if len(self._rest) >= _HEADER:
            length = _HEADER + int.from_bytes(self._rest[6:8], "big")
            super().data_received(self._rest.ljust(length, b"\0"))
            self._rest = b""
