"""TLS servers and connections on asyncio.

Application protocols (``asyncio.Protocol``) get ``connection_made`` only after a good handshake
with an acceptable peer. From the transport they get ``get_extra_info("ssl_object")`` and
``"peercert"``; :func:`tls.identity.peer_system_title` turns the former into a system title.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar, cast

from tls.channel import ChannelProtocol
from tls.diverted import Diverted
from tls.events import (
    HandshakeError,
    HandshakeEvent,
    HandshakeFailed,
    OnEvent,
    Side,
    format_address,
)
from tls.failures import Diagnosis, failed
from tls.identity import TitleCheck, any_title
from tls.internals import check_loop
from tls.listener import MAX_CONNECTIONS, MAX_HANDSHAKES, Listener
from tls.plain import CONNECT_TIMEOUT

HANDSHAKE_TIMEOUT = 10.0
"""Seconds for a handshake: two round trips and some milliseconds of work, on any network."""

P = TypeVar("P", bound=asyncio.Protocol)


async def start_tls_server(
    protocol_factory: Callable[[], asyncio.Protocol],
    host: str | None,
    port: int,
    context: ssl.SSLContext | Callable[[], ssl.SSLContext],
    *,
    on_event: OnEvent,
    accept: TitleCheck = any_title,
    handshake_timeout: float = HANDSHAKE_TIMEOUT,
    max_connections: int = MAX_CONNECTIONS,
    max_handshakes: int = MAX_HANDSHAKES,
    backlog: int = 100,
    divert: Callable[[], asyncio.Protocol | None] = lambda: None,
) -> Listener:
    """Serve TLS on ``host`` and ``port`` (0: any free one).

    ``context`` may be a function that gives that of the next connection. Every connection leads to
    exactly one call of ``on_event``. ``accept`` looks at the system
    title of a peer whose certificate is good. A connection for which there is no room is dropped
    before any TLS is spoken with it. ``divert`` may give a protocol that has the next connection in
    the place of TLS: a laboratory's way to be wrong.
    """
    loop = asyncio.get_running_loop()
    check_loop(loop)
    listener = Listener(max_connections=max_connections, max_handshakes=max_handshakes)

    def connection() -> asyncio.Protocol:
        return _Acceptor(listener, make_channel, report, divert)

    def report(event: HandshakeEvent) -> None:
        _report(loop, on_event, event)

    def make_channel() -> ChannelProtocol:
        def concluded(event: HandshakeEvent) -> None:
            listener.handshake_over(channel)
            report(event)

        channel = ChannelProtocol(
            loop,
            protocol_factory(),
            context if isinstance(context, ssl.SSLContext) else context(),
            side=Side.SERVER,
            accept=accept,
            on_event=concluded,
            on_lost=lambda: listener.remove(channel),
            handshake_timeout=handshake_timeout,
        )
        return channel

    server = await loop.create_server(connection, host, port, backlog=backlog)
    listener.listening_on(server)
    return listener


async def open_tls_connection(
    protocol_factory: Callable[[], P],
    host: str,
    port: int,
    context: ssl.SSLContext,
    *,
    accept: TitleCheck = any_title,
    on_event: OnEvent | None = None,
    local_address: tuple[str, int] | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    handshake_timeout: float = HANDSHAKE_TIMEOUT,
) -> tuple[asyncio.Transport, P]:
    """Connect and shake hands.

    Who the server is, OpenSSL does not check: any device of a trusted PKI will do unless
    ``accept`` says otherwise; see :func:`tls.identity.exactly`.

    Raises :class:`tls.events.HandshakeError` if the handshake fails, and another ``OSError`` (such
    as ``TimeoutError``) if there is no TCP connection in the first place.
    """
    loop = asyncio.get_running_loop()
    check_loop(loop)
    outcome: asyncio.Future[asyncio.Transport] = loop.create_future()
    gone = asyncio.Event()
    channel: ChannelProtocol
    protocol: P

    def concluded(event: HandshakeEvent) -> None:
        if on_event is not None:
            _report(loop, on_event, event)
        if outcome.done():  # cancelled
            return
        if isinstance(event, HandshakeFailed):
            outcome.set_exception(HandshakeError(event))
        else:
            outcome.set_result(channel.application_transport())

    def connection() -> ChannelProtocol:
        nonlocal channel, protocol
        protocol = protocol_factory()
        channel = ChannelProtocol(
            loop,
            protocol,
            context,
            side=Side.CLIENT,
            accept=accept,
            on_event=concluded,
            on_lost=gone.set,
            handshake_timeout=handshake_timeout,
        )
        return channel

    async with asyncio.timeout(connect_timeout):
        await loop.create_connection(connection, host, port, local_addr=local_address)
    try:
        return await outcome, protocol
    except HandshakeError:
        # Not before our alert has had its time to arrive: who asked may end the program now.
        await gone.wait()
        raise
    except asyncio.CancelledError:
        channel.abort()
        raise


class _Acceptor(asyncio.Protocol):
    """Stands at the door: makes a channel for a new connection if there is room for it."""

    def __init__(
        self,
        listener: Listener,
        make_channel: Callable[[], ChannelProtocol],
        on_event: OnEvent,
        divert: Callable[[], asyncio.Protocol | None],
    ) -> None:
        self._listener = listener
        self._make_channel = make_channel
        self._on_event = on_event
        self._divert = divert

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        socket_transport = cast(asyncio.Transport, transport)
        refusal = self._listener.refusal()
        if refusal is not None:
            socket_transport.abort()
            peer = format_address(transport.get_extra_info("peername"))
            self._on_event(failed(Side.SERVER, peer, Diagnosis(refusal)))
            return
        other = self._divert()
        if other is not None:
            diverted = Diverted(other, lambda: self._listener.remove(diverted))
            self._listener.add(diverted)
            socket_transport.set_protocol(diverted)
            diverted.connection_made(socket_transport)
            return
        try:
            channel = self._make_channel()
        except BaseException:
            socket_transport.abort()
            raise
        self._listener.add(channel, handshake=True)
        socket_transport.set_protocol(channel)
        channel.connection_made(socket_transport)


def _report(loop: asyncio.AbstractEventLoop, on_event: OnEvent, event: HandshakeEvent) -> None:
    """Call the application; its mistake must not stop the handshake in the middle of a step."""
    try:
        on_event(event)
    except Exception as error:
        context = {"message": "on_event() failed", "exception": error}
        loop.call_exception_handler(context)
