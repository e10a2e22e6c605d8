"""The head end's end of a connection, against meters that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, UserDiagnostic
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.axdr.data import octet_string
from dlms.client.refusals import AccessRefused, AssociationRejected, ServiceException
from dlms.errors import RemoteProtocolError
from dlms.framing import Wpdu
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.ops import CryptoOp
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetResponse
from dlms.xdlms.initiate import InitiateResponse
from emulator.channel import MAX_WAITING, Channel, ChannelClosed
from emulator.client import MeterClient
from tls.plain import open_tcp_connection

PATIENCE = 120.0
CLOCK_TIME = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
SERVICES = Conformance.GET
ACCEPTED = Aare(
    application_context_name=ApplicationContext.LN.oid,
    result=AssociationResult.ACCEPTED,
    diagnostic=UserDiagnostic.NULL,
    user_information=InitiateResponse(
        conformance=SERVICES, server_max_receive_pdu_size=1024
    ).encode(),
).encode()
REFUSED = Aare(
    application_context_name=ApplicationContext.LN.oid,
    result=AssociationResult.REJECTED_PERMANENT,
    diagnostic=UserDiagnostic.NO_REASON_GIVEN,
).encode()
EXCEPTION = bytes.fromhex("D80102")


def framed(apdu: bytes) -> bytes:
    return Wpdu(1, 16, apdu).encode()


def answer(invoke: int) -> bytes:
    return framed(GetResponse(invoke, octet_string(b"twelve octet")).encode())


HANG_UP = b""
SILENCE = None

Script = list[bytes | None]


@pytest.fixture
async def meter() -> AsyncIterator[Callable[[Script], Awaitable[MeterClient]]]:
    """``await meter(script)``: a client of a server that answers by the script, come what may."""
    channels: list[Channel] = []
    servers: list[asyncio.Server] = []
    tasks: list[asyncio.Task[None]] = []

    async def start(script: Script, patience: float = PATIENCE) -> MeterClient:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(asyncio.current_task())  # type: ignore[arg-type]  # there is one
            try:
                for line in script:
                    header = await reader.readexactly(8)
                    await reader.readexactly(int.from_bytes(header[6:], "big"))
                    if line == HANG_UP:
                        break
                    if line is not SILENCE:
                        writer.write(line)
                else:
                    await reader.read()
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        _, channel = await open_tcp_connection(Channel, "127.0.0.1", port)
        channels.append(channel)
        config = ClientConfig(
            client_sap=16,
            server_sap=1,
            context=ApplicationContext.LN,
            mechanism=Mechanism.NONE,
            conformance=SERVICES,
        )

        def no_crypto(op: CryptoOp) -> None:
            raise AssertionError(op)

        async def runner(step: Any) -> Any:
            return run(step, no_crypto)

        association = ClientAssociation(config, AssociationKeys(), InvocationCounters())
        return MeterClient(channel, association, runner, patience)

    yield start
    for channel in channels:
        channel.abort()
        async with asyncio.timeout(PATIENCE):
            await channel.wait_closed()
    await asyncio.gather(*tasks, return_exceptions=True)
    for server in servers:
        server.close()


async def test_a_meter_that_behaves(meter: Any) -> None:
    """The fixture is good for something."""
    client = await meter([framed(ACCEPTED), answer(0x41), answer(0x42)])
    await client.open()
    for _ in range(2):
        assert (await client.get(CLOCK_TIME)).value == b"twelve octet"


async def test_a_refusal(meter: Any) -> None:
    client = await meter([framed(REFUSED)])
    with pytest.raises(AssociationRejected, match="rejected-permanent no-reason-given"):
        await client.open()


async def test_an_exception_instead_of_an_association(meter: Any) -> None:
    client = await meter([framed(EXCEPTION)])
    with pytest.raises(ServiceException, match="service-not-supported"):
        await client.open()


async def test_an_exception_instead_of_a_response(meter: Any) -> None:
    client = await meter([framed(ACCEPTED), framed(EXCEPTION), answer(0x42)])
    await client.open()
    with pytest.raises(ServiceException, match="service-not-supported"):
        await client.get(CLOCK_TIME)
    await client.get(CLOCK_TIME)  # the association still stands


async def test_access_refused(meter: Any) -> None:
    refused = framed(bytes.fromhex("C401410103"))
    client = await meter([framed(ACCEPTED), refused])
    await client.open()
    with pytest.raises(AccessRefused, match="read: read-write-denied"):
        await client.get(CLOCK_TIME)


@pytest.mark.parametrize("script", [[SILENCE], [framed(ACCEPTED), SILENCE]])
async def test_silence(script: Script, meter: Any) -> None:
    """Bounded, whichever answer does not come. Nothing is measured."""
    client = await meter(script, 0.01 if script == [SILENCE] else PATIENCE)
    if script != [SILENCE]:
        await client.open()
        client.timeout = 0.01
    with pytest.raises(TimeoutError):
        await (client.open() if script == [SILENCE] else client.get(CLOCK_TIME))


@pytest.mark.parametrize("script", [[HANG_UP], [framed(ACCEPTED), HANG_UP]])
async def test_hanging_up(script: Script, meter: Any) -> None:
    client = await meter(script)
    if script != [HANG_UP]:
        await client.open()
    with pytest.raises(ChannelClosed, match="meter closed the connection"):
        await (client.open() if script == [HANG_UP] else client.get(CLOCK_TIME))
    # And again, now that it is known.
    with pytest.raises(ChannelClosed):
        client._channel.send(16, 1, b"\xc0")


async def test_another_response_than_the_one_awaited(meter: Any) -> None:
    client = await meter([framed(ACCEPTED), answer(0x47)])
    await client.open()
    with pytest.raises(RemoteProtocolError, match="no request of ours"):
        await client.get(CLOCK_TIME)


@pytest.mark.parametrize(
    "octets",
    [b"\0\2\0\1\0\20\0\1\xc4", framed(b"\xff"), framed(ACCEPTED[:-1]), framed(b"\x61")],
    ids=["version", "no APDU", "cut short", "tag alone"],
)
async def test_nonsense(octets: bytes, meter: Any) -> None:
    client = await meter([octets])
    with pytest.raises(RemoteProtocolError):
        await client.open()


class Stream(asyncio.Transport):
    """Of a channel that is fed by hand: whether it is read, and what became of it."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = True
        self.aborted = False

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
def fed() -> tuple[Channel, Stream]:
    channel, stream = Channel(), Stream()
    channel.connection_made(stream)
    return channel, stream


async def test_more_than_was_asked_for(fed: tuple[Channel, Stream]) -> None:
    """What nobody takes is kept up to a limit; then no more is read until somebody does."""
    channel, stream = fed
    channel.data_received(b"".join(framed(bytes((n,))) for n in range(MAX_WAITING - 1)))
    assert stream.reading
    channel.data_received(framed(b"\xfe") + framed(b"\xff"))
    assert not stream.reading
    assert len(channel._waiting[16, 1]) == MAX_WAITING
    assert channel.glance(16, 1) == b"\0"
    assert len(channel._waiting[16, 1]) == MAX_WAITING
    assert not stream.reading  # what stood behind has taken the place
    taken = [await channel.receive(16, 1) for _ in range(MAX_WAITING)]
    assert taken[-2:] == [b"\xfe", b"\xff"]
    assert stream.reading
    assert channel.glance(16, 1) is None


async def test_who_waits_behind_what_nobody_takes(fed: tuple[Channel, Stream]) -> None:
    """An answer to one association is not held up by what another does not take, within limits."""
    channel, stream = fed
    channel.data_received(framed(b"news") * MAX_WAITING)
    assert not stream.reading
    waiting = asyncio.create_task(channel.receive(2, 1))
    await asyncio.sleep(0)
    assert stream.reading
    channel.data_received(framed(b"news"))
    with pytest.raises(RemoteProtocolError, match="more than was asked for"):
        await waiting
    assert stream.aborted


async def test_several_wait_for_the_same(fed: tuple[Channel, Stream]) -> None:
    channel, _ = fed
    tasks = [asyncio.create_task(channel.news(16, 1)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    channel.data_received(framed(b"x"))
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in ended] == [asyncio.CancelledError, type(None), type(None)]
    assert channel.glance(16, 1) == b"x"


async def test_answers_one_octet_at_a_time() -> None:
    """X_CLI_SLOW: The channel alone, fed by hand."""
    channel = Channel()
    for octet in framed(ACCEPTED) + answer(0x41):
        channel.data_received(bytes((octet,)))
    assert await channel.receive(16, 1) == ACCEPTED
    assert framed(await channel.receive(16, 1)) == answer(0x41)


async def test_each_pair_of_addresses_gets_its_own_answers() -> None:
    channel = Channel()
    channel.data_received(Wpdu(1, 16, b"to 16").encode() + Wpdu(1, 2, b"to 2").encode())
    assert await channel.receive(2, 1) == b"to 2"
    assert await channel.receive(16, 1) == b"to 16"


async def test_a_channel_that_was_never_connected() -> None:
    channel = Channel()
    channel.close()
    channel.abort()
    await channel.wait_closed()
    with pytest.raises(ChannelClosed, match="connection is closed"):
        channel.send(16, 1, b"\xc0")


async def test_invoke_ids_go_round(meter: Any) -> None:
    script: Script = [framed(ACCEPTED)]
    script += [answer(0x40 | number % 16) for number in range(1, 36)]
    client = await meter(script)
    await client.open()
    for _ in range(35):
        await client.get(CLOCK_TIME)
