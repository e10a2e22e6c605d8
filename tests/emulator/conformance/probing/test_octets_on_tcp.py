"""Segments and resets, as the other end of a TCP connection sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emulator.client.route import Route
from emulator.conformance.probing.line import Line, open_line
from emulator.conformance.probing.record import Recorder

PATIENCE = 120.0
OCTETS = bytes(range(40))


class Listening(asyncio.Protocol):
    """Keeps what comes at once, and how it ends."""

    def __init__(self) -> None:
        self.came: list[bytes] = []
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.came.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(exc)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Line, Listening]]:
    loop = asyncio.get_running_loop()
    peer: asyncio.Future[Listening] = loop.create_future()

    def accepted() -> Listening:
        made = Listening()
        peer.set_result(made)
        return made

    server = await loop.create_server(accepted, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    line = await open_line(Route(host=host, port=port), 0, Recorder(loop.time), framed=False)
    try:
        yield line, await peer
    finally:
        await line.close()
        server.close()
        await server.wait_closed()


async def test_each_octet_is_a_segment_of_its_own() -> None:
    async with asyncio.timeout(PATIENCE), listening() as (line, peer):
        await line.trickle(OCTETS)
        await line.close()
        await peer.ended
        assert peer.came == [bytes((octet,)) for octet in OCTETS]


async def test_a_reset_is_one_even_if_nothing_was_left_unread() -> None:
    async with asyncio.timeout(PATIENCE), listening() as (line, peer):
        await line.reset()
        assert isinstance(await peer.ended, ConnectionResetError)


async def test_what_is_to_be_done_before_it_closes_is_done_once() -> None:
    async with asyncio.timeout(PATIENCE), listening() as (line, peer):

        async def farewell() -> None:
            line.write(b"last")

        line.farewells.append(farewell)
        await line.close()
        await line.close()
        assert await peer.ended is None
        assert peer.came == [b"last"]
