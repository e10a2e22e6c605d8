"""One TLS connection: asyncio's SSLProtocol, made to speak when a handshake fails.

As it comes, asyncio drops the alert that OpenSSL has ready, tells nobody on the server side, and
keeps 256 KiB of buffer for each connection. Here the alert goes out and is given time to arrive,
every handshake ends in exactly one event, and buffers are small.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import sslproto
from collections.abc import Callable
from typing import cast

from tls.alerts import sent_alert
from tls.events import (
    HandshakeDone,
    HandshakeEvent,
    OnEvent,
    Reason,
    Side,
    format_address,
)
from tls.failures import Diagnosis, diagnose, failed
from tls.identity import IdentityError, TitleCheck, peer_system_title
from tls.linger import linger

READ_SIZE = 16384
"""Octets of read buffer for each connection: one TLS record (RFC 5246, 6.2.1)."""

READ_HIGH_WATER = 65536
"""Octets of undelivered ciphertext at which we stop reading from the socket.

More than one record, or a partial record could stop reading for ever.
"""

WRITE_HIGH_WATER = 65536
"""Octets waiting to be sent at which the application is asked to pause."""

SHUTDOWN_TIMEOUT = 5.0
"""Seconds that a peer has to answer close_notify."""


class _DeclinedError(IdentityError):
    """We do not want to talk to this peer; apart from an error of the application."""


class ChannelProtocol(sslproto.SSLProtocol):
    """The TLS layer between a socket transport and an application protocol.

    The application protocol sees nothing until the handshake is good and ``accept`` has agreed to
    the peer's system title. ``on_event`` gets one event. ``on_lost`` is called when the socket is
    gone, also if there never was a session.
    """

    max_size = READ_SIZE

    # Of the base class, which the type checker does not know in full.
    _sslobj: ssl.SSLObject
    _outgoing: ssl.MemoryBIO

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        application: asyncio.BaseProtocol,
        context: ssl.SSLContext,
        *,
        side: Side,
        accept: TitleCheck,
        on_event: OnEvent,
        on_lost: Callable[[], None],
        handshake_timeout: float,
    ) -> None:
        super().__init__(
            loop,
            application,
            context,
            None,  # type: ignore[arg-type]  # asyncio allows it: nobody waits, we report
            server_side=side is Side.SERVER,
            ssl_handshake_timeout=handshake_timeout,  # type: ignore[arg-type]  # float works
            ssl_shutdown_timeout=SHUTDOWN_TIMEOUT,
        )
        self._app_transport.set_read_buffer_limits(high=READ_HIGH_WATER)
        self._app_transport.set_write_buffer_limits(high=WRITE_HIGH_WATER)
        self._side = side
        self._accept = accept
        self._on_event = on_event
        self._on_lost = on_lost
        self._socket_transport: asyncio.Transport | None = None
        self._peer = "unknown"
        self._concluded = False
        self._cause: Diagnosis | None = None
        self._lingering = False

    def application_transport(self) -> asyncio.Transport:
        """Return the transport that the application protocol writes to."""
        return self._app_transport

    def abort(self) -> None:
        """Drop the connection now, in whatever state it is."""
        if not self._concluded:
            self._cause = Diagnosis(Reason.CLOSING)
        if self._socket_transport is not None:
            self._socket_transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket_transport = cast(asyncio.Transport, transport)
        self._peer = format_address(transport.get_extra_info("peername"))
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        # The socket went in the middle of the handshake: no other method hears of that.
        diagnosis = Diagnosis(Reason.PEER_CLOSED) if exc is None else diagnose(exc)
        used = self._key_used()
        event = failed(self._side, self._peer, self._cause or diagnosis, key_used=used)
        self._conclude(event)
        super().connection_lost(exc)
        if not self._lingering:
            self._gone()

    def _check_handshake_timeout(self) -> None:
        if not self._concluded:
            self._cause = Diagnosis(Reason.TIMEOUT)
        super()._check_handshake_timeout()

    def _on_handshake_complete(
        self, handshake_exc: BaseException | type[BaseException] | None
    ) -> None:
        # Where the peer closed, asyncio passes the bare class.
        failure = handshake_exc() if isinstance(handshake_exc, type) else handshake_exc
        if failure is None:
            try:
                session = self._identify()
            except _DeclinedError as error:
                self._decline()
                failure = error
            else:
                # asyncio would keep our Finished back if the application at once paused reading.
                self._process_outgoing()  # type: ignore[attr-defined]  # as above
                self._conclude(session)
        if failure is not None:
            self._conclude(
                failed(
                    self._side,
                    self._peer,
                    diagnose(failure),
                    sent=sent_alert(self._pending()),
                    key_used=self._key_used(),
                )
            )
        super()._on_handshake_complete(failure)

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on transport") -> None:
        """Close after an error, but send the alert that OpenSSL has ready, which asyncio forgets.

        This holds for the handshake and for what comes after it (bad_record_mac, for example).
        """
        if not isinstance(exc, ssl.SSLError | _DeclinedError):
            super()._fatal_error(exc, message)
            return
        transport = self._socket_transport
        if transport is None or transport.is_closing() or self._lingering:
            return  # it ends already
        self._lingering = True
        linger(transport, self._pending(), self._gone)
        # As asyncio does: later, so that whoever called us finds its transport in place.
        self._loop.call_soon(self.connection_lost, exc)

    def _identify(self) -> HandshakeDone:
        """Describe the session; raise ``_DeclinedError`` if its peer is not to be talked to."""
        tls = self._sslobj
        title: bytes | None = None
        try:
            title = peer_system_title(tls)
            complaint = f"its system title is {title.hex().upper()}"
        except IdentityError as error:
            complaint = str(error)
        if not self._accept(title):
            raise _DeclinedError(complaint)
        cipher = tls.cipher()
        return HandshakeDone(
            side=self._side,
            peer=self._peer,
            version=tls.version() or "",
            cipher=cipher[0] if cipher else "",
            system_title=title,
            resumed=bool(tls.session_reused),
            key_used=self._key_used(),
        )

    def _key_used(self) -> bool | None:
        """Whether a private key that is elsewhere has signed; ``None`` of one that OpenSSL has."""
        return getattr(self._sslobj, "key_used", None)

    def _decline(self) -> None:
        """Take leave of a peer whose certificate is good but whose identity is not.

        RFC 5246 has the alert access_denied for it, which OpenSSL gives us no means to send. As a
        server we keep our Finished back, so that the client has no session either; as a client we
        have sent ours, so we end the session in order.
        """
        if self._side is Side.SERVER:
            self._outgoing.read()
            return
        try:
            self._sslobj.unwrap()
        except ssl.SSLError:  # it waits for an answer that we do not need
            return

    def _pending(self) -> bytes:
        """Return what OpenSSL wants sent, leaving it in place."""
        octets = self._outgoing.read()
        self._outgoing.write(octets)
        return octets

    def _conclude(self, event: HandshakeEvent) -> None:
        """Report the end of the handshake, the first time only."""
        if self._concluded:
            return
        self._concluded = True
        self._on_event(event)

    def _gone(self) -> None:
        self._socket_transport = None
        self._on_lost()
