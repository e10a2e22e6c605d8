"""Plain TCP: small reads, bounded connections, and everything passed on."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tls.events import Reason
from tls.listener import Listener
from tls.plain import cap_reads, open_tcp_connection, start_tcp_server

PATIENCE = 120.0


class Endpoint(asyncio.Protocol):
    """Keeps what happens to it."""

    def __init__(self) -> None:
        self.reads: list[int] = []
        self.received = 0
        self.wanted = 0
        self.made = asyncio.Event()
        self.complete = asyncio.Event()
        self.eof = asyncio.Event()
        self.lost = asyncio.Event()
        self.paused = asyncio.Event()
        self.resumed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.made.set()

    def data_received(self, data: bytes) -> None:
        self.reads.append(len(data))
        self.received += len(data)
        if self.received >= self.wanted:
            self.complete.set()

    def eof_received(self) -> bool:
        self.eof.set()
        return True

    def pause_writing(self) -> None:
        self.paused.set()

    def resume_writing(self) -> None:
        self.resumed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


async def test_both_ways_with_small_reads() -> None:
    server_side = Endpoint()
    server_side.wanted = 50_000
    async with (
        asyncio.timeout(PATIENCE),
        await start_tcp_server(lambda: server_side, "127.0.0.1", 0) as listener,
    ):
        transport, client = await open_tcp_connection(
            Endpoint, "127.0.0.1", listener.port, read_size=100
        )
        transport.write(bytes(50_000))
        await server_side.complete.wait()
        assert max(server_side.reads) <= 4096
        client.wanted = 1000
        server_side.transport.write(bytes(1000))
        await client.complete.wait()
        assert max(client.reads) <= 100
        transport.write_eof()
        await server_side.eof.wait()
        assert not server_side.lost.is_set()  # half closed, as the protocol asked
        assert listener.connections == 1
        server_side.transport.close()
        await server_side.lost.wait()
        await client.eof.wait()
        transport.close()
        await client.lost.wait()
    assert listener.connections == 0


async def test_flow_control_is_passed_on() -> None:
    much = 32 << 20  # more than the kernel keeps for us
    server_side = Endpoint()
    async with (
        asyncio.timeout(PATIENCE),
        await start_tcp_server(lambda: server_side, "127.0.0.1", 0) as listener,
    ):
        transport, client = await open_tcp_connection(
            Endpoint, "127.0.0.1", listener.port, read_size=1 << 20
        )
        client.wanted = much
        await server_side.made.wait()
        server_side.transport.write(bytes(much))
        await server_side.paused.wait()
        await client.complete.wait()
        await server_side.resumed.wait()
        transport.close()
        await server_side.eof.wait()
        server_side.transport.close()
        await server_side.lost.wait()


async def test_no_room() -> None:
    refused: list[tuple[str, Reason]] = []
    made: list[Endpoint] = []

    def endpoint() -> Endpoint:
        made.append(Endpoint())
        return made[-1]

    async with (
        asyncio.timeout(PATIENCE),
        await start_tcp_server(
            endpoint,
            "127.0.0.1",
            0,
            max_connections=1,
            on_refused=lambda peer, reason: refused.append((peer, reason)),
        ) as listener,
    ):
        first, _ = await open_tcp_connection(Endpoint, "127.0.0.1", listener.port)
        second, client = await open_tcp_connection(Endpoint, "127.0.0.1", listener.port)
        address = "{}:{}".format(*second.get_extra_info("sockname"))
        await _ended(client)
        assert refused == [(address, Reason.TOO_MANY_CONNECTIONS)]
        assert len(made) == 1
        first.close()
        second.close()
        await made[0].eof.wait()
        made[0].transport.close()
        await made[0].lost.wait()
        third, _ = await open_tcp_connection(Endpoint, "127.0.0.1", listener.port)
        third.close()


async def _ended(endpoint: Endpoint) -> None:
    """Wait for the end of the stream, orderly or by a reset."""
    waits = [asyncio.create_task(event.wait()) for event in (endpoint.eof, endpoint.lost)]
    _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()


async def test_closed_listener() -> None:
    listener = await start_tcp_server(Endpoint, "127.0.0.1", 0)
    port = listener.port
    assert listener.is_serving()
    listener.close()
    assert not listener.is_serving()
    assert listener.addresses == ()
    async with asyncio.timeout(PATIENCE):
        await listener.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_connection_that_comes_after_the_close_is_refused() -> None:
    # Accepted by the kernel before, it reaches us after.
    listener = Listener(max_connections=1)
    assert listener.refusal() is None
    listener.close()
    assert listener.refusal() is Reason.CLOSING


async def test_a_pause_drops_connections_and_keeps_the_port() -> None:
    lost = asyncio.Event()

    class Waiting(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            lost.set()

    async with asyncio.timeout(PATIENCE), await start_tcp_server(Waiting, "127.0.0.1", 0) as server:
        port = server.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        late, other = await asyncio.open_connection("127.0.0.1", port)
        server.pause()
        assert server.refusal() is Reason.PAUSED
        await lost.wait()
        assert await reader.read() == b""
        assert await late.read() == b""
        third, last = await asyncio.open_connection("127.0.0.1", port)
        assert await third.read() == b""
        assert (server.connections, server.port) == (0, port)
        server.resume()
        assert server.refusal() is None
        for stream in (writer, other, last):
            stream.close()
        await open_tcp_connection(asyncio.Protocol, "127.0.0.1", port)


async def test_factory_that_fails_leaves_no_connection() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))

    def broken() -> asyncio.Protocol:
        raise LookupError("no such meter")

    async with (
        asyncio.timeout(PATIENCE),
        await start_tcp_server(broken, "127.0.0.1", 0) as listener,
    ):
        _, client = await open_tcp_connection(Endpoint, "127.0.0.1", listener.port)
        await _ended(client)
        client.transport.close()
        assert listener.connections == 0
    assert isinstance(told[0]["exception"], LookupError)


def test_transport_without_the_setting_is_left_alone() -> None:
    bare = asyncio.Transport()
    cap_reads(bare)
    assert not hasattr(bare, "max_size")


@pytest.mark.parametrize("limit", [0, -1])
async def test_room_for_nobody_is_a_mistake(limit: int) -> None:
    with pytest.raises(ValueError, match="one connection"):
        await start_tcp_server(Endpoint, "127.0.0.1", 0, max_connections=limit)
