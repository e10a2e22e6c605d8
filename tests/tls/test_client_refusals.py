"""What our client refuses or is refused: a ``HandshakeError`` that carries the event."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tls.alerts import Alert
from tls.channel import ChannelProtocol
from tls.contexts import client_context, server_context
from tls.credentials import Credential
from tls.events import HandshakeDone, HandshakeError, HandshakeEvent, HandshakeFailed, Reason, Side
from tls.identity import exactly
from tls.pki import CLIENT, SERVER, TestPki
from tls.transport import open_tls_connection

StartLab = Callable[..., Awaitable[Any]]

DEVICE_TITLE = b"LAB\x00\x00\x00\x00\x01"
CLIENT_TITLE = b"HES\x00\x00\x00\x00\x02"
PATIENCE = 120.0


class Silent(asyncio.Protocol):
    """Notes whether it was ever connected."""

    connected = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connected = True


async def _refused(port: int, context: ssl.SSLContext, **options: Any) -> HandshakeFailed:
    """Connect, insist on failure, and return the event, which must have been reported once."""
    events: list[HandshakeEvent] = []
    protocol = Silent()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(HandshakeError) as caught:
            await open_tls_connection(
                lambda: protocol, "127.0.0.1", port, context, on_event=events.append, **options
            )
    assert events == [caught.value.event]
    assert str(caught.value) == caught.value.event.message
    assert caught.value.reason is caught.value.event.reason
    assert caught.value.event.side is Side.CLIENT
    assert not protocol.connected
    return caught.value.event


async def test_the_socket_is_gone_when_the_error_comes(
    start_lab: StartLab,
    pki: TestPki,
    good_client: ssl.SSLContext,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a program that ends at once has not cut its own alert off."""
    lost: list[Side] = []

    class Watched(ChannelProtocol):
        def __init__(self, *args: Any, on_lost: Callable[[], None], **options: Any) -> None:
            def noted() -> None:
                lost.append(options["side"])
                on_lost()

            super().__init__(*args, on_lost=noted, **options)

    day = timedelta(days=1)
    expired = pki.issue_device(DEVICE_TITLE, not_before=now - 2 * day, not_after=now - day)
    lab = await start_lab(server_context(expired, pki.trust()))
    monkeypatch.setattr("tls.transport.ChannelProtocol", Watched)
    with pytest.raises(HandshakeError):
        await open_tls_connection(Silent, "127.0.0.1", lab.listener.port, good_client)
    assert Side.CLIENT in lost


async def test_expired_device(
    start_lab: StartLab, pki: TestPki, good_client: ssl.SSLContext, now: datetime
) -> None:
    day = timedelta(days=1)
    expired = pki.issue_device(DEVICE_TITLE, not_before=now - 2 * day, not_after=now - day)
    lab = await start_lab(server_context(expired, pki.trust()))
    ours = await _refused(lab.listener.port, good_client)
    theirs = await lab.event()
    assert ours.reason is theirs.reason is Reason.CERTIFICATE_EXPIRED
    assert (ours.alert, ours.alert_sent) == (Alert.CERTIFICATE_EXPIRED, True)
    assert (theirs.alert, theirs.alert_sent) == (Alert.CERTIFICATE_EXPIRED, False)
    assert theirs.message.endswith("; alert certificate_expired received")


async def test_device_of_another_pki(
    start_lab: StartLab, pki: TestPki, other_pki: TestPki, good_client: ssl.SSLContext
) -> None:
    stranger = other_pki.issue_device(DEVICE_TITLE)
    lab = await start_lab(server_context(stranger, pki.trust()))
    ours = await _refused(lab.listener.port, good_client)
    theirs = await lab.event()
    assert ours.reason is theirs.reason is Reason.UNKNOWN_CA
    assert (ours.alert_sent, theirs.alert_sent) == (True, False)


async def test_revoked_device(
    start_lab: StartLab, pki: TestPki, device: Credential, client: Credential
) -> None:
    lab = await start_lab()
    context = client_context(client, pki.trust(pki.issue_crl([device])))
    assert (await _refused(lab.listener.port, context)).reason is Reason.CERTIFICATE_REVOKED
    assert (await lab.event()).alert is Alert.CERTIFICATE_REVOKED


async def test_party_that_poses_as_device(
    start_lab: StartLab, pki: TestPki, client: Credential, good_client: ssl.SSLContext
) -> None:
    lab = await start_lab(server_context(client, pki.trust()))
    event = await _refused(lab.listener.port, good_client)
    assert event.reason is Reason.UNSUPPORTED_CERTIFICATE


async def test_refused_by_the_server(lab: Any, pki: TestPki, other_pki: TestPki) -> None:
    context = client_context(other_pki.issue_client(CLIENT_TITLE, "party"), pki.trust())
    event = await _refused(lab.listener.port, context)
    assert event.reason is Reason.UNKNOWN_CA
    assert (event.alert, event.alert_sent) == (Alert.UNKNOWN_CA, False)
    await lab.event()
    await lab.assert_serves()


async def test_another_device_than_expected(lab: Any, good_client: ssl.SSLContext) -> None:
    other = b"LAB\x00\x00\x00\x00\x09"
    event = await _refused(lab.listener.port, good_client, accept=exactly(other))
    assert event.reason is Reason.WRONG_IDENTITY
    assert DEVICE_TITLE.hex().upper() in event.message
    # The server had its session; it was ended in order.
    assert isinstance(await lab.event(), HandshakeDone)


async def test_session_with_the_wrong_device_is_ended_in_order(
    pki: TestPki, device: Credential, good_client: ssl.SSLContext
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = asyncio.create_task(
            asyncio.to_thread(_read_to_the_end, server, server_context(device, pki.trust()))
        )
        other = exactly(b"LAB\x00\x00\x00\x00\x09")
        await _refused(server.getsockname()[1], good_client, accept=other)
        assert await serving == b""


def _read_to_the_end(server: socket.socket, context: ssl.SSLContext) -> bytes:
    """Serve one client; raises ``SSLEOFError`` if it goes without close_notify."""
    plain, _ = server.accept()
    plain.settimeout(PATIENCE)
    with (
        plain,
        context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False) as tls,
    ):
        return tls.recv(16)


async def test_device_without_system_title(
    start_lab: StartLab, pki: TestPki, good_client: ssl.SSLContext
) -> None:
    anonymous = pki.issue_leaf("anonymous", names=[], purposes=[SERVER])
    lab = await start_lab(server_context(anonymous, pki.trust()))
    event = await _refused(lab.listener.port, good_client)
    assert event.reason is Reason.WRONG_IDENTITY
    assert "no subjectAltName" in event.message


async def test_client_without_system_title(start_lab: StartLab, pki: TestPki) -> None:
    lab = await start_lab()
    anonymous = pki.issue_leaf("anonymous", names=[], purposes=[CLIENT])
    event = await _refused(lab.listener.port, client_context(anonymous, pki.trust()))
    # We keep our Finished back: the client must not think that it has a session.
    assert event.reason is Reason.PEER_CLOSED
    assert (await lab.event()).reason is Reason.WRONG_IDENTITY
    await lab.assert_serves()


async def test_client_without_system_title_where_that_is_allowed(
    start_lab: StartLab, pki: TestPki
) -> None:
    lab = await start_lab(accept=lambda title: True)
    anonymous = pki.issue_leaf("anonymous", names=[], purposes=[CLIENT])
    lab.good_client = client_context(anonymous, pki.trust())
    await lab.assert_serves()
    event = await lab.event()
    assert isinstance(event, HandshakeDone)
    assert event.system_title is None


async def test_clients_by_name(start_lab: StartLab, pki: TestPki) -> None:
    lab = await start_lab(accept=exactly(CLIENT_TITLE))
    stranger = pki.issue_client(b"HES\x00\x00\x00\x00\x03", "stranger")
    await _refused(lab.listener.port, client_context(stranger, pki.trust()))
    assert (await lab.event()).reason is Reason.WRONG_IDENTITY
    await lab.assert_serves()


async def _serve_plain(protocol: Callable[[], asyncio.Protocol]) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(protocol, "127.0.0.1", 0)


class _Babbler(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"220 meter ready for plain text\r\n")
        transport.close()


class _Closer(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def test_server_that_does_not_speak_tls(good_client: ssl.SSLContext) -> None:
    async with await _serve_plain(_Babbler) as server:
        event = await _refused(server.sockets[0].getsockname()[1], good_client)
    assert event.reason is Reason.NOT_TLS


async def test_server_that_closes(good_client: ssl.SSLContext) -> None:
    async with await _serve_plain(_Closer) as server:
        event = await _refused(server.sockets[0].getsockname()[1], good_client)
    assert event.reason is Reason.PEER_CLOSED


async def test_server_that_stalls(good_client: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        event = await _refused(port, good_client, handshake_timeout=0.05)
    assert event.reason is Reason.TIMEOUT


async def test_nobody_listens(good_client: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        await open_tls_connection(Silent, "127.0.0.1", port, good_client)


async def test_cancelled_while_shaking_hands(good_client: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        opening = asyncio.create_task(open_tls_connection(Silent, "127.0.0.1", port, good_client))
        loop = asyncio.get_running_loop()
        mute.setblocking(False)
        accepted, _ = await loop.sock_accept(mute)
        with accepted:
            assert await loop.sock_recv(accepted, 1) == b"\x16"  # ClientHello is on its way
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            while await loop.sock_recv(accepted, 4096):
                pass  # until the client has closed
