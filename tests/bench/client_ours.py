"""Our client, and the asyncio echo client that is its floor."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable
from typing import Any, TypeVar, cast

import samples
from place import ASSOCIATION, Place

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.cosem import classes, obis
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.ops import Step
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.channel import Channel
from emulator.client import MeterClient, Runner
from emulator.custody import Custody, Errand, Mode
from emulator.head_end.party import TITLES
from emulator.ledger import Ledger
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import EDITIONS, Actor, Category, Purpose
from tls.contexts import client_context
from tls.identity import exactly
from tls.plain import open_tcp_connection
from tls.transport import open_tls_connection

NAME = AttributeDescriptor(classes.DATA.class_id, obis.parse("0-0:42.0.0.255"), 2)
"""The COSEM logical device name: stored, readable by everyone."""

P = TypeVar("P", bound=asyncio.Protocol)


async def connect(factory: Callable[[], P], place: Place, port: int, tls: bool) -> P:
    if not tls:
        _, protocol = await open_tcp_connection(factory, place.host, port)
        return protocol
    _, protocol = await open_tls_connection(
        factory, place.host, port, _context(place), accept=exactly(place.title)
    )
    return protocol


_contexts: dict[int, ssl.SSLContext] = {}


def _context(place: Place) -> ssl.SSLContext:
    """One for all connections: to load certificates is not what is measured."""
    context = _contexts.get(id(place))
    if context is None:
        context = _contexts[id(place)] = client_context(place.credential, place.trust)
    return context


def plan(place: Place, ciphered: bool) -> tuple[ClientConfig, AssociationKeys]:
    """The s1sp association, or the public one."""
    association = ASSOCIATION if ciphered else "public"
    client_sap, server_sap = samples.saps(association)
    config = ClientConfig(
        client_sap=client_sap,
        server_sap=server_sap,
        context=ApplicationContext.LN_CIPHERED if ciphered else ApplicationContext.LN,
        mechanism=Mechanism.HLS_GMAC if ciphered else Mechanism.NONE,
        conformance=Conformance.GET,
        own_title=TITLES[Actor.S1SP] if ciphered else None,
        protection=Protection.BOTH if ciphered else Protection.NONE,
    )
    return config, AssociationKeys(place.guek, place.gak) if ciphered else AssociationKeys()


class OurClient:
    """One meter's client. ``ciphered`` is the s1sp association, else the public one.

    ``tagged`` has a custody ask the policy and write the ledger for every operation, as the head
    end does.
    """

    def __init__(
        self, place: Place, meter: int, *, ciphered: bool, tls: bool = False, tagged: bool = False
    ) -> None:
        self._place = place
        self._port = place.meters[meter][tls]
        self._tls = tls
        self._counters = InvocationCounters()
        module = SoftwareModule(KeyRing(place.fleet_secret))
        self._run = _tagged(module, place) if tagged else _untagged(module)
        self._config, self._keys = plan(place, ciphered)

    async def open(self) -> MeterClient:
        channel = await connect(Channel, self._place, self._port, self._tls)
        association = ClientAssociation(self._config, self._keys, self._counters)
        client = MeterClient(channel, association, self._run)
        await client.open()
        return client

    async def session(self) -> None:
        """Connect, associate, release, hang up."""
        client = await self.open()
        await client.release()
        await client.close()


async def gets(client: MeterClient, count: int) -> None:
    for _ in range(count):
        await client.get(NAME)


def _untagged(module: SoftwareModule) -> Runner:
    async def runner(step: Step[Any]) -> Any:
        return run(step, module.execute)

    return runner


def _tagged(module: SoftwareModule, place: Place) -> Runner:
    edition = EDITIONS["letter"]
    custody = Custody([module], edition, Mode.OBSERVE, Ledger())
    device = place.title.hex().upper()
    errand = Errand(Actor.S1SP, device, Category.CATEGORY_1, Purpose.GENERATE_INSTRUCTION)

    async def runner(step: Step[Any]) -> Any:
        return await custody.run(step, errand)

    return runner


class EchoClient(asyncio.Protocol):
    """Sends, awaits as much, sends again."""

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing <= 0 and self._waiter is not None:
            self._waiter.set_result(None)
            self._waiter = None

    async def ask(self, size: int) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        self._missing = size
        self._transport.write(bytes(size))
        await self._waiter

    def close(self) -> None:
        self._transport.close()


async def echoes(client: EchoClient, size: int, count: int) -> None:
    for _ in itertools.repeat(None, count):
        await client.ask(size)
