"""Meters for clients that others wrote: a sandbox in a thread of its own, the client in the test's.

The clients are synchronous and know nothing of this house. They get what ``cosemlab keys`` prints:
an address, two SAPs, the titles, the keys.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import pytest

from devices.device import Device
from devices.outbox import Announcement
from devices.profile import Profile, available, gas, load
from devices.profile.model import AssociationRow
from dlms.acse.names import Mechanism
from dlms.axdr.data import Data, double_long_unsigned
from dlms.security.keys import KeyKind, KeyRef
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.events import MeterEvent
from emulator.faults import Fault, MeterFaults
from emulator.head_end.party import ASSOCIATIONS, TITLES, client_titles
from emulator.meter_address import MeterAddress
from emulator.modules.keyring import KeyRing
from emulator.pytest_plugin.live import loop_in_thread
from emulator.sandbox import Sandbox
from emulator.serving.audience import Audience
from emulator.virtual_clock import VirtualClock
from tls.contexts import client_context
from tls.pki import TestPki

TIMEOUT = 60.0
"""Seconds until a test gives up on a socket or on the sandbox's thread."""

LOAD_PROFILES = tuple(
    bytes((*one, 255)) for one in ((1, 0, 99, 1, 0), (1, 0, 99, 1, 1), (7, 0, 99, 1, 0))
)
"""Of electricity, import and the others, and of gas."""
NOW = dt.datetime(2019, 3, 26, 12, 34, 56, 780_000, tzinfo=dt.UTC)
"""True time in every sandbox here. It stands still, so readings can be compared exactly."""

FLEET_SECRET = bytes(range(32))
PROFILES = available()
EVERY = (*PROFILES, *gas())


class Access(NamedTuple):
    """What a client must know to open one association with one meter."""

    host: str
    port: int
    client_sap: int
    server_sap: int
    client_title: bytes
    server_title: bytes
    guek: bytes
    gak: bytes
    password: bytes
    counter_object: str

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A running meter. ``tls`` is the client context of each party; ``tell`` has the meter say what
    nobody has asked for, and gives how many associations were told;
    ``fault`` sets one by its name, with parameters.
    """

    address: MeterAddress
    profile: Profile
    device: Device
    ring: KeyRing
    tls: dict[str, ssl.SSLContext]
    events: list[MeterEvent]
    tell: Callable[[Announcement], int]
    fault: Callable[..., Fault]
    now: dt.datetime = NOW

    def access(self, association: str) -> Access:
        row = self.profile.associations[association]
        actor = ASSOCIATIONS.get(association)

        def key(kind: KeyKind, wanted: bool) -> bytes:
            ref = KeyRef(self.address.title, association, kind)
            return self.ring.get(ref) if wanted else b""

        keyed = row.security_setup is not None

        return Access(
            self.address.host,
            self.address.plain_port,
            row.config.client_sap,
            row.config.server_sap,
            b"" if actor is None else TITLES[actor],
            self.address.title,
            key(KeyKind.GUEK, keyed),
            key(KeyKind.GAK, keyed),
            key(KeyKind.LLS_SECRET, row.config.mechanism is Mechanism.LLS),
            "" if row.security_setup is None else f"0.0.43.1.{row.security_setup}.255",
        )

    def connect(self, association: str = "") -> socket.socket:
        """A plain socket, or with the name of a party's association one over TLS."""
        address = self.address
        if not association:
            return socket.create_connection((address.host, address.plain_port), TIMEOUT)
        plain = socket.create_connection((address.host, address.tls_port), TIMEOUT)
        try:
            return self.tls[association].wrap_socket(plain)
        except BaseException:
            plain.close()
            raise

    def readable(self, association: str) -> Iterator[AttributeDescriptor]:
        """Every attribute that the profile lets ``association`` read."""
        for row in self.profile.objects.values():
            rights = row.rights.get(association)
            if rights is None:
                continue
            for number, access in rights.attributes.items():
                if access.readable:
                    yield AttributeDescriptor(row.interface_class.class_id, row.instance, number)

    def stored(self, instance: str, attribute: int) -> Data:
        """What the meter itself holds, past all protocol."""
        name = bytes(int(part) for part in instance.split("."))
        value = self.device.value(self.profile.objects[name], attribute)
        assert value is not None
        return value

    def said(self, kind: str) -> list[str]:
        """Texts of the events of one kind so far."""
        return [event.text for event in self.events if event.kind == kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running sandbox: the loop of its thread and its meters by name."""

    loop: asyncio.AbstractEventLoop
    pki: TestPki
    meters: dict[str, Meter]

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine in the sandbox's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(TIMEOUT)


@contextmanager
def _running(
    loop: asyncio.AbstractEventLoop, pki: TestPki, profiles: Sequence[Profile]
) -> Iterator[Site]:
    events: list[MeterEvent] = []
    sandbox = Sandbox(
        profiles,
        pki=pki,
        fleet_secret=FLEET_SECRET,
        client_titles=client_titles(),
        on_event=events.append,
        clock=VirtualClock(NOW, factor=0),
    )
    contexts = {
        name: client_context(pki.issue_client(TITLES[actor], actor.value), pki.trust())
        for name, actor in ASSOCIATIONS.items()
    }
    ring = KeyRing(FLEET_SECRET)
    site = Site(loop=loop, pki=pki, meters={})
    site.run(sandbox.__aenter__())
    try:
        for profile in profiles:
            running = sandbox.meters[profile.name]
            # One day of half-hours: stock clients take minutes for the whole 13 months, which are
            # read in test_gurux_load_profile.
            for instance in LOAD_PROFILES:
                row = profile.objects.get(instance)
                if row is not None:
                    running.device.store(row, 8, double_long_unsigned(48))
            site.meters[profile.name] = Meter(
                address=running.address,
                profile=profile,
                device=running.device,
                ring=ring,
                tls=contexts,
                events=events,
                tell=partial(_tell, site, running.audience),
                fault=partial(_fault, site, running.faults),
            )
        yield site
    finally:
        site.run(sandbox.__aexit__(None, None, None))


def _tell(site: Site, audience: Audience, what: Announcement) -> int:
    async def tell() -> int:
        return audience.tell(what)

    told: int = site.run(tell())
    return told


def _fault(
    site: Site, faults: MeterFaults, name: str, count: int | None = None, **parameters: object
) -> Fault:
    async def fault() -> Fault:
        return faults.set(name, parameters, count=count)

    found: Fault = site.run(fault())
    return found


@pytest.fixture(scope="session")
def sandbox_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """No client may bring a meter to raise: at the end it would be told."""
    with loop_in_thread() as loop:
        yield loop


@pytest.fixture(scope="session")
def pki() -> TestPki:
    return TestPki.create(now=dt.datetime.now(dt.UTC))


@pytest.fixture(scope="session")
def site(sandbox_loop: asyncio.AbstractEventLoop, pki: TestPki) -> Iterator[Site]:
    """The five meters and the gas meters, shared: counters and balances go on from test to test,
    as in the field.
    """
    with _running(sandbox_loop, pki, [load(name) for name in EVERY]) as running:
        yield running


@pytest.fixture(scope="session")
def visited_site(sandbox_loop: asyncio.AbstractEventLoop, pki: TestPki) -> Iterator[Site]:
    """Five meters more, for our own head end: it sets clocks, which others read."""
    with _running(sandbox_loop, pki, [load(name) for name in PROFILES]) as running:
        yield running


@pytest.fixture(params=PROFILES)
def meter(request: pytest.FixtureRequest, site: Site) -> Meter:
    """Each of the five meters in turn."""
    return site.meters[request.param]


@pytest.fixture(params=EVERY)
def any_meter(request: pytest.FixtureRequest, site: Site) -> Meter:
    """Each of the meters in turn, with those of gas."""
    return site.meters[request.param]


@pytest.fixture
def aclara(site: Site) -> Meter:
    """One meter, for what does not depend on the profile."""
    return site.meters["aclara"]


@pytest.fixture
def fresh(sandbox_loop: asyncio.AbstractEventLoop, pki: TestPki) -> Iterator[Callable[..., Meter]]:
    """``fresh(name, association, **config)``: a meter of one's own, whose keys are unused.

    ``config`` changes the configuration of ``association``, for what no profile does.
    """
    with ExitStack() as stack:

        def make(name: str = "aclara", association: str = "s1sp", **config: Any) -> Meter:
            profile = _changed(load(name), association, config)
            return stack.enter_context(_running(sandbox_loop, pki, [profile])).meters[name]

        yield make


@pytest.fixture
def place(sandbox_loop: asyncio.AbstractEventLoop, pki: TestPki) -> Iterator[Callable[..., Meter]]:
    """``place(profile)``: a meter of a profile that is none of the package's."""
    with ExitStack() as stack:

        def make(profile: Profile) -> Meter:
            running = stack.enter_context(_running(sandbox_loop, pki, [profile]))
            return running.meters[profile.name]

        yield make


def _changed(profile: Profile, association: str, config: dict[str, Any]) -> Profile:
    row = profile.associations[association]
    changed: AssociationRow = row._replace(config=replace(row.config, **config))
    return replace(profile, associations={**profile.associations, association: changed})
