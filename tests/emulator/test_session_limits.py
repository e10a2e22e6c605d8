"""A connection's limits: silence, a peer that never reads, a meter that cannot go on."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from devices.device import Device
from devices.profile import Profile, load
from dlms.acse.aarq import Aarq
from dlms.acse.names import ApplicationContext
from dlms.cosem import obis
from dlms.framing import Wpdu
from dlms.security.drive import run
from dlms.security.keys import KeyKind
from dlms.security.ops import (
    CryptoOp,
    KeyUnavailable,
    Match,
    OperationRefused,
    Random,
    Seal,
    VerificationFailed,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.initiate import InitiateRequest
from emulator.head_end.party import client_titles
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.serving.connection import MeterConnection
from emulator.serving.host import INACTIVITY_TIMEOUT, Host
from tls.contexts import client_context, server_context
from tls.plain import start_tcp_server
from tls.session_age import SESSION_LIFETIME
from tls.transport import start_tls_server

PATIENCE = 120.0
SMALL = 4096
"""Octets of buffer asked of the kernel, so that little is under way to who does not read."""

CLOCK_TIME = AttributeDescriptor(8, obis.parse("0-0:1.0.0.255"), 2)
OBJECT_LIST = GetRequest(0x41, AttributeDescriptor(15, obis.parse("0-0:40.0.0.255"), 2)).encode()


class Watched(MeterConnection):
    """Tells the test what asyncio tells it."""

    def __init__(self, host: Host, made: list[Watched]) -> None:
        super().__init__(host)
        made.append(self)
        self.transport: Any = None
        self.paused = asyncio.Event()
        self.resumed = asyncio.Event()
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.paused.set()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.resumed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


class Meter:
    """One meter of our own, on plain TCP or TLS."""

    def __init__(self, device: Device, port: int, made: list[Watched], way: str) -> None:
        self.device = device
        self.port = port
        self.made = made
        self.way = way

    @property
    def profile(self) -> Profile:
        return self.device.profile


@pytest.fixture(params=["plain", "tls"])
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def serve(
    way: str, pki: Any, events: Any, clock: Any, fleet_secret: bytes
) -> AsyncIterator[Callable[..., Awaitable[Meter]]]:
    """``await serve(inactivity_timeout=..., session_lifetime=..., execute=...)``."""
    mistakes: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: mistakes.append(context))
    async with AsyncExitStack() as stack:

        async def start(
            execute: Callable[[CryptoOp], Any] | None = None,
            inactivity_timeout: float = INACTIVITY_TIMEOUT,
            session_lifetime: float = SESSION_LIFETIME,
        ) -> Meter:
            device = Device(load("aclara"), 7, client_titles=client_titles())
            device.advance(clock.now())
            device.outbox.take_happenings()
            execute = execute or SoftwareModule(KeyRing(fleet_secret)).execute
            host = Host(
                device,
                execute,
                clock.now,
                events,
                inactivity_timeout=inactivity_timeout,
                session_lifetime=session_lifetime,
            )
            made: list[Watched] = []

            def connection() -> Watched:
                return Watched(host, made)

            if way == "plain":
                listener = await start_tcp_server(connection, "127.0.0.1", 0)
            else:
                context = server_context(pki.issue_device(device.title), pki.trust())
                listener = await start_tls_server(
                    connection, "127.0.0.1", 0, context, on_event=lambda event: None
                )
            await stack.enter_async_context(listener)
            return Meter(device, listener.port, made, way)

        yield start
    assert mistakes == []


@pytest.fixture
async def dial(
    pki: Any, credentials: Any
) -> AsyncIterator[Callable[..., Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]]:
    """Connect to a meter of ``serve``; nothing is read until the test reads."""
    writers: list[asyncio.StreamWriter] = []

    async def connect(meter: Meter) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        plain = socket.socket()
        plain.setblocking(False)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", meter.port))
        tls = {}
        if meter.way == "tls":
            context = client_context(credentials[Actor.S1SP], pki.trust())
            tls = {"ssl": context, "server_hostname": "meter"}
        reader, writer = await asyncio.open_connection(sock=plain, limit=SMALL, **tls)
        writers.append(writer)
        return reader, writer

    yield connect
    for writer in writers:
        writer.transport.abort()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(8)
    return await reader.readexactly(int.from_bytes(header[6:], "big"))


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What still comes; a reset is an end, too: the meter may not have read all that we sent."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


@pytest.fixture
def aarq() -> bytes:
    """AARQ of the public client, as a WPDU."""
    initiate = InitiateRequest(conformance=Conformance.GET, client_max_receive_pdu_size=0xFFFF)
    apdu = Aarq(
        application_context_name=ApplicationContext.LN.oid, user_information=initiate.encode()
    )
    return Wpdu(16, 1, apdu.encode()).encode()


# Silence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["nothing", "half", "unknown sap"])
async def test_silence_ends_the_connection(
    sent: str, serve: Any, dial: Any, events: Any, aarq: bytes
) -> None:
    meter = await serve(inactivity_timeout=0.01)
    reader, writer = await dial(meter)
    octets = {"nothing": b"", "half": aarq[:-1], "unknown sap": Wpdu(99, 99, b"\xc0").encode()}
    writer.write(octets[sent])
    (event,) = await events.wait("inactive")
    assert "nothing complete heard" in event.text
    async with asyncio.timeout(PATIENCE):
        assert await rest(reader) == b""
        await meter.made[0].lost.wait()


async def test_an_open_association_does_not_outlive_silence(
    serve: Any, dial: Any, events: Any, aarq: bytes
) -> None:
    meter = await serve(inactivity_timeout=0.01)
    reader, writer = await dial(meter)
    writer.write(aarq)
    await events.wait("inactive")
    async with asyncio.timeout(PATIENCE):
        octets = await rest(reader)
        assert octets[8:9] in (b"\x61", b"")
        await meter.made[0].lost.wait()
    assert meter.made[0]._peer._open == {}


async def test_no_timer_is_left_of_a_connection_that_ended(
    serve: Any, dial: Any, events: Any, aarq: bytes
) -> None:
    meter = await serve(inactivity_timeout=1000.0)
    reader, writer = await dial(meter)
    writer.write(aarq)
    async with asyncio.timeout(PATIENCE):
        await answer(reader)
        writer.transport.abort()
        await meter.made[0].lost.wait()
    assert meter.made[0]._inactivity.cancelled()
    assert events.of("inactive") == []


# The lifetime of a TLS session (KL-TL-08) ---------------------------------------------------------


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """``old(seconds)``: sessions that begin from now on seem to be that old."""

    def seem(seconds: float) -> None:
        monkeypatch.setattr("emulator.serving.connection.session_age", lambda session: seconds)

    return seem


async def test_a_session_that_has_lived_ends_with_its_associations(
    serve: Any, dial: Any, way: str, events: Any, aarq: bytes, old: Callable[[float], None]
) -> None:
    old(SESSION_LIFETIME - 0.3)
    meter = await serve()
    reader, writer = await dial(meter)
    writer.write(aarq)
    async with asyncio.timeout(PATIENCE):
        assert (await answer(reader))[0] == 0x61
        (connection,) = meter.made
        if way == "plain":  # there is no session whose keys could grow old
            assert connection._expiry is None
            assert connection._peer._open != {}
            return
        await events.wait("expired")
        assert connection._peer._open == {}
        assert await rest(reader) == b""
        await connection.lost.wait()


@pytest.mark.parametrize("way", ["tls"], indirect=True)
async def test_activity_does_not_make_a_session_younger(
    serve: Any, dial: Any, events: Any, aarq: bytes, old: Callable[[float], None]
) -> None:
    old(SESSION_LIFETIME - 0.3)
    meter = await serve()
    reader, writer = await dial(meter)
    writer.write(aarq)
    async with asyncio.timeout(PATIENCE):
        while octets := await reader.read(SMALL):
            assert octets
            writer.write(Wpdu(16, 1, bytes.fromhex("C001C100010000600100FF0200")).encode())
        await meter.made[0].lost.wait()
    assert len(events.of("expired")) == 1


@pytest.mark.parametrize("way", ["tls"], indirect=True)
async def test_a_session_that_was_resumed_too_late_ends_at_once(
    serve: Any, dial: Any, events: Any, old: Callable[[float], None]
) -> None:
    old(SESSION_LIFETIME + 1)
    meter = await serve()
    reader, _ = await dial(meter)
    async with asyncio.timeout(PATIENCE):
        assert await rest(reader) == b""
    await events.wait("expired")


@pytest.mark.parametrize("way", ["tls"], indirect=True)
async def test_no_timer_is_left_of_a_session_that_ended(
    serve: Any, dial: Any, events: Any, aarq: bytes
) -> None:
    meter = await serve()
    reader, writer = await dial(meter)
    writer.write(aarq)
    async with asyncio.timeout(PATIENCE):
        await answer(reader)
        left = meter.made[0]._expiry.when() - asyncio.get_running_loop().time()
        assert SESSION_LIFETIME - PATIENCE < left <= SESSION_LIFETIME
        writer.transport.abort()
        await meter.made[0].lost.wait()
    assert meter.made[0]._expiry.cancelled()
    assert events.of("expired") == []


class FakeLoop:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> None:
        self.timers.append((self.now + delay, call))

    def until_next_timer(self) -> None:
        self.now, call = self.timers.pop()
        call()


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: Any) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("sent", "ends"), [("whole", 160.0), ("half", 100.0), ("unknown sap", 100.0), ("empty", 100.0)]
)
def test_what_counts_as_activity(
    sent: str, ends: float, events: Any, clock: Any, aarq: bytes, fleet_secret: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Only a complete APDU for an association of this meter, 60 s after the beginning."""
    loop, transport = FakeLoop(), FakeTransport()
    monkeypatch.setattr("emulator.serving.connection.asyncio.get_running_loop", lambda: loop)
    device = Device(load("aclara"), 7)
    execute = SoftwareModule(KeyRing(fleet_secret)).execute
    connection = MeterConnection(Host(device, execute, clock.now, events, inactivity_timeout=100.0))
    connection.connection_made(transport)
    loop.now = 60.0
    octets = {
        "whole": aarq,
        "half": aarq[:-1],
        "unknown sap": Wpdu(99, 99, b"\xc0").encode(),
        "empty": Wpdu(16, 1, b"").encode(),
    }
    connection.data_received(octets[sent])
    while not transport.closed:
        loop.until_next_timer()
    assert loop.now == ends
    assert len(events.of("inactive")) == 1
    assert loop.timers == []


# A peer that does not read ------------------------------------------------------------------------


async def flood(writer: asyncio.StreamWriter, sent: list[int]) -> None:
    """Ask for the longest answer again and again, and never read one."""
    request = Wpdu(16, 1, OBJECT_LIST).encode()
    while True:
        writer.write(request)
        sent[0] += 1
        await writer.drain()
        # On TLS, drain() may return without giving the loop a turn.
        await asyncio.sleep(0)


async def test_a_peer_that_never_reads_is_not_read_either(
    serve: Any, dial: Any, aarq: bytes
) -> None:
    meter = await serve()
    reader, writer = await dial(meter)
    writer.write(aarq)
    async with asyncio.timeout(PATIENCE):
        assert (await answer(reader))[0] == 0x61
        sent = [0]
        task = asyncio.create_task(flood(writer, sent))
        connection = meter.made[0]
        await connection.paused.wait()
        # Bounded: the high water mark, and the answers to one segment of requests.
        assert connection.transport.get_write_buffer_size() < 500_000
        assert not connection.transport.is_reading()
        # Others are served meanwhile.
        other_reader, other_writer = await dial(meter)
        other_writer.write(aarq)
        assert (await answer(other_reader))[0] == 0x61
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        # Once it reads, everything that was asked is answered.
        for _ in range(sent[0]):
            assert (await answer(reader))[0] == 0xC4
        assert connection.resumed.is_set()
        assert connection.transport.is_reading()


async def test_a_peer_that_never_reads_does_not_stay_for_ever(
    serve: Any, dial: Any, events: Any, aarq: bytes
) -> None:
    """What waits to be sent must not keep the connection open."""
    meter = await serve(inactivity_timeout=1000.0)
    reader, writer = await dial(meter)
    writer.write(aarq)
    async with asyncio.timeout(PATIENCE):
        assert (await answer(reader))[0] == 0x61
        task = asyncio.create_task(flood(writer, [0]))
        connection = meter.made[0]
        await connection.paused.wait()
        # As if all of that time had passed since it read for the last time.
        connection._last_heard -= 1000.0
        connection._inactivity.cancel()
        connection._check_activity()
        assert len(events.of("inactive")) == 1
        await connection.lost.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# A meter that cannot go on ------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [KeyUnavailable, VerificationFailed, OperationRefused])
@pytest.mark.parametrize(("kind", "row"), [(Match, "reader"), (Random, "s1sp"), (Seal, "s1sp")])
async def test_the_meters_own_module_fails(
    kind: type, row: str, failure: type[Exception], serve: Any, dial: Any, events: Any, ring: Any,
    make_association: Any, aarq: bytes,
) -> None:  # fmt: skip
    """No answer is better than a wrong one; others are served all the same."""
    module = SoftwareModule(ring)

    def execute(op: CryptoOp) -> Any:
        if isinstance(op, kind):
            raise failure("the meter's module is broken")
        return module.execute(op)

    meter = await serve(execute)
    digest = meter.device.state.digest()
    association = make_association(meter, row)
    reader, writer = await dial(meter)
    config = association.config
    apdu = run(association.open(), module.execute)
    writer.write(Wpdu(config.client_sap, config.server_sap, apdu).encode())
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
        (event,) = events.of("unable")
        assert event.association == row
        assert event.text == "the meter's module is broken"
        assert meter.device.state.digest() == digest
        other_reader, other_writer = await dial(meter)
        other_writer.write(aarq)
        assert (await answer(other_reader))[0] == 0x61


async def test_after_hanging_up_nothing_is_served(
    serve: Any, dial: Any, events: Any, ring: Any, make_association: Any, aarq: bytes
) -> None:
    """What came in the same segment is not carried out any more."""
    module = SoftwareModule(ring)

    def execute(op: CryptoOp) -> Any:
        if isinstance(op, Random):
            raise KeyUnavailable("no random numbers")
        return module.execute(op)

    meter = await serve(execute)
    apdu = run(make_association(meter, "s1sp").open(), module.execute)
    reader, writer = await dial(meter)
    writer.write(Wpdu(2, 1, apdu).encode() + aarq)
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    assert [event.kind for event in events.seen] == ["unable"]


async def test_a_key_that_is_used_up(
    serve: Any, dial: Any, events: Any, make_association: Any, ring: Any
) -> None:
    """The meter's counter is at its end: it cannot answer, and says so to those who watch."""
    meter = await serve()
    meter.device.state.counters.raise_to(meter.device.key("s1sp", KeyKind.GUEK), 0xFFFFFFFF)
    association = make_association(meter, "s1sp")
    reader, writer = await dial(meter)
    apdu = run(association.open(), SoftwareModule(ring).execute)
    writer.write(Wpdu(2, 1, apdu).encode())
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    (event,) = events.of("unable")
    assert "used up" in event.text
