"""A session is as old as its full handshake, at both ends."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import Any

import pytest

from tls.contexts import client_context, server_context
from tls.credentials import Credential
from tls.pki import TestPki
from tls.session_age import session_age
from tls.transport import start_tls_server

PATIENCE = 120.0


class Sessions(asyncio.Protocol):
    """What a server knows of the sessions it has had."""

    def __init__(self, met: list[Any]) -> None:
        self._met = met

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._met.append(transport.get_extra_info("ssl_object"))

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


def _resume(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLSession:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, session=session) as tls,
    ):
        tls.sendall(b"ping")
        assert tls.recv(16) == b"ping"
        assert tls.session_reused is (session is not None)
        found = tls.session
        tls.unwrap()
    assert found is not None
    return found


def _until_the_next_second(port: int, context: ssl.SSLContext) -> int:
    """How often the session was resumed while the clock went on by a second."""
    session = _resume(port, context)
    began = session.time
    times = 0
    while time.time() < began + 1:
        session = _resume(port, context, session)
        times += 1
    _resume(port, context, session)
    return times + 1


@pytest.mark.parametrize("tickets", [False, True], ids=["id", "ticket"])
async def test_resumption_does_not_make_it_younger(
    pki: TestPki,
    device: Credential,
    client: Credential,
    tickets: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    met: list[ssl.SSLObject] = []
    serving = server_context(device, pki.trust(), session_tickets=tickets)
    calling = client_context(client, pki.trust(), session_tickets=tickets)
    async with await start_tls_server(
        lambda: Sessions(met), "127.0.0.1", 0, serving, on_event=lambda event: None
    ) as listener:
        times = await asyncio.to_thread(_until_the_next_second, listener.port, calling)
    assert len(met) == times + 1
    first, last = met[0], met[-1]
    assert first.session is not None
    began = first.session.time
    monkeypatch.setattr("tls.session_age.time.time", lambda: began + 100.0)
    assert session_age(first) == session_age(last) == 100.0
    monkeypatch.setattr("tls.session_age.time.time", lambda: began - 100.0)
    assert session_age(first) == 0.0


def test_without_a_session_it_is_as_old_as_nothing() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    assert session_age(context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())) == 0.0
