"""DLMS inside a TLS session of the tester: a line like others, for probes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from emulator.channel import Channel, client_wrapper
from emulator.conformance.probing.line import Line
from emulator.conformance.running.trial import Trial
from emulator.conformance.tls_peer.client import Talk


class InsideLine(Line):
    """Its octets are not recorded, those of TLS are already; its APDUs are."""

    def data_received(self, data: bytes) -> None:
        self.channel.data_received(data)

    def _sent(self, octets: bytes) -> None:
        """Recorded as it leaves, protected."""


class Inside(asyncio.Transport):
    """What is written leaves in records of ``most`` octets; what comes goes to ``line``."""

    def __init__(self, talk: Talk, line: Line, most: int = 1 << 14) -> None:
        super().__init__()
        self._talk = talk
        self._line = line
        self._most = most
        self._closing = False
        self._reader = asyncio.ensure_future(self._read())
        self._is_lost = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        octets = bytes(data)
        connection = self._talk.connection
        with suppress(OSError):
            for start in range(0, len(octets), self._most):
                for _ in connection.writeAsync(octets[start : start + self._most]):
                    """A wire takes all at once."""

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        """There is not so much to read."""

    def resume_reading(self) -> None:
        """As above."""

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._reader.cancel()
            asyncio.get_running_loop().call_soon(self._lost, None)

    def abort(self) -> None:
        self._talk.wire.close()
        self.close()

    async def _read(self) -> None:
        why: Exception | None = None
        connection = self._talk.connection
        try:
            while not connection.closed:
                octets = await self._talk.wire.drive(_piece(connection))
                if octets:
                    self._line.data_received(bytes(octets))
        except Exception as error:  # an alert, or the end: the line is told
            why = error
        self._closing = True
        self._lost(why)

    def _lost(self, why: Exception | None) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._line.connection_lost(why)


def _piece(connection: Any) -> Iterator[Any]:
    yield from connection.readAsync(max=1 << 14, min=1)


def line_in(trial: Trial, talk: Talk, most: int = 1 << 14) -> Line:
    """A line in the session of ``talk``. It ends with it."""
    line = trial.adopt(
        lambda number: InsideLine(talk.number, trial.record, Channel(client_wrapper))
    )
    line.connection_made(Inside(talk, line, most))
    return line
