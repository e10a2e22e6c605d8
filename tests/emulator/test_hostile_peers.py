"""Peers that stall, flood and lie about lengths, on real sockets: what a meter keeps stays bounded.

Beside them a good client has its association open and is served; afterwards the meter has its
state, and nothing is left of them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, NamedTuple

import pytest

from devices.device import Device
from devices.profile import load
from dlms.acse.aarq import Aarq
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.cosem import obis
from dlms.framing import Wpdu
from dlms.framing.hdlc.config import MAX_LINKS
from dlms.framing.hdlc.fcs import check_sequence
from dlms.transfer.pieces import MAX_TOTAL
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.initiate import InitiateRequest
from emulator.framing import HdlcStation
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.serving.connection import MeterConnection
from emulator.serving.datagrams import MeterDatagrams
from emulator.serving.host import MAX_APDU, Host
from emulator.serving.lines import DEVICE_ADDRESS, station_config
from tls.listener import Listener
from tls.plain import READ_SIZE, start_tcp_server
from tls.udp import start_udp_server

PATIENCE = 120.0
LABORATORY = load("laboratory")
READER, SMALL, PUBLIC, MANAGER = (
    LABORATORY.associations[name].config for name in ("reader", "small", "public", "dco")
)
OBJECT_LIST = AttributeDescriptor(15, obis.parse("0-0:40.0.0.255"), 2)
LDN = AttributeDescriptor(1, obis.parse("0-0:42.0.0.255"), 2)
NOT_ASSOCIATED = bytes.fromhex("D80102")


def aarq(password: bytes | None = None, size: int = 0xFFFF, bits: int = 0xFFFFFF) -> bytes:
    initiate = InitiateRequest(
        conformance=Conformance(bits), client_max_receive_pdu_size=size
    ).encode()
    return Aarq(
        application_context_name=ApplicationContext.LN.oid,
        sender_acse_requirements=None if password is None else True,
        mechanism_name=None if password is None else Mechanism.LLS.oid,
        calling_authentication_value=None if password is None else AuthenticationValue(password),
        user_information=initiate,
    ).encode()


class Peer(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, config: Any, *apdus: bytes) -> None:
        pair = config.client_sap, config.server_sap
        self.writer.write(b"".join(Wpdu(*pair, apdu).encode() for apdu in apdus))

    async def answer(self) -> Wpdu:
        async with asyncio.timeout(PATIENCE):
            header = await self.reader.readexactly(8)
            _, source, destination, length = (
                int.from_bytes(header[at : at + 2], "big") for at in (0, 2, 4, 6)
            )
            return Wpdu(source, destination, await self.reader.readexactly(length))

    async def ask(self, config: Any, apdu: bytes) -> bytes:
        self.send(config, apdu)
        return (await self.answer()).apdu

    async def gone(self) -> None:
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                while await self.reader.read(65536):
                    pass

    async def drop(self) -> None:
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()


class Told(MeterConnection):
    """Tells ``news`` whatever asyncio tells it."""

    def __init__(self, host: Host, news: asyncio.Event, *framing: Any) -> None:
        super().__init__(host, *framing)
        self._news = news

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # little is under way
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._news.set()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._news.set()


class Meter:
    """A laboratory meter with all that a test looks at."""

    def __init__(self, events: Any) -> None:
        self.device = Device(LABORATORY, 1)
        self.device.advance(self._now())
        self.ring = KeyRing(bytes(32), suites_of(LABORATORY))
        self.module = SoftwareModule(self.ring)
        self.events = events
        self.news = asyncio.Event()
        self.made: list[MeterConnection] = []
        self.host = Host(self.device, self.module.execute, self._now, events)
        self.listener: Listener
        self.password = self.ring.get(
            self.device.keys(LABORATORY.associations["reader"]).secret  # type: ignore[arg-type]
        )

    @staticmethod
    def _now() -> dt.datetime:
        return dt.datetime(2024, 5, 1, tzinfo=dt.UTC)

    def connection(self) -> MeterConnection:
        self.made.append(Told(self.host, self.news))
        return self.made[-1]

    @property
    def associations(self) -> int:
        """Association machines that are kept for anybody."""
        return sum(len(connection._peer._open) for connection in self.made)

    @property
    def buffered(self) -> int:
        """Octets kept for WPDUs that are not whole."""
        return sum(connection._framing._receiver.pending for connection in self.made)

    async def settled(self, condition: Callable[[], bool]) -> None:
        """Wait until something has happened after which ``condition`` holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.news.clear()
                await self.news.wait()


@pytest.fixture
async def meter(events: Any) -> AsyncIterator[Meter]:
    mistakes: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: mistakes.append(context))
    meter = Meter(events)
    async with await start_tcp_server(meter.connection, "127.0.0.1", 0) as listener:
        meter.listener = listener
        yield meter
    asyncio.get_running_loop().set_exception_handler(None)
    assert mistakes == []


@pytest.fixture
async def dial(meter: Meter) -> AsyncIterator[Callable[[], Awaitable[Peer]]]:
    async with AsyncExitStack() as stack:

        async def connect() -> Peer:
            peer = Peer(*await asyncio.open_connection("127.0.0.1", meter.listener.port))
            stack.push_async_callback(peer.drop)
            return peer

        yield connect


@pytest.fixture
async def witness(meter: Meter, dial: Any) -> AsyncIterator[Peer]:
    """A good client, served before and after all that a test does; the meter keeps its state."""
    peer = await dial()
    digest = meter.device.state.digest()
    assert (await peer.ask(PUBLIC, aarq()))[0] == 0x61
    yield peer
    response = await peer.ask(PUBLIC, GetRequest(0x41, LDN).encode())
    assert response[:4] == bytes.fromhex("C4014100")
    assert meter.device.state.digest() == digest


def header(length: int) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in (1, 16, 1, length))


# Stalling -----------------------------------------------------------------------------------------


async def test_many_that_announce_and_do_not_send(
    meter: Meter, dial: Any, witness: Peer, events: Any
) -> None:
    """X_WPDU_LEN_LONG: each costs what it has sent, not what it has announced."""
    peers = [await dial() for _ in range(100)]
    for peer in peers:
        peer.writer.write(header(MAX_APDU) + bytes(10))
    await meter.settled(lambda: meter.buffered == 100 * 18)
    assert meter.associations == 1
    for peer in peers:
        await peer.drop()
    await meter.settled(lambda: meter.listener.connections == 1)


async def test_many_that_stay_half_authenticated(meter: Meter, dial: Any, witness: Peer) -> None:
    """KL-HL-14: one association per pair of SAPs and connection, gone with the connection."""
    challenge = AuthenticationValue(b"K56iVagY")
    pending = Aarq(
        application_context_name=ApplicationContext.LN.oid,
        sender_acse_requirements=True,
        mechanism_name=Mechanism.HLS_MD5.oid,
        calling_authentication_value=challenge,
        user_information=InitiateRequest(
            conformance=Conformance.GET, client_max_receive_pdu_size=0xFFFF
        ).encode(),
    ).encode()
    md5 = LABORATORY.associations["md5"].config
    peers = [await dial() for _ in range(50)]
    for peer in peers:
        for _ in range(5):
            assert (await peer.ask(md5, pending))[0] == 0x61
    assert meter.associations == 51
    for peer in peers:
        await peer.drop()
    await meter.settled(lambda: meter.associations == 1)


async def test_a_peer_on_every_pair_of_saps(meter: Meter, dial: Any, witness: Peer) -> None:
    """As many associations as the meter offers, and not one for what it does not."""
    peer = await dial()
    offered = [row.config for row in LABORATORY.associations.values()]
    asked = [(client, server) for client in range(130) for server in (0, 1, 2, 0x7F)]
    for pair in asked:
        peer.writer.write(Wpdu(*pair, b"\xc0").encode())
    await peer.ask(PUBLIC, b"\xc0")
    assert 1 < meter.associations - 1 <= len(offered)


# Flooding -----------------------------------------------------------------------------------------


async def test_a_flood_of_requests_that_nobody_reads_the_answers_to(
    meter: Meter, witness: Peer
) -> None:
    """The peer's own questions stop being read, so that what is kept for it has an end."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", meter.listener.port))
    pair = READER.client_sap, READER.server_sap
    await loop.sock_sendall(sock, Wpdu(*pair, aarq(meter.password)).encode())
    flood = Wpdu(*pair, GetRequest(0x41, LDN).encode()).encode() * 400
    await meter.settled(lambda: len(meter.made) == 2)
    transport: Any = meter.made[-1]._transport
    pouring = asyncio.create_task(pour(sock, flood))
    await meter.settled(lambda: not transport.is_reading())
    # What one read may bring of questions, each with its answer, over what asyncio lets stand.
    assert transport.get_write_buffer_size() < (64 << 10) + 4 * READ_SIZE
    assert meter.buffered <= READ_SIZE
    pouring.cancel()
    sock.close()
    await meter.settled(lambda: meter.listener.connections == 1)


async def pour(sock: socket.socket, octets: bytes) -> None:
    """Send as long as there is somebody to send to."""
    with suppress(OSError):
        while True:
            await asyncio.get_running_loop().sock_sendall(sock, octets)


async def test_a_flood_of_aarqs(meter: Meter, dial: Any, witness: Peer) -> None:
    """X_AARQ_TWICE: each ends what was before; no key, no association, no counter is left over."""
    keys = len(meter.ring.refs)
    peer = await dial()
    for _ in range(500):
        peer.send(READER, aarq(meter.password))
        assert (await peer.answer()).apdu[0] == 0x61
    assert meter.associations == 2
    assert len(meter.ring.refs) == keys
    assert meter.device.state.counters.snapshot() == ()


async def test_a_list_of_the_longest_there_is(meter: Meter, dial: Any, witness: Peer) -> None:
    """GET with list: the response goes in blocks, one transfer at a time, and is not kept for who
    never fetches the rest.
    """
    peer = await dial()
    assert (await peer.ask(READER, aarq(meter.password)))[0] == 0x61
    request = bytes.fromhex("C0034110") + bytes.fromhex("000F0000280000FF0200") * 16
    tracemalloc.start()
    try:
        first = await peer.ask(READER, request)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert first[:3] == bytes.fromhex("C40241"), "the first block"
    assert peak < 16 << 20
    ((association, _),) = meter.made[-1]._peer._open.values()
    assert 10_000 < association.pending <= MAX_TOTAL
    assert (await peer.ask(READER, GetRequest(0x42, LDN).encode()))[:3] == bytes.fromhex("C40142")
    assert association.pending == 0


# Lying --------------------------------------------------------------------------------------------

LIES = {
    "a list of four thousand million": "C00341 84FFFFFFFF 000F0000280000FF0200",
    "a list of 256": "C00341 820100" + "000F0000280000FF0200" * 90,
    "a list of one more": "C00341 03" + "000F0000280000FF0200" * 2,
    "an octet-string of 4 GiB": "C10141 00010000600109FF02 00 0984FFFFFFFF00",
    "an octet-string of 2 GiB": "C10141 00010000600109FF02 00 09847FFFFFFF00",
    "an array of 65535 nulls": "C10141 00010000600109FF02 00 0182FFFF" + "00" * 900,
    "an array of more than there are": "C10141 00010000600109FF02 00 0184000F4240" + "00" * 900,
    "arrays in arrays": "C10141 00010000600109FF02 00" + "0101" * 450,
    "a compact-array of nothing": "C10141 00010000600109FF02 00 1300 84FFFFFFFF",
    "a compact-array of arrays": "C10141 00010000600109FF02 00 13" + "01FFFF" * 200 + "00 00",
    "a bit-string without end": "C10141 00010000600109FF02 00 0484FFFFFFFF00",
    "a block number of all ones": "C00241 FFFFFFFF",
    "a block of 4 GiB": "C10241 00010000600109FF02 00 00 00000001 84FFFFFFFF 00",
    "an ACCESS of four thousand million": "D9 40000001 00 84FFFFFFFF 01",
}


@pytest.mark.parametrize("octets", LIES.values(), ids=list(LIES))
async def test_lengths_that_lie(meter: Meter, dial: Any, witness: Peer, octets: str) -> None:
    """Each gets an answer at once, and costs no more than its own octets."""
    apdu = bytes.fromhex(octets)
    assert len(apdu) <= READER.max_pdu_size
    peer = await dial()
    assert (await peer.ask(READER, aarq(meter.password)))[0] == 0x61
    tracemalloc.start()
    try:
        reply = await peer.ask(READER, apdu)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reply[0] in (0xD8, 0xC4, 0xC5)
    assert peak < 4 << 20
    assert (await peer.ask(READER, GetRequest(0x42, LDN).encode()))[:4] == bytes.fromhex("C4014200")


ACSE_LIES = {
    "outside": "6084FFFFFFFF A1",
    "context of 4 GiB": "600B A184FFFFFFFF 0607 6085",
    "title of 4 GiB": "601A A109060760857405080101 A684FFFFFFFF 0484FFFFFFFF 41",
    "user-information of 64 KiB": "6013 A109060760857405080101 BE82FFFF 04820000",
    "nothing but tags": "60820100" + "A1" * 256,
    "lengths of 127 octets": "60FF" + "FF" * 200,
}


@pytest.mark.parametrize("octets", ACSE_LIES.values(), ids=list(ACSE_LIES))
async def test_aarqs_that_lie(meter: Meter, dial: Any, witness: Peer, octets: str) -> None:
    """X_AARQ_TRUNC, X_AARQ_ORDER: refused as unreadable, and no association begins."""
    peer = await dial()
    reply = await peer.ask(PUBLIC, bytes.fromhex(octets))
    assert reply.hex().endswith("a203020101a305a203020101")
    assert await peer.ask(PUBLIC, GetRequest(0x41, LDN).encode()) == NOT_ASSOCIATED


# Other ways ---------------------------------------------------------------------------------------


async def test_links_of_one_line_are_bounded(meter: Meter) -> None:
    """HDLC: clients on every address there is get no more links than there is room for."""
    config = station_config(meter.device)
    made: list[Told] = []

    def connection() -> Told:
        made.append(Told(meter.host, meter.news, lambda: HdlcStation(config)))
        return made[-1]

    async with await start_tcp_server(connection, "127.0.0.1", 0) as listener:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", listener.port))
        answers = 0
        async with asyncio.timeout(PATIENCE):
            for client in range(1, 128):
                peer.writer.write(snrm(client))
                if client <= MAX_LINKS:
                    await peer.reader.readuntil(snrm_tail(client))
                    answers += 1
        # The first one is still served; when it is, so has everything before it been.
        peer.writer.write(snrm(1))
        async with asyncio.timeout(PATIENCE):
            await peer.reader.readuntil(snrm_tail(1))
        assert made[0]._framing.links == answers == MAX_LINKS  # type: ignore[attr-defined]
        await peer.drop()


def snrm(client: int) -> bytes:
    """SNRM from a client's address to logical device 1."""
    body = bytes((0xA0, 8, 1 << 1, DEVICE_ADDRESS << 1 | 1, client << 1 | 1, 0x93))
    return b"\x7e" + body + check_sequence(body) + b"\x7e"


def snrm_tail(client: int) -> bytes:
    """What an UA to this client has behind its length."""
    return bytes((client << 1 | 1, 1 << 1, DEVICE_ADDRESS << 1 | 1, 0x73))


async def test_peers_by_datagram_are_bounded(meter: Meter) -> None:
    """UDP: nobody vouches for an address, so there are only so many of them."""
    made: list[MeterDatagrams] = []

    def endpoint() -> MeterDatagrams:
        made.append(MeterDatagrams(meter.host, max_peers=5))
        return made[-1]

    async with await start_udp_server(endpoint, "127.0.0.1", 0) as server:
        for _ in range(20):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                octets = Wpdu(PUBLIC.client_sap, PUBLIC.server_sap, aarq()).encode()
                sock.sendto(octets, ("127.0.0.1", server.port))
        await meter.events.wait("refused")
        assert len(made[0]._peers) == 5
        assert len(meter.events.of("refused")) == 1
