"""Good handshakes: what is negotiated, what is told, and what the application gets."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import stat
from asyncio import sslproto
from asyncio.selector_events import _SelectorTransport  # type: ignore[attr-defined]  # no stub
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tls.channel import READ_HIGH_WATER, READ_SIZE, ChannelProtocol
from tls.contexts import CIPHERS, SESSION_TIMEOUT, client_context, server_context
from tls.credentials import Credential
from tls.events import HandshakeDone, HandshakeEvent, Reason, Side
from tls.identity import any_title, exactly, peer_system_title
from tls.pki import TestPki
from tls.transport import open_tls_connection, start_tls_server

StartLab = Callable[..., Awaitable[Any]]

DEVICE_TITLE = b"LAB\x00\x00\x00\x00\x01"
CLIENT_TITLE = b"HES\x00\x00\x00\x00\x02"
PATIENCE = 120.0


class Collector(asyncio.Protocol):
    """Collects data until there is as much as wanted."""

    def __init__(self, wanted: int = 4) -> None:
        self.wanted = wanted
        self.data = bytearray()
        self.complete = asyncio.Event()
        self.lost = asyncio.Event()
        self.made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.made += 1

    def data_received(self, data: bytes) -> None:
        self.data += data
        if len(self.data) >= self.wanted:
            self.complete.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


async def test_both_sides_know_each_other(lab: Any, good_client: ssl.SSLContext) -> None:
    events: list[HandshakeEvent] = []
    async with asyncio.timeout(PATIENCE):
        transport, protocol = await open_tls_connection(
            Collector,
            "127.0.0.1",
            lab.listener.port,
            good_client,
            accept=exactly(DEVICE_TITLE),
            on_event=events.append,
        )
        assert protocol.transport is transport
        assert protocol.made == 1
        transport.write(b"ping")
        await protocol.complete.wait()
        assert bytes(protocol.data) == b"ping"
        assert peer_system_title(transport.get_extra_info("ssl_object")) == DEVICE_TITLE
        assert transport.get_extra_info("peercert")["subject"]
        (ours,) = events
        theirs = await lab.event()
        transport.close()
        await protocol.lost.wait()
    assert isinstance(ours, HandshakeDone)
    assert isinstance(theirs, HandshakeDone)
    assert (ours.side, ours.system_title) == (Side.CLIENT, DEVICE_TITLE)
    assert (theirs.side, theirs.system_title) == (Side.SERVER, CLIENT_TITLE)
    assert ours.version == theirs.version == "TLSv1.2"
    assert ours.cipher == theirs.cipher == CIPHERS[0]
    assert not ours.resumed
    assert not theirs.resumed
    assert ours.peer == f"127.0.0.1:{lab.listener.port}"


async def test_server_chooses_the_cipher(lab: Any, good_client: ssl.SSLContext) -> None:
    good_client.set_ciphers(":".join(reversed(CIPHERS)))
    await lab.assert_serves()
    assert (await lab.event()).cipher == CIPHERS[0]


async def test_second_cipher_serves_too(lab: Any, good_client: ssl.SSLContext) -> None:
    good_client.set_ciphers(CIPHERS[1])
    await lab.assert_serves()
    assert (await lab.event()).cipher == CIPHERS[1]


async def test_resumption_is_told(lab: Any, good_client: ssl.SSLContext) -> None:
    await asyncio.to_thread(_talk_twice, lab.listener.port, good_client)
    first, second = await lab.event(), await lab.event()
    assert (first.resumed, second.resumed) == (False, True)
    assert second.system_title == CLIENT_TITLE


def _talk_twice(port: int, context: ssl.SSLContext) -> None:
    session: ssl.SSLSession | None = None
    for _ in range(2):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, session=session) as tls,
        ):
            tls.sendall(b"ping")
            assert tls.recv(16) == b"ping"
            session = tls.session
            assert session is not None
            assert not session.has_ticket
            assert session.timeout == SESSION_TIMEOUT
            # Of a connection that just ends, OpenSSL forgets the session.
            tls.unwrap()


async def test_tickets_on_request(
    start_lab: StartLab, pki: TestPki, device: Credential, client: Credential
) -> None:
    lab = await start_lab(server_context(device, pki.trust(), session_tickets=True))
    context = client_context(client, pki.trust(), session_tickets=True)
    assert await asyncio.to_thread(_has_ticket, lab.listener.port, context)


def _has_ticket(port: int, context: ssl.SSLContext) -> bool:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain) as tls,
    ):
        return tls.session is not None and tls.session.has_ticket


async def test_keylog(
    start_lab: StartLab, pki: TestPki, device: Credential, tmp_path: Path
) -> None:
    keylog = tmp_path / "keys.log"
    lab = await start_lab(server_context(device, pki.trust(), keylog=keylog))
    assert stat.S_IMODE(keylog.stat().st_mode) == 0o600
    assert "CLIENT_RANDOM" not in keylog.read_text()
    await lab.assert_serves()
    lines = [line for line in keylog.read_text().splitlines() if not line.startswith("#")]
    # NSS key log format: label, client random (32 octets), master secret (48 octets).
    ((label, random, secret),) = [line.split() for line in lines]
    assert label == "CLIENT_RANDOM"
    assert len(bytes.fromhex(random)) == 32
    assert len(bytes.fromhex(secret)) == 48


def test_keylog_that_others_can_read_is_refused(
    pki: TestPki, device: Credential, tmp_path: Path
) -> None:
    keylog = tmp_path / "keys.log"
    keylog.touch()
    keylog.chmod(0o644)
    with pytest.raises(PermissionError, match="0644"):
        server_context(device, pki.trust(), keylog=keylog)


def test_context_leaves_no_key_behind(
    pki: TestPki, device: Credential, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def spy(self: ssl.SSLContext, certfile: Path, keyfile: Path) -> None:
        modes.extend(stat.S_IMODE(os.stat(path).st_mode) for path in (keyfile, keyfile.parent))
        load(self, certfile, keyfile)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    server_context(device, pki.trust(pki.issue_crl()))
    assert modes == [0o600, 0o700]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [server_context, client_context])
def test_policy(make: Any, pki: TestPki, device: Credential) -> None:
    context = make(device, pki.trust())
    assert context.minimum_version == context.maximum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert not context.check_hostname
    offered = [row["name"] for row in context.get_ciphers() if row["protocol"] == "TLSv1.2"]
    assert sorted(offered) == sorted(CIPHERS)
    for option in (ssl.OP_NO_COMPRESSION, ssl.OP_NO_RENEGOTIATION, ssl.OP_NO_TICKET):
        assert context.options & option
    assert not context.verify_flags & ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    with_crl = make(device, pki.trust(pki.issue_crl()))
    assert with_crl.verify_flags & ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF


async def test_buffers_are_small_and_only_ours(pki: TestPki, device: Credential) -> None:
    ours = ChannelProtocol(
        asyncio.get_running_loop(),
        asyncio.Protocol(),
        server_context(device, pki.trust()),
        side=Side.SERVER,
        accept=any_title,
        on_event=lambda event: None,
        on_lost=lambda: None,
        handshake_timeout=1.0,
    )
    assert len(ours.get_buffer(-1)) == len(ours.get_buffer(1 << 20)) == READ_SIZE == 16384
    transport = ours.application_transport()
    assert transport.get_write_buffer_limits() == (16384, 65536)
    transport.abort()
    assert sslproto.SSLProtocol.max_size == 256 * 1024


class _Deaf(Collector):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()


class _Sender(Collector):
    """Sends as much as it is let, like any well-behaved application."""

    chunk = bytes(65536)

    def __init__(self, much: int) -> None:
        super().__init__()
        self.left = much
        self.paused = False

    def pump(self) -> None:
        while self.left and not self.paused:
            self.left -= len(self.chunk)
            self.transport.write(self.chunk)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self.pump()


async def test_application_that_does_not_read_stops_the_peer(
    start_lab: StartLab, good_client: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    much = 32 << 20  # more than the kernel keeps for us
    stopped = asyncio.Event()
    pause = _SelectorTransport.pause_reading

    def spy(self: Any) -> None:
        pause(self)
        stopped.set()

    monkeypatch.setattr(_SelectorTransport, "pause_reading", spy)
    server_side = _Deaf(wanted=much)
    lab = await start_lab(protocol=lambda: server_side)
    async with asyncio.timeout(PATIENCE):
        transport, sender = await open_tls_connection(
            lambda: _Sender(much), "127.0.0.1", lab.listener.port, good_client
        )
        sender.pump()
        assert sender.paused
        await stopped.wait()
        assert len(server_side.data) == 0
        held = server_side.transport.get_read_buffer_size()  # type: ignore[attr-defined]  # asyncio's
        assert READ_HIGH_WATER <= held < READ_HIGH_WATER + READ_SIZE
        assert sender.left > 0
        server_side.transport.resume_reading()
        await server_side.complete.wait()
        assert (sender.left, len(server_side.data)) == (0, much)
        transport.close()
        await sender.lost.wait()


async def test_no_room_for_a_connection(start_lab: StartLab, good_client: ssl.SSLContext) -> None:
    lab = await start_lab(max_connections=1)
    async with asyncio.timeout(PATIENCE):
        transport, first = await open_tls_connection(
            Collector, "127.0.0.1", lab.listener.port, good_client
        )
        assert isinstance(await lab.event(), HandshakeDone)
        with pytest.raises(OSError):  # noqa: PT011 (reset or closed: as the network has it)
            await asyncio.to_thread(_handshake, lab.listener.port, good_client)
        assert (await lab.event()).reason is Reason.TOO_MANY_CONNECTIONS
        assert lab.listener.connections == 1
        transport.write(b"ping")  # the one that has its place keeps it
        await first.complete.wait()
        transport.close()
        await first.lost.wait()


async def test_no_room_for_a_handshake(start_lab: StartLab, good_client: ssl.SSLContext) -> None:
    lab = await start_lab(max_handshakes=1)
    async with asyncio.timeout(PATIENCE):
        _, writer = await asyncio.open_connection("127.0.0.1", lab.listener.port)
        with pytest.raises(OSError):  # noqa: PT011 (reset or closed: as the network has it)
            await asyncio.to_thread(_handshake, lab.listener.port, good_client)
        assert (await lab.event()).reason is Reason.TOO_MANY_HANDSHAKES
        assert lab.listener.handshakes == 1
        writer.close()
        await writer.wait_closed()
        assert (await lab.event()).reason is Reason.PEER_CLOSED
    assert lab.listener.handshakes == 0
    await lab.assert_serves()


def _handshake(port: int, context: ssl.SSLContext) -> None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain),
    ):
        pass


async def test_closing_drops_handshakes_and_sessions(
    start_lab: StartLab, good_client: ssl.SSLContext
) -> None:
    lab = await start_lab()
    async with asyncio.timeout(PATIENCE):
        _, session = await open_tls_connection(
            Collector, "127.0.0.1", lab.listener.port, good_client
        )
        assert isinstance(await lab.event(), HandshakeDone)
        reader, writer = await asyncio.open_connection("127.0.0.1", lab.listener.port)
        writer.write(b"\x16")
        # A third connection is answered: the second has been accepted before it.
        await lab.assert_serves()
        assert isinstance(await lab.event(), HandshakeDone)
        lab.listener.close()
        assert not lab.listener.is_serving()
        lab.listener.abort_connections()
        await lab.listener.wait_closed()
        assert lab.listener.connections == 0
        assert (await lab.event()).reason is Reason.CLOSING
        await session.lost.wait()
        assert await reader.read() == b""
        writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        _ = lab.listener.port


async def test_mistake_in_the_event_handler_does_not_break_the_handshake(
    pki: TestPki, device: Credential, good_client: ssl.SSLContext
) -> None:
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: told.append(context["message"]))

    def careless(event: HandshakeEvent) -> None:
        raise LookupError

    async with (
        asyncio.timeout(PATIENCE),
        await start_tls_server(
            Collector,
            "127.0.0.1",
            0,
            server_context(device, pki.trust()),
            on_event=careless,
        ) as listener,
    ):
        await asyncio.to_thread(_handshake, listener.port, good_client)
    assert told == ["on_event() failed"]
