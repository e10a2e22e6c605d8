"""What a server refuses: the event on our side, and the alert in the hands of the client.

The clients are blocking sockets over ``ssl``, so that nothing of ours can lose the alert for them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tls.alerts import Alert
from tls.contexts import client_context, server_context
from tls.credentials import Credential
from tls.events import HandshakeFailed, Reason, Side
from tls.pki import TestPki

StartLab = Callable[..., Awaitable[Any]]

CLIENT_TITLE = b"HES\x00\x00\x00\x00\x02"
PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is there to make a bad client of."""

    pki: TestPki
    other_pki: TestPki
    device: Credential
    client: Credential
    now: datetime
    directory: Path


def _lax(cast: Cast, credential: Credential | None) -> ssl.SSLContext:
    """A client without any policy of ours, which does not look at the server's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if credential is not None:
        credential.save(cast.directory, "lax")
        context.load_cert_chain(cast.directory / "lax.pem", cast.directory / "lax.key")
    return context


def _only(cast: Cast, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = _lax(cast, cast.client)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is what we want here
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = version
        context.maximum_version = version
    return context


def _no_cipher(cast: Cast) -> ssl.SSLContext:
    context = _lax(cast, cast.client)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
    return context


def _no_curve(cast: Cast) -> ssl.SSLContext:
    context = _lax(cast, cast.client)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ecdh_curve("secp384r1")
    return context


def _no_certificate(cast: Cast) -> ssl.SSLContext:
    context = _lax(cast, None)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _issued(cast: Cast, first: timedelta, last: timedelta) -> ssl.SSLContext:
    credential = cast.pki.issue_client(
        CLIENT_TITLE, "party", not_before=cast.now + first, not_after=cast.now + last
    )
    return client_context(credential, cast.pki.trust())


_DAY = timedelta(days=1)

REFUSALS = {
    "TLS 1.1 only": (
        lambda cast: _only(cast, ssl.TLSVersion.TLSv1_1),
        Reason.PROTOCOL_VERSION,
        Alert.PROTOCOL_VERSION,
        "TLSV1_ALERT_PROTOCOL_VERSION",
    ),
    "TLS 1.3 only": (
        lambda cast: _only(cast, ssl.TLSVersion.TLSv1_3),
        Reason.PROTOCOL_VERSION,
        Alert.PROTOCOL_VERSION,
        "TLSV1_ALERT_PROTOCOL_VERSION",
    ),
    "no client certificate": (
        _no_certificate,
        Reason.NO_CLIENT_CERTIFICATE,
        Alert.HANDSHAKE_FAILURE,
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
    ),
    "expired": (
        lambda cast: _issued(cast, -2 * _DAY, -_DAY),
        Reason.CERTIFICATE_EXPIRED,
        Alert.CERTIFICATE_EXPIRED,
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    ),
    "not yet valid": (
        lambda cast: _issued(cast, _DAY, 2 * _DAY),
        Reason.CERTIFICATE_NOT_YET_VALID,
        Alert.BAD_CERTIFICATE,
        "SSLV3_ALERT_BAD_CERTIFICATE",
    ),
    "other CA": (
        lambda cast: client_context(
            cast.other_pki.issue_client(CLIENT_TITLE, "party"), cast.pki.trust()
        ),
        Reason.UNKNOWN_CA,
        Alert.UNKNOWN_CA,
        "TLSV1_ALERT_UNKNOWN_CA",
    ),
    "wrong purpose": (
        lambda cast: client_context(cast.device, cast.pki.trust()),
        Reason.UNSUPPORTED_CERTIFICATE,
        Alert.UNSUPPORTED_CERTIFICATE,
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    ),
    "no shared cipher": (
        _no_cipher,
        Reason.NO_SHARED_CIPHER,
        Alert.HANDSHAKE_FAILURE,
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
    ),
    "no shared curve": (
        _no_curve,
        Reason.NO_SHARED_CIPHER,
        Alert.HANDSHAKE_FAILURE,
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
    ),
}


@pytest.fixture
def cast(
    pki: TestPki,
    other_pki: TestPki,
    device: Credential,
    client: Credential,
    now: datetime,
    tmp_path: Path,
) -> Cast:
    return Cast(
        pki=pki,
        other_pki=other_pki,
        device=device,
        client=client,
        now=now,
        directory=tmp_path / "lax",
    )


def _shake_hands(port: int, context: ssl.SSLContext) -> None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain),
    ):
        pass


def _plain(port: int, octets: bytes) -> bytes:
    """Send octets over TCP and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
        plain.sendall(octets)
        answer = b""
        while part := plain.recv(4096):
            answer += part
    return answer


@pytest.mark.parametrize(
    ("make_client", "reason", "alert", "client_sees"), REFUSALS.values(), ids=REFUSALS.keys()
)
async def test_bad_client_gets_its_alert_and_we_get_the_event(
    lab: Any,
    cast: Cast,
    make_client: Callable[[Cast], ssl.SSLContext],
    reason: Reason,
    alert: Alert,
    client_sees: str,
) -> None:
    """X_TLS_CCERT."""
    with pytest.raises(ssl.SSLError, match=client_sees):
        await asyncio.to_thread(_shake_hands, lab.listener.port, make_client(cast))
    event = await lab.event()
    assert isinstance(event, HandshakeFailed)
    assert (event.side, event.reason) == (Side.SERVER, reason)
    assert (event.alert, event.alert_sent) == (alert, True)
    assert event.peer.startswith("127.0.0.1:")
    assert event.message.endswith(f"; alert {alert} sent")
    assert "\n" not in event.message
    await lab.assert_serves()


async def test_revoked_client(start_lab: StartLab, pki: TestPki, device: Credential) -> None:
    revoked = pki.issue_client(CLIENT_TITLE, "revoked")
    trust = pki.trust(pki.issue_crl([revoked]))
    lab = await start_lab(server_context(device, trust))
    with pytest.raises(ssl.SSLError, match="SSLV3_ALERT_CERTIFICATE_REVOKED"):
        await asyncio.to_thread(
            _shake_hands, lab.listener.port, client_context(revoked, pki.trust())
        )
    event = await lab.event()
    assert (event.reason, event.alert) == (Reason.CERTIFICATE_REVOKED, Alert.CERTIFICATE_REVOKED)
    await lab.assert_serves()


async def test_revocation_list_past_its_time_refuses_everybody(
    start_lab: StartLab, pki: TestPki, device: Credential, client: Credential, now: datetime
) -> None:
    crl = pki.issue_crl(now=now - 2 * _DAY, next_update=now - _DAY)
    lab = await start_lab(server_context(device, pki.trust(crl)))
    with pytest.raises(ssl.SSLError):
        await asyncio.to_thread(_shake_hands, lab.listener.port, lab.good_client)
    event = await lab.event()
    assert event.reason is Reason.OTHER
    assert "CRL has expired" in event.message


@pytest.mark.parametrize(
    "octets",
    [
        bytes.fromhex("0001000100100008") + b"\x60\x06\x00\x00\x00\x00\x00\x00",
        bytes.fromhex("7EA0070321930F017E") + bytes(8),
        b"GET / HTTP/1.1\r\n\r\n",
        b"CONNECT meter:1 HTTP/1.1\r\n\r\n",
    ],
    ids=["wrapper", "HDLC", "HTTP", "HTTP proxy"],
)
async def test_plain_octets_are_not_tls(lab: Any, octets: bytes) -> None:
    answer = await asyncio.to_thread(_plain, lab.listener.port, octets)
    event = await lab.event()
    assert event.reason is Reason.NOT_TLS
    if event.alert_sent:
        assert answer[-7:-2] in (b"\x15\x03\x01\x00\x02", b"\x15\x03\x03\x00\x02")
        assert answer[-1] == event.alert
    else:
        assert answer == b""
    await lab.assert_serves()


async def test_client_that_connects_and_closes(lab: Any) -> None:
    socket.create_connection(("127.0.0.1", lab.listener.port)).close()
    event = await lab.event()
    assert (event.reason, event.alert) == (Reason.PEER_CLOSED, None)
    await lab.assert_serves()


async def test_client_that_resets(lab: Any) -> None:
    with socket.create_connection(("127.0.0.1", lab.listener.port)) as plain:
        # Linger for zero seconds: close() sends a reset.
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    event = await lab.event()
    assert event.reason is Reason.PEER_CLOSED
    await lab.assert_serves()


@pytest.mark.parametrize("octets", [b"", b"\x16\x03\x01"], ids=["nothing", "part of a record"])
async def test_client_that_stalls(start_lab: StartLab, octets: bytes) -> None:
    lab = await start_lab(handshake_timeout=0.05)
    answer = await asyncio.to_thread(_plain, lab.listener.port, octets)
    assert answer == b""  # it was the server that closed: the client never did
    event = await lab.event()
    assert event.reason is Reason.TIMEOUT
    assert lab.listener.handshakes == 0


async def test_alert_survives_data_that_we_never_read(lab: Any, cast: Cast) -> None:
    """A socket closed over unread data is reset; the peer shall find the alert and a clean end."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = _only(cast, ssl.TLSVersion.TLSv1_3).wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", lab.listener.port)
        writer.write(outgoing.read() + bytes(50_000))
        incoming.write(await reader.read())
        with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"):
            hello.do_handshake()
        assert (await lab.event()).reason is Reason.PROTOCOL_VERSION
        # The server has stopped sending, and closes after us.
        assert lab.listener.connections == 1
        writer.close()
        lab.listener.close()
        await lab.listener.wait_closed()


async def test_flood_after_the_alert_is_cut_off(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patience with a refused peer has an end, counted in octets."""
    monkeypatch.setattr("tls.linger.LINGER_TIMEOUT", 3600.0)
    with pytest.raises(ConnectionError):
        await asyncio.to_thread(_flood, lab.listener.port)
    assert (await lab.event()).reason is Reason.NOT_TLS
    await lab.assert_serves()


def _flood(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
        for _ in range(1024):
            plain.sendall(b"GET / HTTP/1.1\r\n" * 4096)


async def test_refused_client_that_stays_is_cut_off(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patience with a refused peer has an end, counted in time."""
    monkeypatch.setattr("tls.linger.LINGER_TIMEOUT", 0.01)
    with socket.create_connection(("127.0.0.1", lab.listener.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n")
        assert (await lab.event()).reason is Reason.NOT_TLS
        lab.listener.close()
        async with asyncio.timeout(PATIENCE):
            await lab.listener.wait_closed()


async def test_closing_does_not_wait_for_a_refused_client(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tls.linger.LINGER_TIMEOUT", 3600.0)
    with socket.create_connection(("127.0.0.1", lab.listener.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n")
        assert (await lab.event()).reason is Reason.NOT_TLS
        lab.listener.close()
        lab.listener.abort_connections()
        async with asyncio.timeout(PATIENCE):
            await lab.listener.wait_closed()


async def test_bad_record_in_a_session_gets_its_alert(lab: Any) -> None:
    """RFC 5246, 7.2.2: bad_record_mac, encrypted like everything in a session."""
    seen = await asyncio.to_thread(_spoil_a_record, lab.listener.port, lab.good_client)
    assert seen == "SSLV3_ALERT_BAD_RECORD_MAC"
    await lab.assert_serves()


def _spoil_a_record(port: int, context: ssl.SSLContext) -> str | None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        tls.write(b"ping")
        record = outgoing.read()
        plain.sendall(record[:-1] + bytes((record[-1] ^ 1,)))
        incoming.write(plain.recv(65536))
        with pytest.raises(ssl.SSLError) as caught:
            tls.read(16)
    return caught.value.reason
