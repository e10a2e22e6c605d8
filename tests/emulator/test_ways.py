"""Ways to a meter besides TCP and TLS: UDP, HDLC over TCP, serial lines, optical ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.axdr.data import octet_string
from dlms.cosem import obis
from dlms.errors import RemoteProtocolError
from dlms.framing import Wpdu
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from dlms.framing.hdlc.primary import PrimaryConfig
from dlms.framing.mode_e import INITIAL, LineSettings
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.channel import Channel, ChannelClosed
from emulator.client import MeterClient
from emulator.datagrams import open_datagrams
from emulator.framing import DatagramFraming, HdlcClient, OpticalClient
from emulator.head_end.party import TITLES
from emulator.lines import open_line, open_pty
from emulator.meter_address import Way
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.sandbox import RunningMeter
from emulator.serving.datagrams import MeterDatagrams
from emulator.serving.lines import DEVICE_ADDRESS
from tls.plain import open_tcp_connection

PATIENCE = 120.0
LDN = AttributeDescriptor(1, obis.parse("0-0:42.0.0.255"), 2)
OBJECTS = AttributeDescriptor(15, obis.parse("0-0:40.0.0.255"), 2)
HDLC_LINE = LineSettings(9600, 8, False)

Open = Callable[[Way], Awaitable[Channel]]


@pytest.fixture
async def meter(run_meter: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter("itron", ways=Way) as meter:
        yield meter


def link(
    server: Address | None = None, limits: Parameters = DEFAULTS
) -> Callable[[int, int], PrimaryConfig]:
    def config(client_sap: int, server_sap: int) -> PrimaryConfig:
        address = server or Address(server_sap, DEVICE_ADDRESS, 4)
        return PrimaryConfig(
            client=client_sap, server=address, limits=limits, inter_octet_timeout=PATIENCE
        )

    return config


@pytest.fixture
async def dial(meter: RunningMeter) -> AsyncIterator[Callable[..., Awaitable[Channel]]]:
    """``await dial(way)``: a channel to the meter."""
    address = meter.address
    async with AsyncExitStack() as stack:

        async def start(way: Way, **how: Any) -> Channel:
            plan = link(**how)
            if way is Way.UDP:
                assert address.udp_port is not None
                channel = await open_datagrams(
                    lambda: Channel(DatagramFraming), address.host, address.udp_port
                )
            elif way is Way.HDLC:
                assert address.hdlc_port is not None
                _, channel = await open_tcp_connection(
                    lambda: Channel(lambda: HdlcClient(plan)), address.host, address.hdlc_port
                )
            elif way is Way.LINE:
                assert address.line is not None
                _, channel = open_line(
                    lambda: Channel(lambda: HdlcClient(plan)), address.line, HDLC_LINE
                )
            else:
                assert address.optical is not None
                transport, channel = open_line(
                    lambda: Channel(
                        lambda: OpticalClient(plan, lambda settings: transport.set_line(settings))
                    ),
                    address.optical,
                    INITIAL,
                )
            stack.push_async_callback(channel.wait_closed)
            stack.callback(channel.abort)
            return channel

        yield start


def public(channel: Channel, meter: RunningMeter) -> MeterClient:
    config = ClientConfig(
        client_sap=16,
        server_sap=meter.device.profile.server_sap,
        context=ApplicationContext.LN,
        mechanism=Mechanism.NONE,
        conformance=Conformance.GET,
    )
    return client(channel, config, AssociationKeys(), SoftwareModule(KeyRing()))


def client(
    channel: Channel, config: ClientConfig, keys: AssociationKeys, module: SoftwareModule
) -> MeterClient:
    association = ClientAssociation(config, keys, InvocationCounters())

    async def compute(step: Any) -> Any:
        return run(step, module.execute)

    return MeterClient(channel, association, compute, timeout=PATIENCE)


def s1sp(channel: Channel, meter: RunningMeter, fleet_secret: bytes) -> MeterClient:
    device = meter.device
    row = device.profile.associations["s1sp"]
    config = ClientConfig(
        client_sap=row.config.client_sap,
        server_sap=row.config.server_sap,
        context=row.config.context,
        mechanism=row.config.mechanism,
        conformance=row.config.conformance,
        own_title=TITLES[Actor.S1SP],
    )
    keys = AssociationKeys(
        guek=device.key("s1sp", KeyKind.GUEK), gak=device.key("s1sp", KeyKind.GAK)
    )
    return client(channel, config, keys, SoftwareModule(KeyRing(fleet_secret)))


@pytest.mark.parametrize("way", Way)
async def test_public_association(way: Way, meter: RunningMeter, dial: Any) -> None:
    visitor = public(await dial(way), meter)
    await visitor.open()
    name = meter.device.profile.logical_device_name(meter.device.serial)
    assert await visitor.get(LDN) == octet_string(name)
    await visitor.release()


@pytest.mark.parametrize("way", Way)
async def test_ciphered_association(
    way: Way, meter: RunningMeter, dial: Any, fleet_secret: bytes
) -> None:
    """An AARQ with a challenge, and an object list that takes many segments of 128 octets."""
    visitor = s1sp(await dial(way), meter, fleet_secret)
    await visitor.open()
    objects = await visitor.get(OBJECTS)
    assert isinstance(objects.value, tuple)
    names = [row for row in meter.device.profile.objects.values() if "s1sp" in row.rights]
    assert len(objects.value) == len(names)
    await visitor.release()


async def test_addresses_of_two_octets(meter: RunningMeter, dial: Any) -> None:
    visitor = public(await dial(Way.HDLC, server=Address(1, DEVICE_ADDRESS, 2)), meter)
    await visitor.open()
    await visitor.get(LDN)


async def test_short_information_fields(
    meter: RunningMeter, dial: Any, fleet_secret: bytes
) -> None:
    limits = Parameters(32, 32, 7, 7)
    visitor = s1sp(await dial(Way.HDLC, limits=limits), meter, fleet_secret)
    await visitor.open()
    await visitor.get(OBJECTS)


async def test_two_clients_on_one_line(meter: RunningMeter, dial: Any, fleet_secret: bytes) -> None:
    """X_HDLC_TWO_CLIENTS with what is above the link."""
    channel = await dial(Way.HDLC)
    one, other = public(channel, meter), s1sp(channel, meter, fleet_secret)
    await one.open()
    await other.open()
    assert await one.get(LDN) == await other.get(LDN)


async def test_the_end_of_a_link_is_the_end_of_its_association(
    meter: RunningMeter, dial: Any, events: Any
) -> None:
    """R-AA-8; and the connection stays."""
    channel = await dial(Way.HDLC)
    visitor = public(channel, meter)
    await visitor.open()
    framing = channel._framing
    framing.disconnect(16, 1, asyncio.get_running_loop().time())
    channel._write()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ChannelClosed, match="disconnected"):
            await channel.receive(16, 1)
    channel.send(16, 1, bytes.fromhex("C001C1") + b"\0\1" + LDN.instance + b"\2\0")
    async with asyncio.timeout(PATIENCE):
        assert await channel.receive(16, 1) == bytes.fromhex("D80102")


async def test_an_optical_port_opens_again_after_a_link(meter: RunningMeter, dial: Any) -> None:
    for _ in range(2):
        channel = await dial(Way.OPTICAL)
        visitor = public(channel, meter)
        await visitor.open()
        loop = asyncio.get_running_loop()
        channel._framing._client.disconnect(16, 1, loop.time())
        channel._write()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(ChannelClosed, match="disconnected"):
                await channel.receive(16, 1)
        channel.abort()
        await channel.wait_closed()


async def test_nobody_is_at_the_optical_port(pki: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlms.framing.mode_e.REACTION_TIME", 0.01)
    transport, path = open_pty(asyncio.Protocol)
    try:
        _, channel = open_line(lambda: Channel(lambda: OpticalClient(link())), path, INITIAL)
        channel.send(16, 1, b"x")
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(RemoteProtocolError, match="does not identify"):
                await channel.receive(16, 1)
        await channel.wait_closed()
    finally:
        transport.abort()


# Datagrams ----------------------------------------------------------------------------------------


class Udp(asyncio.DatagramProtocol):
    """A peer that sends what it likes."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.put_nowait(data)


@pytest.fixture
async def udp(meter: RunningMeter) -> AsyncIterator[Callable[[], Awaitable[Udp]]]:
    async with AsyncExitStack() as stack:

        async def start() -> Udp:
            _, peer = await asyncio.get_running_loop().create_datagram_endpoint(
                Udp, remote_addr=(meter.address.host, meter.address.udp_port)
            )
            stack.callback(peer.transport.close)
            return peer

        yield start


AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f04000000100400")
"""Of the public client, for GET."""
GET = bytes.fromhex("C001C1") + b"\0\1" + LDN.instance + b"\2\0"


async def ask(peer: Udp, apdu: bytes = GET) -> bytes:
    peer.transport.sendto(Wpdu(16, 1, apdu).encode())
    async with asyncio.timeout(PATIENCE):
        return await peer.got.get()


@pytest.mark.parametrize(
    "octets",
    ["", "00", "0001001000010001", "0002001000010001C0", "0001001000010002C0",
     "0001001000010001C0C0", "0001001000010000"],
)  # fmt: skip
async def test_datagrams_that_are_no_wpdu_get_silence(octets: str, udp: Any) -> None:
    peer = await udp()
    peer.transport.sendto(bytes.fromhex(octets))
    assert await ask(peer) == Wpdu(1, 16, bytes.fromhex("D80102")).encode()


async def test_unknown_addresses_get_silence_and_no_place(
    udp: Any, events: Any, meter: RunningMeter
) -> None:
    peer = await udp()
    peer.transport.sendto(Wpdu(99, 1, GET).encode())
    await events.wait("unknown-sap")
    assert len(await ask(peer)) > 8


async def test_peers_are_bounded(
    udp: Any, events: Any, monkeypatch: pytest.MonkeyPatch, meter: RunningMeter
) -> None:
    made: list[MeterDatagrams] = []
    served = MeterDatagrams.datagram_received

    def small(self: MeterDatagrams, data: bytes, addr: Any) -> None:
        self._max_peers = 2
        made.append(self)
        served(self, data, addr)

    monkeypatch.setattr(MeterDatagrams, "datagram_received", small)
    first, second, third = await udp(), await udp(), await udp()
    await ask(first, AARQ)
    await ask(second, AARQ)
    third.transport.sendto(Wpdu(16, 1, GET).encode())
    await events.wait("refused")
    assert third.got.empty()
    assert len(made[-1]._peers) == 2
    await ask(first)


async def test_who_has_no_association_gives_its_place(
    udp: Any, monkeypatch: pytest.MonkeyPatch, meter: RunningMeter
) -> None:
    served = MeterDatagrams.datagram_received

    def small(self: MeterDatagrams, data: bytes, addr: Any) -> None:
        self._max_peers = 2
        served(self, data, addr)

    monkeypatch.setattr(MeterDatagrams, "datagram_received", small)
    first, second, third = await udp(), await udp(), await udp()
    await ask(first, AARQ)
    await ask(second)
    await ask(third)
    assert (await ask(first))[8] == 0xC4
