"""A laboratory for handshakes: one PKI, a server that echoes, and clients that are not ours."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tls.contexts import client_context, server_context
from tls.credentials import Credential
from tls.events import HandshakeEvent
from tls.listener import Listener
from tls.pki import TestPki
from tls.transport import start_tls_server

DEVICE_TITLE = b"LAB\x00\x00\x00\x00\x01"
CLIENT_TITLE = b"HES\x00\x00\x00\x00\x02"
PATIENCE = 120.0
"""Seconds after which a test that hangs fails. Nothing is measured by it."""


class Echo(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Lab:
    """A running server and the events it made."""

    def __init__(self, client: ssl.SSLContext) -> None:
        self.events: asyncio.Queue[HandshakeEvent] = asyncio.Queue()
        self.listener: Listener
        self.good_client = client

    async def event(self) -> HandshakeEvent:
        async with asyncio.timeout(PATIENCE):
            return await self.events.get()

    async def assert_serves(self) -> None:
        """A good client, blocking and without asyncio, is served."""
        answer = await asyncio.to_thread(talk, self.listener.port, self.good_client)
        assert answer == b"ping"


def talk(port: int, context: ssl.SSLContext) -> bytes:
    """Shake hands, send a word and return the answer; raises what ``ssl`` raises."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain) as tls,
    ):
        tls.sendall(b"ping")
        return tls.recv(16)


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def pki(now: datetime) -> TestPki:
    return TestPki.create(now=now)


@pytest.fixture(scope="session")
def other_pki(now: datetime) -> TestPki:
    """A stranger: same names, other keys."""
    return TestPki.create(now=now)


@pytest.fixture(scope="session")
def device(pki: TestPki) -> Credential:
    return pki.issue_device(DEVICE_TITLE)


@pytest.fixture(scope="session")
def client(pki: TestPki) -> Credential:
    return pki.issue_client(CLIENT_TITLE, "head end")


@pytest.fixture
def good_client(pki: TestPki, client: Credential) -> ssl.SSLContext:
    return client_context(client, pki.trust())


@pytest.fixture
async def start_lab(
    pki: TestPki, device: Credential, good_client: ssl.SSLContext
) -> AsyncIterator[Callable[..., Awaitable[Lab]]]:
    """Start an echo server; keyword arguments go to ``start_tls_server``."""
    async with AsyncExitStack() as stack:

        async def start(
            context: ssl.SSLContext | None = None,
            *,
            protocol: Callable[[], asyncio.Protocol] = Echo,
            **options: Any,
        ) -> Lab:
            lab = Lab(good_client)
            lab.listener = await start_tls_server(
                protocol,
                "127.0.0.1",
                0,
                context or server_context(device, pki.trust()),
                on_event=lab.events.put_nowait,
                **options,
            )
            stack.push_async_exit(lab.listener)
            return lab

        yield start


@pytest.fixture
async def lab(start_lab: Callable[..., Awaitable[Lab]]) -> Lab:
    return await start_lab()


@pytest.fixture
def credential_files(tmp_path: Path, pki: TestPki, client: Credential) -> Path:
    """A directory with client.pem, client.key and root.pem for programs outside Python."""
    directory = tmp_path / "credentials"
    client.save(directory, "client")
    (directory / "root.pem").write_bytes(pki.root.certificate_pem)
    return directory
