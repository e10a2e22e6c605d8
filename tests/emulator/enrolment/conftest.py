"""Meters that a supplier has installed, the supplier's system, and a DCC that knows nothing yet.

A DCC is made anew of what it keeps, as the next process would be: its counters, its keys (wrapped)
and its database. Each party has the secrets of its own scopes only.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devices.profile import Profile, available, gas, load
from emulator.counter_file import CounterFile, FiledCounters, FiledTokenCounters
from emulator.custody import Custody, Mode
from emulator.database import Database, sqlite_url
from emulator.enrolment.access import access
from emulator.enrolment.authorisation import Authorisation, device_id, factory_firmware
from emulator.enrolment.case import Case, Former
from emulator.enrolment.eligibility import any_product
from emulator.enrolment.engine import enrol
from emulator.enrolment.inventory import Inventory
from emulator.enrolment.sources import KeySource
from emulator.enrolment.steps import Kind
from emulator.enrolment.store import EnrolmentStore, Record
from emulator.head_end.assembly import assemble
from emulator.head_end.enrolling import enrol as enrol_users
from emulator.head_end.party import SCOPES, TITLES, client_titles, storage_key
from emulator.head_end.requesting import Means
from emulator.head_end.services import HeadEnd
from emulator.key_suites import suites_of_meters
from emulator.keystore.handed import StoredHandedKeys
from emulator.keystore.holds import Holds
from emulator.keystore.known import StoredKnownKeys
from emulator.keystore.store import KeyStore
from emulator.keystore.wrapping import Wrapping
from emulator.ledger import Ledger
from emulator.modules.keyring import KeyRing, scope_secrets
from emulator.modules.software import SoftwareModule
from emulator.policy import LETTER, Actor
from emulator.requests.enrolment import enrolled
from emulator.requests.user import User, eui_of
from emulator.sandbox import RunningMeter, Sandbox
from emulator.supplier.archive import Archive, Export
from emulator.supplier.system import SupplierSystem
from emulator.supplier.trying import SupplierClient
from emulator.virtual_clock import VirtualClock

FLEET_SECRET = bytes(range(0x40, 0x60))
NOON = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
NINE = (*available(), *gas())
SUPPLIER, NEXT = "brightco", "newco"


@contextmanager
def no_mistakes() -> Any:
    """Whatever asyncio logs is a mistake of ours."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    try:
        yield
        assert [record.getMessage() for record in records] == []
    finally:
        logger.removeHandler(handler)


class Dcc(NamedTuple):
    """One process of the DCC's."""

    head_end: HeadEnd
    ledger: Ledger
    store: EnrolmentStore
    inventory: Inventory
    rings: dict[Actor, KeyRing]


class World:
    """``pauses`` are the seconds that the engine would have waited."""

    def __init__(self, folder: Path, pki: Any, system: SupplierSystem, clock: VirtualClock) -> None:
        self.folder = folder
        self.pki = pki
        self.system = system
        self.clock = clock
        self.profiles: dict[str, Profile] = {}
        self.meters: dict[str, RunningMeter] = {}
        self.credential = pki.issue_client(TITLES[Actor.S1SP], Actor.S1SP.value)
        self.signers = {name: pki.issue_signer(eui_of(name), name) for name in (SUPPLIER, NEXT)}
        self.users = {
            name: User.of(signer, count(1).__next__) for name, signer in self.signers.items()
        }
        self.pauses: list[float] = []
        self.archive = Archive(folder / "archive")
        self.client = SupplierClient(system, pki.trust())

    @asynccontextmanager
    async def up(self, names: Sequence[str], **options: Any) -> AsyncIterator[Sandbox]:
        profiles = [load(name) for name in names]
        with no_mistakes():
            async with Sandbox(
                profiles,
                pki=self.pki,
                fleet_secret=FLEET_SECRET,
                client_titles=client_titles(),
                clock=self.clock,
                installers={self.system.name: self.system.installer},
                installer=self.system.name,
                **options,
            ) as sandbox:
                self.profiles = {profile.name: profile for profile in profiles}
                self.meters = sandbox.meters
                yield sandbox

    def dcc(self, *, transport: bool = True, floors: bool = True, user: str = SUPPLIER) -> Dcc:
        """Made of what it keeps; ``user`` makes Service Requests."""
        profiles = {one.address.title: self.profiles[n] for n, one in self.meters.items()}
        suites = suites_of_meters(profiles)
        rings = {}
        for actor in SCOPES:
            secrets = scope_secrets(FLEET_SECRET, SCOPES[actor])
            more = self.system.transport_secrets(actor) if transport else {}
            rings[actor] = KeyRing({**secrets, **more}, suites)
        ledger = Ledger()
        counters = CounterFile(self.folder / "counters.json")
        custody = {
            actor: Custody([SoftwareModule(ring)], LETTER, Mode.OBSERVE, ledger)
            for actor, ring in rings.items()
        }
        database = Database(sqlite_url(self.folder / "dcc.db"))
        own = {Actor.DCO: Database(sqlite_url(self.folder / "dco.db"))}
        inventory = Inventory(database, self.clock.now)
        now = dt.datetime.now(dt.UTC)
        users = [
            enrolled(signer.chain_pem, self.pki.trust(), name, "supplier", now)
            for name, signer in self.signers.items()
        ]
        enrolment = enrol_users(FLEET_SECRET, users, access(inventory))
        means = Means(
            custody[Actor.DCC],
            lambda: enrolment,
            self.users[user],
            lambda actor: own.get(actor, database),
            self.clock.now,
        )
        store, holds = KeyStore(database), Holds(self.folder / "holds")
        kept = {
            actor: Wrapping(store, storage_key(actor), lambda key: None)
            for actor in (Actor.S1SP, Actor.DCO)
        }
        head_end = assemble(
            custody.__getitem__,
            self.credential,
            self.pki.trust(),
            means,
            counters=partial(FiledCounters, counters, floors=floors),
            tokens=FiledTokenCounters(counters),
            handed=lambda actor: StoredHandedKeys(kept[actor]),
            known=lambda actor: StoredKnownKeys(kept[actor], holds),
        )
        return Dcc(
            head_end,
            ledger,
            EnrolmentStore(database, self.clock.now),
            inventory,
            rings,
        )

    def authorise(self, name: str, kind: Kind = Kind.ACTIVE, **changes: Any) -> Authorisation:
        profile, address = self.profiles[name], self.meters[name].address
        return Authorisation(
            supplier=SUPPLIER,
            device=device_id(address.title),
            kind=kind,
            manufacturer=profile.manufacturer,
            model=profile.model,
            firmware=factory_firmware(profile),
            serial=address.serial,
            moment=NOON,
        )._replace(**changes)

    def plan(self, dcc: Dcc, name: str, kind: Kind = Kind.ACTIVE, **changes: Any) -> Record:
        paper = self.authorise(name, kind, **changes)
        title, profile = self.meters[name].address.title, self.profiles[name]
        record = dcc.store.plan(title, name, paper)
        dcc.inventory.notify(device_id(title), name, profile, factory_firmware(profile), SUPPLIER)
        return record

    def case(self, dcc: Dcc, name: str, **changes: Any) -> Case:
        address = self.meters[name].address
        record = dcc.store.find(address.title)
        assert record is not None
        source: KeySource = Export(self.system)

        async def true_time() -> dt.datetime:
            return self.clock.now()

        fields: dict[str, Any] = {
            "record": record,
            "meter": address,
            "profile": self.profiles[name],
            "head_end": dcc.head_end,
            "former": Former(self.system.title, self.system.migration_credential()),
            "source": source,
            "prove": self.client.try_everything,
            "store": dcc.store,
            "inventory": dcc.inventory,
            "ineligible": any_product,
            "true_time": true_time,
        }
        return Case(**{**fields, **changes})

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def enrol(self, dcc: Dcc, name: str, **changes: Any) -> Record:
        return await enrol(self.case(dcc, name, **changes), self.pause)


@pytest.fixture(scope="session")
def supplier_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its keys and certificates are made once."""
    folder = tmp_path_factory.mktemp("suppliers") / SUPPLIER
    SupplierSystem.create(SUPPLIER, folder)
    return folder


@pytest.fixture
def make_world(
    tmp_path: Path, pki: Any, supplier_folder: Path, clock: VirtualClock
) -> Callable[[], World]:
    def make(name: str = "world") -> World:
        folder = tmp_path / name
        folder.mkdir()
        return World(folder, pki, SupplierSystem(SUPPLIER, supplier_folder), clock)

    return make


@pytest.fixture
def world(make_world: Callable[[], World]) -> World:
    return make_world()
