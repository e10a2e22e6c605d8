"""One connection to a meter: TCP, TLS or a serial line, in any framing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from devices.outbox import Announcement
from dlms.errors import RemoteProtocolError
from emulator.framing import Addressed, Framing, Polled, WrapperFraming
from emulator.serving.host import MAX_APDU, Host
from emulator.serving.passage import Passage
from emulator.serving.peer import Peer, Unable
from tls.events import format_address
from tls.identity import IdentityError, peer_system_title
from tls.session_age import session_age


def meter_wrapper() -> Framing:
    return WrapperFraming(at_meter=True, max_apdu=MAX_APDU)


class MeterConnection(asyncio.Protocol):
    """Serves one connection of octets."""

    def __init__(self, host: Host, framing: Callable[[], Framing] = meter_wrapper) -> None:
        self._host = host
        self._framing = framing()
        self._transport: asyncio.Transport | None = None
        self._passage: Passage | None = None
        self._polled = self._framing if isinstance(self._framing, Polled) else None
        self._peer = Peer(host, "unknown")
        self._paused = False
        self._inactivity: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._last_heard = 0.0

    # asyncio.Protocol ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        address = format_address(transport.get_extra_info("peername"))
        ssl_object = transport.get_extra_info("ssl_object")
        title: bytes | None = None
        if ssl_object is not None:
            try:
                title = peer_system_title(ssl_object)
            except IdentityError as error:
                Peer(self._host, address).report("refused", text=str(error))
                self._transport.abort()
                return
        self._peer = Peer(self._host, address, title)
        write = self._transport.write
        self._passage = Passage(self._host.taps, address, self._receive, write, transport)
        self._host.audience.join(self)
        self._loop = asyncio.get_running_loop()
        self._last_heard = self._loop.time()
        self._watch(self._host.inactivity_timeout)
        if ssl_object is not None:
            left = self._host.session_lifetime - session_age(ssl_object)
            self._expiry = self._loop.call_later(max(left, 0.0), self._expire)

    def data_received(self, data: bytes) -> None:
        if self._passage is not None:
            self._passage.receive(data)

    def _receive(self, data: bytes) -> None:
        now = self._loop.time()
        try:
            self._framing.receive(data, now)
            self._carry_on(now)
        except RemoteProtocolError as error:
            self._lose(error)

    def pause_writing(self) -> None:
        # A peer that does not read our answers gets no more of its questions read.
        self._paused = True
        if self._passage is not None:
            self._passage.pause()

    def resume_writing(self) -> None:
        self._paused = False
        if self._passage is not None:
            self._passage.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._inactivity, self._deadline, self._expiry):
            if timer is not None:
                timer.cancel()
        self._host.audience.leave(self)
        self._peer.close()
        if self._passage is not None:
            self._passage.close()
        self._transport = self._passage = None

    # The way of the octets ------------------------------------------------------------------------

    def _carry_on(self, now: float) -> None:
        """Serve what has arrived, write what there is to write, set the framing's clock."""
        framing = self._framing
        # Not after hanging up: TLS may still hand on what had come before.
        while self._is_open() and (indication := framing.next_indication()) is not None:
            if isinstance(indication, Addressed):
                self._serve(indication, now)
            else:
                self._peer.close_pair(indication.client_sap, indication.server_sap)
        self._write()
        self._set_deadline()

    def _write(self) -> None:
        octets = self._framing.octets_to_send()
        if octets and self._passage is not None:
            self._passage.send(octets)

    def _serve(self, arrived: Addressed, now: float) -> None:
        client_sap, server_sap, apdu = arrived
        try:
            replies = self._peer.serve(client_sap, server_sap, apdu)
        except Unable:
            self._hang_up()
            return
        if replies is None:
            return
        self._last_heard = now
        for reply in replies:
            self._framing.send(Addressed(client_sap, server_sap, reply), now)
        self._host.audience.tell_all(self._host.device.outbox.take_announcements())
        self._host.restart_if_wanted()

    def tell(self, what: Announcement) -> int:
        """Say to all associations of this connection what nobody has asked for.

        A peer that does not take what is there for it already is not told: what waits is bounded.
        """
        told = 0
        for pair in self._peer.associated() if self._is_open() else ():
            if not self._takes(pair):
                self._peer.report("not-told", text=f"{pair[0]} to {pair[1]} takes nothing")
                continue
            try:
                apdus = self._peer.tell(pair, what)
            except Unable:
                self._hang_up()
                break
            told += bool(apdus)
            for apdu in apdus:
                self._say(Addressed(*pair, apdu))
        return told

    def _takes(self, pair: tuple[int, int]) -> bool:
        return not self._paused if self._polled is None else self._polled.takes_unsolicited(*pair)

    def _say(self, addressed: Addressed) -> None:
        if self._polled is None:
            self._framing.send(addressed, self._loop.time())
            self._write()
        else:
            self._polled.tell(addressed)

    def _set_deadline(self) -> None:
        when = self._framing.deadline()
        if self._deadline is not None:
            if self._deadline.when() == when:
                return
            self._deadline.cancel()
            self._deadline = None
        if when is not None and self._is_open():
            self._deadline = self._loop.call_at(when, self._framing_timeout)

    def _framing_timeout(self) -> None:
        self._deadline = None
        now = self._loop.time()
        try:
            self._framing.timeout(now)
            self._carry_on(now)
        except RemoteProtocolError as error:
            self._lose(error)

    # Hanging up -----------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """The meter restarts. A line stays, as it does when its client goes."""
        self._write()
        self._peer.close()
        if self._host.inactivity_timeout != float("inf"):
            self._hang_up()

    def _lose(self, error: RemoteProtocolError) -> None:
        """The stream has lost its framing; what had been answered before still goes out."""
        self._peer.report(error.reason, text=str(error))
        self._write()
        self._hang_up()

    def _is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def _hang_up(self) -> None:
        if self._passage is not None:
            self._passage.hang_up()

    def _watch(self, delay: float) -> None:
        self._inactivity = self._loop.call_later(delay, self._check_activity)

    def _check_activity(self) -> None:
        idle = self._loop.time() - self._last_heard
        left = self._host.inactivity_timeout - idle
        if left > 0:
            self._watch(left)
            return
        self._peer.report("inactive", text=f"nothing complete heard for {idle:.0f} s")
        self._give_up()

    def _expire(self) -> None:
        """What is open in the session ends with it, and its dedicated keys (KL-TL-08)."""
        self._peer.report("expired", text="the TLS session is older than its lifetime")
        self._peer.close()
        self._give_up()

    def _give_up(self) -> None:
        if self._transport is not None and self._transport.get_write_buffer_size():
            # To close would wait for a peer that does not read what is there for it.
            self._transport.abort()
        self._hang_up()
