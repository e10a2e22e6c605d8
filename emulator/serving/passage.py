"""The way in and out of one connection, or of a UDP port, with what stands in it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from emulator.serving.taps import Later, Parcel, Place, Taps
from tls.events import format_address

MAX_WAITING = 65_536
"""Octets that may wait in one direction before no more is read; of datagrams, more are lost."""

Octets: TypeAlias = Callable[..., None]
"""Takes octets and, on UDP, an address behind them."""


class Passage:
    """``receive`` leads to ``read``, ``send`` to ``write``. While nothing stands in the way they
    *are* ``read`` and ``write``.

    What waits keeps its order, and goes on waiting when what it waits for has been taken away; only
    what was held is let go then.
    """

    __slots__ = (
        "_inward",
        "_is_closed",
        "_is_full",
        "_outward",
        "_paused",
        "_peer",
        "_read",
        "_taps",
        "_transport",
        "_write",
        "receive",
        "send",
    )

    def __init__(
        self, taps: Taps, peer: str, read: Octets, write: Octets, transport: asyncio.BaseTransport
    ) -> None:
        self._taps = taps
        self._peer = peer
        self._read = read
        self._write = write
        self._transport: Any = transport
        self._inward = _Lane(taps.later, self._arrive)
        self._outward = _Lane(taps.later, self._depart)
        self._paused = False
        self._is_full = False
        self._is_closed = False
        self.receive: Octets = read
        self.send: Octets = write
        taps.join(self)
        self.look_again()

    def look_again(self) -> None:
        """Take the direct way where nothing stands in it or waits."""
        if self._is_closed:
            return
        self._inward.let_go()
        self._outward.let_go()
        at = self._taps.at
        inward = at[Place.OCTETS_IN] or self._inward.waiting
        self.receive = self._receive if inward else self._read
        outward = at[Place.OCTETS_OUT] or self._outward.waiting
        self.send = self._send if outward else self._write
        self._pace()

    def hang_up(self) -> None:
        """Close the connection behind all that is to be sent."""
        if self._outward.waiting:
            self._outward.put(Parcel(b"", last=True))
        else:
            self._transport.close()

    def close(self) -> None:
        """The connection is gone, and what was under way with it."""
        self._is_closed = True
        self._taps.leave(self)
        self._inward.clear()
        self._outward.clear()

    def pause(self) -> None:
        """The peer does not read: read no more of it, either."""
        self._paused = True
        self._transport.pause_reading()

    def resume(self) -> None:
        self._paused = False
        if not self._is_full:
            self._transport.resume_reading()

    # With something in the way --------------------------------------------------------------------

    def _receive(self, octets: bytes, *where: Any) -> None:
        self._put(Place.OCTETS_IN, self._inward, octets, where)

    def _send(self, octets: bytes, *where: Any) -> None:
        self._put(Place.OCTETS_OUT, self._outward, octets, where)

    def _put(self, place: Place, lane: _Lane, octets: bytes, where: tuple[Any, ...]) -> None:
        peer = format_address(where[0]) if where else self._peer
        for parcel in self._taps.through(place, Parcel(octets, peer, where=where)):
            if self._is_closed or (where and lane.size + len(parcel.octets) > MAX_WAITING):
                break
            lane.put(parcel)
        self.look_again()

    def _arrive(self, parcel: Parcel) -> None:
        if not self._transport.is_closing():
            self._read(parcel.octets, *parcel.where)
        self.look_again()

    def _depart(self, parcel: Parcel) -> None:
        if not self._transport.is_closing():
            if parcel.octets:
                self._write(parcel.octets, *parcel.where)
            if parcel.last:
                self._transport.close()
        self.look_again()

    def _pace(self) -> None:
        """Read no more while too much waits: nobody fills this process."""
        full = max(self._inward.size, self._outward.size) > MAX_WAITING
        if full is self._is_full or not hasattr(self._transport, "pause_reading"):
            return
        self._is_full = full
        if not self._paused:
            if full:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()


class _Waiting:
    """A parcel in a lane, and whether it may go."""

    __slots__ = ("may_go", "parcel")

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel
        holder = parcel.held_by
        self.may_go = parcel.delay <= 0 and (holder is None or holder.is_over)


class _Lane:
    """One direction: each parcel goes when it may and all before it have gone."""

    __slots__ = ("_deliver", "_is_busy", "_later", "_timers", "size", "waiting")

    def __init__(self, later: Later, deliver: Callable[[Parcel], None]) -> None:
        self._later = later
        self._deliver = deliver
        self._timers: dict[_Waiting, Any] = {}
        self._is_busy = False
        self.waiting: deque[_Waiting] = deque()
        self.size = 0

    def put(self, parcel: Parcel) -> None:
        waiting = _Waiting(parcel)
        self.waiting.append(waiting)
        self.size += len(parcel.octets)
        if parcel.delay > 0:
            self._timers[waiting] = self._later(parcel.delay, lambda: self._ripen(waiting))
        self._go_on()

    def let_go(self) -> None:
        """Those that were held by what is over may go."""
        for waiting in self.waiting:
            holder = waiting.parcel.held_by
            if holder is not None and holder.is_over:
                waiting.may_go = True
        self._go_on()

    def clear(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.waiting.clear()
        self.size = 0

    def _ripen(self, waiting: _Waiting) -> None:
        if self._timers.pop(waiting, None) is not None:
            waiting.may_go = True
            self._go_on()

    def _go_on(self) -> None:
        if self._is_busy:  # what is delivered may lead here again
            return
        self._is_busy = True
        try:
            while self.waiting and self.waiting[0].may_go:
                parcel = self.waiting.popleft().parcel
                self.size -= len(parcel.octets)
                self._deliver(parcel)
        finally:
            self._is_busy = False
