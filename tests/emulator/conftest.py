"""A sandbox with all five meters, both parties of the head end, and clients that are made by hand.

The meters' clock stands still unless a test moves it. Nothing here waits for time to pass:
``PATIENCE`` only makes a test that hangs fail.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from devices.device import Device
from devices.profile import Profile, available, load
from devices.profile.model import AssociationRow
from dlms.association.client import ClientAssociation
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.events import (
    AssociationOpened,
    AuthenticationPending,
    Event,
    ResponseReceived,
)
from dlms.framing import Wpdu
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import CryptoOp, Step
from dlms.xdlms.descriptors import CONFIRMED, AttributeDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.registry import Request, Response
from emulator.custody import Custody, Errand, Mode
from emulator.events import MeterEvent
from emulator.head_end.association import associate, connected
from emulator.head_end.enrolling import enrol
from emulator.head_end.party import TITLES, Party, client_titles
from emulator.head_end.requesting import Means
from emulator.head_end.services import HeadEnd
from emulator.ledger import Ledger
from emulator.meter_address import MeterAddress
from emulator.modules.keyring import KeyRing
from emulator.modules.pkcs11 import softhsm
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER, Actor, Category, Edition, ModuleClass, Purpose
from emulator.requests.enrolment import Enrolment, enrolled
from emulator.requests.user import TITLES as USERS
from emulator.requests.user import User
from emulator.sandbox import Sandbox
from emulator.virtual_clock import VirtualClock
from tls.contexts import client_context
from tls.credentials import Credential
from tls.pki import TestPki


def _beside(name: str) -> ModuleType:
    """A module of this folder, which is no package."""
    spec = spec_from_file_location(f"beside_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_driving = _beside("driving")
own_process, run_meter, route_to = _driving.own_process, _driving.run_meter, _driving.route_to
in_thread, associated = _driving.in_thread, _driving.associated
announced = _driving.announced
postgres = _beside("postgres").postgres

PATIENCE = 120.0
FLEET_SECRET = bytes(range(0x40, 0x60))
NOON = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
CLOCK_TIME = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
OWNERS = {"s1sp": Actor.S1SP, "dco": Actor.DCO}


@pytest.fixture(scope="session")
def softhsm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where SoftHSM keeps the tokens of this test run: the library asks once, when it is loaded."""
    folder = tmp_path_factory.mktemp("softhsm")
    os.environ.pop(softhsm.SETTINGS, None)
    softhsm.use_folder(folder)
    return folder


class Events:
    """Everything that happened at the meters, in order."""

    def __init__(self) -> None:
        self.seen: list[MeterEvent] = []
        self._news = asyncio.Event()

    def __call__(self, event: MeterEvent) -> None:
        self.seen.append(event)
        self._news.set()

    def of(self, *kinds: str) -> list[MeterEvent]:
        return [event for event in self.seen if event.kind in kinds]

    def texts(self) -> str:
        return "\n".join(f"{event}\n{event.to_json()}" for event in self.seen)

    async def wait(self, kind: str, count: int = 1) -> list[MeterEvent]:
        """All events of ``kind``, once there are ``count`` of them."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.of(kind)) < count:
                self._news.clear()
                await self._news.wait()
        return found


class RememberingRing(KeyRing):
    """A key ring that never forgets what octets it gave out or kept: canaries."""

    def __init__(self, fleet_secret: bytes | None = None) -> None:
        super().__init__(fleet_secret)
        self.ever: dict[KeyRef, set[bytes]] = {}

    def keep(self, ref: KeyRef, key: bytes) -> None:
        self.ever.setdefault(ref, set()).add(key)
        super().keep(ref, key)

    def get(self, ref: KeyRef) -> bytes:
        key = super().get(ref)
        self.ever.setdefault(ref, set()).add(key)
        return key

    def keeps(self, ref: KeyRef) -> bool:
        return ref in self.refs

    def kept(self, kind: KeyKind) -> list[KeyRef]:
        return [ref for ref in self.refs if ref.kind is kind]

    def canaries(self) -> set[bytes]:
        return {key for keys in self.ever.values() for key in keys}


class SpyModule:
    """A module on a key ring that says of itself what it is told, and remembers its operations."""

    def __init__(
        self,
        keys: KeyRing,
        *,
        name: str = "software",
        module_class: ModuleClass = ModuleClass.G2_45,
        blocks: bool = False,
    ) -> None:
        self.name = name
        self.module_class = module_class
        self.emulated = False
        self.gives = module_class < ModuleClass.LEVEL_3
        self.blocks = blocks
        self.ops: list[CryptoOp] = []
        self._module = SoftwareModule(keys)
        self.holds, self.export = self._module.holds, self._module.export
        self.admitted: list[KeyRef] = []
        self.close = self._module.close

    def admit(self, key: KeyRef, octets: bytes) -> None:
        self.admitted.append(key)
        self._module.admit(key, octets)

    def execute(self, op: CryptoOp) -> Any:
        self.ops.append(op)
        return self._module.execute(op)


class Place(NamedTuple):
    """One meter of the sandbox, seen from all sides."""

    device: Device
    address: MeterAddress
    profile: Profile

    @property
    def digest(self) -> bytes:
        return self.device.state.digest()


class Peer:
    """A connection to a meter that sends whatever a test tells it to."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: tuple[int, int]
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.pair = pair

    def write(self, octets: bytes) -> None:
        self.writer.write(octets)

    def send(self, apdu: bytes) -> None:
        self.write(Wpdu(*self.pair, apdu).encode())

    async def wpdu(self) -> Wpdu:
        async with asyncio.timeout(PATIENCE):
            header = await self.reader.readexactly(8)
            words = [int.from_bytes(header[at : at + 2], "big") for at in (0, 2, 4, 6)]
            assert words[0] == 1
            return Wpdu(words[1], words[2], await self.reader.readexactly(words[3]))

    async def answer(self) -> bytes:
        """The next APDU, which must come from where we sent to."""
        wpdu = await self.wpdu()
        assert (wpdu.destination, wpdu.source) == self.pair
        return wpdu.apdu

    async def exchange(self, apdu: bytes) -> bytes:
        self.send(apdu)
        return await self.answer()

    async def closed(self) -> None:
        """The meter hangs up without another octet."""
        async with asyncio.timeout(PATIENCE):
            try:
                assert await self.reader.read() == b""
            except ConnectionError:
                return  # a reset is an end, too

    async def drop(self) -> None:
        self.writer.transport.abort()
        with suppress(OSError, ssl.SSLError):
            await self.writer.wait_closed()


class Speaker:
    """A client association of ours on a :class:`Peer`, driven step by step."""

    def __init__(self, peer: Peer, association: ClientAssociation, execute: Any) -> None:
        self.peer = peer
        self.association = association
        self._execute = execute
        self._invoke = 0

    def make(self, step: Step[Any]) -> Any:
        return run(step, self._execute)

    async def ask(self, apdu: bytes) -> Event:
        event: Event = self.make(self.association.receive(await self.peer.exchange(apdu)))
        return event

    async def begin(self) -> Event:
        return await self.ask(self.make(self.association.open()))

    async def open(self) -> Speaker:
        event = await self.begin()
        if isinstance(event, AuthenticationPending):
            event = await self.ask(self.make(self.association.authenticate()))
        assert isinstance(event, AssociationOpened), event
        return self

    def next_invoke(self) -> int:
        self._invoke = (self._invoke + 1) & 0x0F
        return CONFIRMED | self._invoke

    def sealed(self, request: Request) -> bytes:
        octets: bytes = self.make(self.association.request(request))
        return octets

    async def request(self, request: Request) -> Response:
        event = await self.ask(self.sealed(request))
        assert isinstance(event, ResponseReceived), event
        return event.response

    async def get(self, attribute: AttributeDescriptor = CLOCK_TIME) -> Any:
        response: Any = await self.request(GetRequest(self.next_invoke(), attribute))
        return response.result


@pytest.fixture(scope="session")
def pki() -> TestPki:
    return TestPki.create(now=dt.datetime.now(dt.UTC))


@pytest.fixture(scope="session")
def other_pki() -> TestPki:
    """A stranger: same names, other keys."""
    return TestPki.create(now=dt.datetime.now(dt.UTC))


@pytest.fixture(scope="session")
def credentials(pki: TestPki) -> dict[Actor, Credential]:
    return {actor: pki.issue_client(TITLES[actor], actor.value) for actor in OWNERS.values()}


@pytest.fixture(scope="session")
def fleet_secret() -> bytes:
    return FLEET_SECRET


@pytest.fixture(scope="session")
def spy_module() -> type[SpyModule]:
    return SpyModule


@pytest.fixture
def ring() -> RememberingRing:
    """The keys of the DCC side."""
    return RememberingRing(FLEET_SECRET)


@pytest.fixture
def remembering_ring() -> type[RememberingRing]:
    return RememberingRing


@pytest.fixture
def clock() -> VirtualClock:
    """True time, as the meters are told it: it stands still."""
    return VirtualClock(NOON, factor=0)


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def trace() -> bool:
    """Whether the meters trace; a test module may say yes."""
    return False


@pytest.fixture(scope="session")
def profiles() -> list[Profile]:
    """Loaded once: nothing ever changes a profile."""
    return [load(name) for name in available()]


@pytest.fixture
async def sandbox(
    profiles: list[Profile], pki: TestPki, clock: VirtualClock, events: Events, trace: bool
) -> AsyncIterator[Sandbox]:
    """All five meters, without mistakes."""
    with _driving.no_mistakes():
        async with Sandbox(
            profiles,
            pki=pki,
            fleet_secret=FLEET_SECRET,
            client_titles=client_titles(),
            on_event=events,
            clock=clock,
            trace=trace,
        ) as sandbox:
            yield sandbox


@pytest.fixture
def place(sandbox: Sandbox) -> Callable[[str], Place]:
    def find(name: str) -> Place:
        meter = sandbox.meters[name]
        return Place(meter.device, meter.address, meter.device.profile)

    return find


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def make_party(
    pki: TestPki, credentials: dict[Actor, Credential], ring: RememberingRing, ledger: Ledger
) -> Callable[..., Party]:
    def make(
        actor: Actor,
        *,
        modules: Sequence[Any] = (),
        mode: Mode = Mode.OBSERVE,
        edition: Edition = LETTER,
    ) -> Party:
        return Party(
            actor=actor,
            credential=credentials[actor] if actor is Actor.S1SP else None,
            trust=pki.trust(),
            custody=Custody(modules or [SoftwareModule(ring)], edition, mode, ledger),
        )

    return make


@pytest.fixture(scope="session")
def supplier(pki: TestPki) -> Credential:
    """The certificate of a User that supplies every meter."""
    return pki.issue_signer(USERS["supplier"], "supplier")


@pytest.fixture(scope="session")
def enrolment(pki: TestPki, supplier: Credential) -> Enrolment:
    now = dt.datetime.now(dt.UTC)
    user = enrolled(supplier.chain_pem, pki.trust(), "supplier", "supplier", now)
    return enrol(FLEET_SECRET, [user])


@pytest.fixture
def make_means(
    make_party: Callable[..., Party], enrolment: Enrolment, supplier: Credential, clock: Any
) -> Callable[..., Means]:
    """What requests need; without a word of it, with databases that end with the test."""

    def make(**options: Any) -> Means:
        custody = make_party(Actor.DCC, **options).custody
        return Means(custody, lambda: enrolment, User.of(supplier), now=clock.now)

    return make


@pytest.fixture
def make_head_end(
    make_party: Callable[..., Party], make_means: Callable[..., Means]
) -> Callable[..., HeadEnd]:
    def make(**options: Any) -> HeadEnd:
        return HeadEnd(
            make_party(Actor.S1SP, **options),
            make_party(Actor.DCO, **options),
            make_means(**options),
        )

    return make


@pytest.fixture
def relayed(make_party: Callable[..., Party]) -> Callable[..., Any]:
    """``associate()`` as any party: the DCO's goes over the S1SP's TLS."""

    def open_one(party: Party, meter: MeterAddress, profile: Profile) -> Any:
        way = None
        if party.credential is None:
            way = connected(make_party(Actor.S1SP), meter, profile)
        return associate(party, meter, profile, way)

    return open_one


@pytest.fixture
def head_end(make_head_end: Callable[..., HeadEnd]) -> HeadEnd:
    """Both parties in observe mode, on one software module and one ledger."""
    return make_head_end()


@pytest.fixture
async def connect(
    place: Callable[[str], Place], pki: TestPki, credentials: dict[Actor, Credential]
) -> AsyncIterator[Callable[..., Awaitable[Peer]]]:
    """``await connect(way, name, row)``: a raw connection, by ``plain`` TCP or ``tls``."""
    async with AsyncExitStack() as stack:

        async def open_peer(
            way: str,
            name: str,
            row: str = "public",
            *,
            credential: Credential | None = None,
            port: int | None = None,
        ) -> Peer:
            meter = place(name)
            context = None
            number = meter.address.plain_port
            if way == "tls":
                shown = credential or credentials[OWNERS.get(row, Actor.S1SP)]
                context = client_context(shown, pki.trust())
                number = meter.address.tls_port
            reader, writer = await asyncio.open_connection(
                meter.address.host, number if port is None else port, ssl=context
            )
            config = meter.profile.associations[row].config
            peer = Peer(reader, writer, (config.client_sap, config.server_sap))
            stack.push_async_callback(peer.drop)
            return peer

        yield open_peer


@pytest.fixture
def make_association() -> Callable[..., ClientAssociation]:
    """A right client for an association of a meter; ``changes`` go to its configuration."""

    def make(
        meter: Place,
        name: str,
        *,
        keys: AssociationKeys | None = None,
        counters: InvocationCounters | None = None,
        dedicated: KeyRef | None = None,
        **changes: Any,
    ) -> ClientAssociation:
        row: AssociationRow = meter.profile.associations[name]
        title = meter.device.title
        if keys is None:
            keys = AssociationKeys(
                guek=meter.device.key(name, KeyKind.GUEK),
                gak=meter.device.key(name, KeyKind.GAK),
                secret=meter.device.key(name, KeyKind.LLS_SECRET),
            )
        if counters is None:
            counters = InvocationCounters()
            assert keys.guek is not None
            counters.raise_to(keys.guek, meter.device.state.counters.floor(keys.guek))
        if row.dedicated and dedicated is None:
            dedicated = KeyRef(title, name, KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 99)
        config = ClientConfig(
            client_sap=row.config.client_sap,
            server_sap=row.config.server_sap,
            context=row.config.context,
            mechanism=row.config.mechanism,
            conformance=row.config.conformance,
            own_title=TITLES[OWNERS[name]] if name in OWNERS else None,
            server_title=title if name in OWNERS else None,
            protection=Protection(row.protection),
            dedicated=dedicated,
        )
        return ClientAssociation(replace(config, **changes), keys, counters)

    return make


@pytest.fixture
def speak(
    connect: Callable[..., Awaitable[Peer]],
    place: Callable[[str], Place],
    make_association: Callable[..., ClientAssociation],
    ring: RememberingRing,
) -> Callable[..., Awaitable[Speaker]]:
    """``await speak(way, name, row)``: a right client on a connection; nothing is sent yet."""

    async def make(
        way: str, name: str, row: str, *, credential: Credential | None = None, **options: Any
    ) -> Speaker:
        peer = await connect(way, name, row, credential=credential)
        association = make_association(place(name), row, **options)
        return Speaker(peer, association, SoftwareModule(ring).execute)

    return make


class Unharmed:
    """Inside, a meter may be treated badly; at the end it must be as it was, and serve.

    A public client has its association open all the while, on a connection of its own.
    """

    def __init__(self, meter: Place, witness: Speaker, newcomer: Any) -> None:
        self._meter = meter
        self._witness = witness
        self._newcomer = newcomer

    async def __aenter__(self) -> None:
        await self._witness.open()
        self._digest = self._meter.digest

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            return
        assert self._meter.digest == self._digest
        assert (await self._witness.get()).value[:4] == bytes((0x07, 0xE3, 3, 26))
        newcomer = await self._newcomer()
        await newcomer.open()
        assert (await newcomer.get()).value[:4] == bytes((0x07, 0xE3, 3, 26))
        assert self._meter.digest == self._digest


@pytest.fixture
def unharmed(
    place: Callable[[str], Place], speak: Callable[..., Awaitable[Speaker]]
) -> Callable[..., Awaitable[Unharmed]]:
    """``async with await unharmed(way, name):`` around what must not disturb anybody else."""

    async def make(way: str, name: str) -> Unharmed:
        witness = await speak(way, name, "public")
        return Unharmed(place(name), witness, lambda: speak(way, name, "s1sp"))

    return make


@pytest.fixture
def errand() -> Callable[..., Errand]:
    """An errand of the S1SP to a Category 2 Device, but for what is given."""

    def make(**changes: Any) -> Errand:
        errand = Errand(Actor.S1SP, "meter", Category.CATEGORY_2, Purpose.GENERATE_INSTRUCTION)
        return errand._replace(**changes)

    return make
