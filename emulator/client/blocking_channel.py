"""A connection without an event loop: APDUs out, APDUs in, in any framing.

The counterpart of :class:`emulator.channel.Channel`; time passes only while somebody waits.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from dlms.errors import RemoteProtocolError
from emulator.channel import MAX_WAITING, ChannelClosed, Pair, client_wrapper
from emulator.framing import Addressed, Framing, Linked, Polling


class Wire(Protocol):
    """Octets both ways: a socket, a TLS socket, a tty."""

    def write(self, octets: bytes) -> None:
        """Send them all. ``OSError`` if that cannot be."""
        ...

    def read(self, timeout: float) -> bytes:
        """What has come, after at most ``timeout`` seconds; empty if the other side has ended.

        ``TimeoutError`` if nothing came, another ``OSError`` if nothing can.
        """
        ...

    def close(self) -> None: ...


class BlockingChannel:
    """One connection to one meter, for the associations of any pairs of SAPs, one at a time."""

    def __init__(
        self,
        wire: Wire,
        framing: Callable[[], Framing] = client_wrapper,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire = wire
        self._framing = framing()
        self._polling = self._framing if isinstance(self._framing, Polling) else None
        self._now = now
        self._waiting: dict[Pair, deque[bytes]] = {}
        self._lost: dict[Pair, ChannelClosed] = {}
        self._failure: Exception | None = None

    def send(self, client_sap: int, server_sap: int, apdu: bytes) -> None:
        """Send one APDU. :class:`ChannelClosed` if there is no connection any more."""
        if self._failure is not None:
            raise self._failure
        self._lost.pop((client_sap, server_sap), None)
        self._framing.send(Addressed(client_sap, server_sap, apdu), self._now())
        self._write()

    def receive(self, client_sap: int, server_sap: int, timeout: float) -> bytes:
        """The next APDU for this pair, within ``timeout`` seconds (``TimeoutError``).

        :class:`ChannelClosed`, or the protocol error, if there will be none.
        """
        pair = client_sap, server_sap
        end = self._now() + timeout
        while not self._waiting.get(pair):
            failure = self._lost.get(pair, self._failure)
            if failure is not None:
                raise failure
            self._await(pair, end)
        apdu = self._waiting[pair].popleft()
        if not self._waiting[pair]:
            del self._waiting[pair]
        return apdu

    def disconnect(self, client_sap: int, server_sap: int) -> None:
        """End the link of this pair, where the framing has links; the connection stays.

        The framing bounds how long that takes. What arrives meanwhile is dropped.
        """
        framing = self._framing
        if self._failure is not None or not isinstance(framing, Linked):
            return
        if framing.disconnect(client_sap, server_sap, self._now()):
            with suppress(ChannelClosed, RemoteProtocolError):
                self._write()
                while True:
                    self.receive(client_sap, server_sap, math.inf)

    def close(self) -> None:
        self._fail(ChannelClosed("connection is closed"))

    # The way of the octets ------------------------------------------------------------------------

    def _await(self, pair: Pair, end: float) -> None:
        """Wait for octets, with the meter polled if it has to be."""
        if self._polling is None:
            self._wait(end)
            return
        self._polling.listen(*pair, self._now())
        self._write()
        try:
            self._wait(end)
        finally:
            self._polling.rest(*pair)

    def _wait(self, end: float) -> None:
        """For octets, for the framing's deadline, or until ``end``, whichever comes first."""
        deadline = self._framing.deadline()
        until = end if deadline is None else min(end, deadline)
        try:
            octets = self._wire.read(max(until - self._now(), 0))
        except TimeoutError:
            if deadline is not None and self._now() >= deadline:
                self._guarded(lambda: self._framing.timeout(self._now()))
            elif self._now() >= end:
                raise
            return
        except OSError as error:
            self._fail(ChannelClosed(str(error)))
            return
        if octets:
            self._guarded(lambda: self._framing.receive(octets, self._now()))
        else:
            self._fail(ChannelClosed("meter closed the connection"))

    def _guarded(self, happen: Callable[[], None]) -> None:
        try:
            happen()
            self._take()
        except RemoteProtocolError as error:
            self._fail(error)
        else:
            self._write()

    def _take(self) -> None:
        """Keep what has arrived for whoever asks for it."""
        while (indication := self._framing.next_indication()) is not None:
            pair = indication.client_sap, indication.server_sap
            if not isinstance(indication, Addressed):
                self._lost[pair] = ChannelClosed(indication.why)
            elif sum(map(len, self._waiting.values())) >= MAX_WAITING:
                raise RemoteProtocolError("meter sends more than was asked for")
            else:
                self._waiting.setdefault(pair, deque()).append(indication.apdu)

    def _write(self) -> None:
        octets = self._framing.octets_to_send()
        if not octets:
            return
        try:
            self._wire.write(octets)
        except OSError as error:
            self._fail(ChannelClosed(str(error)))
            raise self._failure or error from error

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            self._wire.close()
