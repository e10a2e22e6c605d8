"""Meters that do not stop talking, on real sockets: bounded, and never taken for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.names import ApplicationContext
from dlms.axdr.data import long_unsigned
from dlms.client.notices import MAX_BETWEEN
from dlms.framing import Wpdu
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.initiate import InitiateResponse
from emulator.channel import MAX_WAITING
from emulator.client import AnswerTimeout, AssociationLost, MeterFault, connect, connect_blocking

PATIENCE = 120.0
DRIVERS = ["asyncio", "blocking"]
AARE = Aare(
    application_context_name=ApplicationContext.LN.oid,
    result=AssociationResult.ACCEPTED,
    diagnostic=UserDiagnostic.NULL,
    user_information=InitiateResponse(
        conformance=Conformance.GET | Conformance.DATA_NOTIFICATION,
        server_max_receive_pdu_size=1024,
    ).encode(),
).encode()


def framed(*apdus: bytes) -> bytes:
    return b"".join(Wpdu(1, 16, apdu).encode() for apdu in apdus)


def news(count: int) -> list[bytes]:
    return [DataNotification(number, long_unsigned(number)).encode() for number in range(count)]


@asynccontextmanager
async def talking(*script: bytes) -> AsyncIterator[int]:
    """A meter that says this, line by line, to whatever it is sent. Gives its port."""
    writers = []

    async def serve(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        for line in script:
            head = await stream.readexactly(8)
            await stream.readexactly(int.from_bytes(head[6:], "big"))
            writer.write(line)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


@pytest.fixture
def visiting(in_thread: Callable[[Any], Any]) -> Callable[..., Any]:
    """``async with visiting(driver, port) as a``: nothing is released at the end."""

    @asynccontextmanager
    async def visit(driver: str, port: int) -> AsyncIterator[Any]:
        if driver == "asyncio":
            async with connect("127.0.0.1", port, timeout=PATIENCE) as client:
                association = client.associate()
                await association.open()
                yield association
                return
        blocking = connect_blocking("127.0.0.1", port, timeout=PATIENCE)
        await asyncio.to_thread(blocking.__enter__)
        try:
            one = blocking.associate()
            await asyncio.to_thread(one.open)
            yield in_thread(one)
        finally:
            await asyncio.to_thread(blocking.close)

    return visit


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_flood_while_nobody_asks(driver: str, visiting: Callable[..., Any]) -> None:
    """Nothing is lost and nobody is cut off: what is not taken is not read."""
    count = 10 * MAX_WAITING
    async with (
        talking(framed(AARE, *news(count))) as port,
        visiting(driver, port) as a,
    ):
        for number in range(count):
            told = await a.notification(PATIENCE)
            assert (told.invoke_id, told.values) == (number, [number])


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_flood_instead_of_an_answer(driver: str, visiting: Callable[..., Any]) -> None:
    """X_CLI_PUSH_MIX without end: the association is lost, and what was taken is all there was."""
    async with (
        talking(framed(AARE), framed(*news(MAX_BETWEEN + 1))) as port,
        visiting(driver, port) as a,
    ):
        with pytest.raises(MeterFault, match="notifications instead of a response"):
            await a.get((8, "0-0:1.0.0.255", 2), raw=True)
        with pytest.raises(AssociationLost):
            await a.notification(PATIENCE)


async def test_news_and_then_silence() -> None:
    """A request that was not answered is not forgotten over the news that came instead."""
    async with (
        talking(framed(AARE), framed(*news(1))) as port,
        connect("127.0.0.1", port) as client,
    ):
        association = client.associate(timeout=0.05)
        await association.open()
        with pytest.raises(AnswerTimeout):
            await association.get((8, "0-0:1.0.0.255", 2), raw=True)
        with pytest.raises(AssociationLost):
            await association.notification(PATIENCE)
