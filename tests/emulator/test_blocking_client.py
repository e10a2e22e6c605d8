"""The blocking client against the meters of a sandbox, from a thread of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.axdr.data import double_long, integer
from dlms.client.refusals import AccessRefused, AssociationRejected, ServiceException
from dlms.cosem import obis
from dlms.errors import RemoteProtocolError
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.channel import ChannelClosed
from emulator.client import BlockingChannel, BlockingMeterClient, SocketWire
from emulator.head_end.party import TITLES
from emulator.head_end.services import clock_time
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.sandbox import RunningMeter, Sandbox
from tls.contexts import client_context
from tls.credentials import Credential
from tls.pki import TestPki

LDN = AttributeDescriptor(1, obis.parse("0-0:42.0.0.255"), 2)
CREDIT = obis.parse("0-0:19.10.0.255")
AMOUNT = AttributeDescriptor(112, CREDIT, 2)
UPDATE_AMOUNT = MethodDescriptor(112, CREDIT, 1)
CLOCK = AttributeDescriptor(8, obis.parse("0-0:1.0.0.255"), 2)
DISCONNECT = MethodDescriptor(70, obis.parse("0-0:96.3.10.255"), 1)
TIMEOUT = 60.0
PUBLIC = ClientConfig(
    client_sap=16,
    server_sap=1,
    context=ApplicationContext.LN,
    mechanism=Mechanism.NONE,
    conformance=Conformance.GET,
)


def party(meter: RunningMeter, name: str) -> tuple[ClientConfig, AssociationKeys]:
    """Configuration and keys of one of the two parties."""
    row = meter.device.profile.associations[name]
    title = meter.address.title
    dedicated = KeyRef(title, name, KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 1)
    config = ClientConfig(
        client_sap=row.config.client_sap,
        server_sap=row.config.server_sap,
        context=row.config.context,
        mechanism=row.config.mechanism,
        conformance=row.config.conformance,
        own_title=TITLES[Actor.S1SP if name == "s1sp" else Actor.DCO],
        dedicated=dedicated if row.dedicated else None,
    )
    return config, AssociationKeys(
        guek=KeyRef(title, name, KeyKind.GUEK), gak=KeyRef(title, name, KeyKind.GAK)
    )


@contextmanager
def connected(
    port: int,
    config: ClientConfig,
    keys: AssociationKeys,
    ring: Any,
    context: ssl.SSLContext | None = None,
) -> Iterator[BlockingMeterClient]:
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    with closing(connection if context is None else context.wrap_socket(connection)) as sock:
        association = ClientAssociation(config, keys, InvocationCounters())
        channel = BlockingChannel(SocketWire(sock))
        yield BlockingMeterClient(channel, association, SoftwareModule(ring).execute, TIMEOUT)


async def aside(work: Callable[[], Any]) -> Any:
    """Run in a thread: the meters need the event loop meanwhile."""
    return await asyncio.to_thread(work)


async def test_public_client_reads(sandbox: Sandbox, ring: Any) -> None:
    meter = sandbox.meters["aclara"]

    def work() -> Any:
        with connected(meter.address.plain_port, PUBLIC, AssociationKeys(), ring) as client:
            client.open()
            name = client.get(LDN).value
            client.release()
            client.close()
            return name

    device = meter.device
    assert await aside(work) == device.profile.logical_device_name(device.serial)


@pytest.mark.parametrize("name", ["aclara", "honeywell_elster", "itron", "landis_gyr", "secure"])
@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
async def test_a_party_reads_writes_and_acts(
    sandbox: Sandbox,
    ring: Any,
    pki: TestPki,
    credentials: dict[Actor, Credential],
    name: str,
    tls: bool,
) -> None:
    meter = sandbox.meters[name]
    address = meter.address

    def visit(association: str, actor: Actor, do: Callable[[BlockingMeterClient], Any]) -> Any:
        context = client_context(credentials[actor], pki.trust()) if tls else None
        port = address.tls_port if tls else address.plain_port
        config, keys = party(meter, association)
        with connected(port, config, keys, ring, context) as client:
            client.open()
            result = do(client)
            client.release()
            return result

    def top_up(client: BlockingMeterClient) -> int:
        before = client.get(AMOUNT).value
        client.action(UPDATE_AMOUNT, double_long(1000))
        after = client.get(AMOUNT).value
        assert isinstance(before, int)
        assert isinstance(after, int)
        with pytest.raises(AccessRefused, match="read-write-denied"):
            client.action(DISCONNECT, integer(0))
        return after - before

    moment = clock_time(dt.datetime(2019, 3, 26, 12, tzinfo=dt.UTC))

    def set_clock(client: BlockingMeterClient) -> Any:
        client.set(CLOCK, moment)
        return client.get(CLOCK)

    assert await aside(lambda: visit("s1sp", Actor.S1SP, top_up)) == 1000
    assert await aside(lambda: visit("dco", Actor.DCO, set_clock)) == moment


async def test_a_refused_association(sandbox: Sandbox, ring: Any) -> None:
    """The DCO's keys at the S1SP's door."""
    meter = sandbox.meters["aclara"]
    config, _ = party(meter, "s1sp")
    _, keys = party(meter, "dco")
    digest = meter.device.state.digest()

    def work() -> None:
        with connected(meter.address.plain_port, config, keys, ring) as client:
            client.open()

    with pytest.raises(AssociationRejected):
        await aside(work)
    assert meter.device.state.digest() == digest


def against(script: bytes, ring: Any, call: Callable[[BlockingMeterClient], Any]) -> None:
    """``call`` on a client whose server has said ``script`` and hung up."""
    ours, theirs = socket.socketpair()
    ours.settimeout(TIMEOUT)
    with closing(ours), closing(theirs):
        theirs.sendall(script)
        theirs.shutdown(socket.SHUT_WR)
        association = ClientAssociation(PUBLIC, AssociationKeys(), InvocationCounters())
        channel = BlockingChannel(SocketWire(ours))
        call(BlockingMeterClient(channel, association, SoftwareModule(ring).execute, TIMEOUT))


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (b"", ChannelClosed),
        (bytes.fromhex("0001000100100003"), ChannelClosed),
        (bytes.fromhex("0002000100100003D80102"), RemoteProtocolError),
        (bytes.fromhex("0001000100100003D80102"), ServiceException),
        (bytes.fromhex("0001000100100001C4"), RemoteProtocolError),
    ],
    ids=["hung up", "cut short", "no wrapper", "exception", "no AARE"],
)
def test_answers_that_open_nothing(ring: Any, script: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        against(script, ring, BlockingMeterClient.open)
