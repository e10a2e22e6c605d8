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

LONGEST_READ = 3600.0
"""Seconds; then it is asked again. Sockets know no time-out without end but the lack of one."""


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
        self._kept = 0
        self._behind = False  # there may be more in the framing than there was room for
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
        self.news(client_sap, server_sap, timeout)
        apdu = self.glance(client_sap, server_sap)
        assert apdu is not None  # that is what the news was
        return apdu

    def glance(self, client_sap: int, server_sap: int) -> bytes | None:
        """The next APDU for this pair if it is here already. Raises as :meth:`receive` does."""
        pair = client_sap, server_sap
        waiting = self._waiting.get(pair)
        if not waiting:
            failure = self._lost.get(pair, self._failure)
            if failure is not None:
                raise failure
            return None
        apdu = waiting.popleft()
        self._kept -= 1
        if not waiting:
            del self._waiting[pair]
        return apdu

    def news(self, client_sap: int, server_sap: int, timeout: float) -> None:
        """Wait until :meth:`glance` has something to give, or to raise; for at most ``timeout``
        seconds (``TimeoutError``).
        """
        pair = client_sap, server_sap
        end = self._now() + timeout
        if self._is_news(pair):
            return
        if self._polling is not None:
            self._polling.listen(*pair, self._now())
            self._write()
        try:
            while not self._is_news(pair):
                self._wait(end)
        finally:
            if self._polling is not None:
                self._polling.rest(*pair)

    def _is_news(self, pair: Pair) -> bool:
        """Whether there is any, at the latest after what waits in the framing has been taken."""
        if self._waiting.get(pair):
            return True
        if self._behind and self._failure is None:
            self._guarded(lambda: None, pair)
        return bool(self._waiting.get(pair)) or self._lost.get(pair, self._failure) is not None

    def disconnect(self, client_sap: int, server_sap: int, *, settle: bool = False) -> None:
        """End the link of this pair, where the framing has links; the connection stays. With
        ``settle`` what was sent without awaiting anything arrives first.

        The framing bounds how long that takes. What arrives meanwhile is dropped.
        """
        framing = self._framing
        if self._failure is not None or not isinstance(framing, Linked):
            return
        if framing.disconnect(client_sap, server_sap, self._now(), settle=settle):
            with suppress(ChannelClosed, RemoteProtocolError):
                self._write()
                while True:
                    self.receive(client_sap, server_sap, math.inf)

    def close(self) -> None:
        self._fail(ChannelClosed("connection is closed"))

    # The way of the octets ------------------------------------------------------------------------

    def _wait(self, end: float) -> None:
        """For octets, for the framing's deadline, or until ``end``, whichever comes first."""
        deadline = self._framing.deadline()
        until = end if deadline is None else min(end, deadline)
        try:
            octets = self._wire.read(min(max(until - self._now(), 0), LONGEST_READ))
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

    def _guarded(self, happen: Callable[[], None], wanted: Pair | None = None) -> None:
        try:
            happen()
            self._take(wanted)
        except RemoteProtocolError as error:
            self._fail(error)
        else:
            self._write()

    def _take(self, wanted: Pair | None) -> None:
        """Keep what has arrived for whoever asks for it, as much as there is room for; more if what
        is ``wanted`` may stand behind it.
        """
        self._behind = True
        while self._kept < MAX_WAITING or (wanted is not None and not self._waiting.get(wanted)):
            indication = self._framing.next_indication()
            if indication is None:
                self._behind = False
                return
            pair = indication.client_sap, indication.server_sap
            if not isinstance(indication, Addressed):
                self._lost[pair] = ChannelClosed(indication.why)
            elif self._kept >= MAX_WAITING:
                raise RemoteProtocolError("meter sends more than was asked for")
            else:
                self._waiting.setdefault(pair, deque()).append(indication.apdu)
                self._kept += 1

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
