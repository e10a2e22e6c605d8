"""The folder in which a sandbox and the commands that talk to it find each other.

It holds the test PKI, the parties' certificates, the fleet secret, the counters already used and,
while a sandbox is up, where its meters listen. It is private: directory 0700, secrets 0600.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.engine import URL

from devices.profile import Document
from emulator.counter_file import CounterFile
from emulator.custody import Custody
from emulator.database import Database, sqlite_url
from emulator.enrolment.access import access
from emulator.enrolment.inventory import Inventory
from emulator.head_end.enrolling import enrol
from emulator.head_end.party import LISTENER, SCOPES, TITLES
from emulator.head_end.requesting import Means
from emulator.keystore.holds import Holds
from emulator.keystore.store import KeyStore
from emulator.memory.kept_memories import KeptMemories
from emulator.meter_address import MeterAddress
from emulator.module_file import ModuleFile
from emulator.modules.keyring import scope_secrets
from emulator.policy import Actor
from emulator.requests.enrolment import SUPPLIER, Enrolment, enrolled
from emulator.requests.user import ROLES, User, eui_of
from emulator.seen_alerts import SeenAlerts
from emulator.serving.pushing import Address
from emulator.supplier.archive import Archive
from emulator.supplier.system import SupplierSystem, checked_name
from tls.credentials import CertificateChain, Credential
from tls.files import private_directory, read_private, write_private
from tls.pki import TestPki

SECRET_LENGTH = 32
DATABASE = "dcc.db"
"""The DCC side's database, where no other is named."""
CONTROL = "control.sock"
"""The control socket of a sandbox that is up (:mod:`emulator.control.server`)."""


class WorkspaceError(Exception):
    """The workspace is not usable for what was asked; the text says what to do."""


class Workspace:
    """``path`` is made with everything in it on the first use."""

    def __init__(self, path: Path) -> None:
        self.path = private_directory(path)
        secret = path / "fleet.secret"
        if not secret.exists():
            self._make(secret)
        self.fleet_secret = read_private(secret)
        self.pki = TestPki.load(path / "pki")

    def database(self, url: str | None = None) -> Database:
        """The DCC side's: ``url``, or else a file of the workspace."""
        return self._opened(url or sqlite_url(self.path / DATABASE))

    @property
    def counters(self) -> CounterFile:
        """What the commands have sent and received; several may run at once."""
        return CounterFile(self.path / "counters.json")

    def key_store(self, url: str | None = None) -> KeyStore:
        """The keys that the head end has made, wrapped, in the DCC side's database."""
        return KeyStore(self.database(url))

    @property
    def holds(self) -> Holds:
        """Who is about to change what: one hand at a time, whatever the database."""
        return Holds(self.path / "holds")

    @property
    def modules(self) -> ModuleFile:
        """The tokens in which the parties have their keys."""
        return ModuleFile(self.path)

    def memories(self) -> KeptMemories:
        """What the meters remember, for one sandbox at a time."""
        return KeptMemories(self.path, self.fleet_secret)

    def scope_secrets(self, actor: Actor, others: Iterable[str] = ()) -> dict[str, bytes]:
        """What a party's keys come from, and no other party's."""
        return scope_secrets(self.fleet_secret, (*SCOPES[actor], *others))

    def credential(self, actor: Actor) -> Credential:
        """The S1SP's certificate for TLS with meters. The DCO has none."""
        return Credential.load(self.path / "parties", actor.value.lower())

    def user(self, name: str = SUPPLIER) -> User:
        """A User of the laboratory. Its key is in the workspace, as everybody's is here.
        :class:`WorkspaceError` if nobody is called so.
        """
        if name not in self._roles():
            raise WorkspaceError(f"no User {name!r}; there are {', '.join(self._roles())}")
        eui = eui_of(name)
        counter = f"user {eui.hex().upper()}"
        return User.of(self._user_credential(name), lambda: self.counters.reserve(counter, 1, 1))

    def admit_supplier(self, name: str) -> None:
        """A supplier is a User from now on, if it was none."""
        self._user_credential(checked_name(name))

    def inventory(self, url: str | None = None) -> Inventory:
        """The Smart Metering Inventory, in the DCC side's database."""
        return Inventory(self.database(url), partial(dt.datetime.now, dt.UTC))

    def enrolment(self, url: str | None = None) -> Enrolment:
        """Whose signatures count: those of the Users whose certificates are of this PKI. Who may
        have a device served says the inventory of the database at ``url``.
        """
        now, trust = dt.datetime.now(dt.UTC), self.pki.trust()
        users = [
            enrolled(self._user_credential(name).chain_pem, trust, name, role, now)
            for name, role in self._roles().items()
        ]
        return enrol(self.fleet_secret, users, access(self.inventory(url)))

    def party_database(self, actor: Actor, url: str | None = None) -> Database:
        """What a party of the DCC keeps. The DCO's is its own, out of reach of the S1SP."""
        if actor is Actor.DCO:
            return self._opened(sqlite_url(self.path / "dco.db"))
        return self.database(url)

    def _opened(self, url: str | URL) -> Database:
        """Once for each: those who keep something in it share its connections."""
        if url not in self._databases:
            self._databases[url] = Database(url)
        return self._databases[url]

    @cached_property
    def _databases(self) -> dict[str | URL, Database]:
        return {}

    def means(self, dsp: Custody, user: str = SUPPLIER, url: str | None = None) -> Means:
        """What requests need, with the DCC's cryptography by ``dsp``, and what is kept of them in
        the database at ``url``.
        """
        databases = partial(self.party_database, url=url)
        return Means(dsp, partial(self.enrolment, url), self.user(user), databases)

    def listener_credential(self) -> Credential:
        """The certificate by which meters know the party that takes alerts; made when it first
        listens.
        """
        parties, name = self.path / "parties", f"{LISTENER.value.lower()}-listener"
        if not (parties / f"{name}.pem").exists():
            (parties / f"{name}.key").unlink(missing_ok=True)  # of one that was only half made
            made = self.pki.issue_listener(TITLES[LISTENER], f"{LISTENER.value} alerts")
            made.save(parties, name)
        return Credential.load(parties, name)

    def module_chain(self, actor: Actor, public: ec.EllipticCurvePublicKey) -> CertificateChain:
        """The certificate of a party whose private key is in a module, which shows ``public``.
        Made when that key is shown for the first time.
        """
        make = partial(self.pki.certify_client, TITLES[actor], actor.value, public)
        return self._kept_chain(f"{actor.value.lower()}-module", public, make)

    def listener_module_chain(self, public: ec.EllipticCurvePublicKey) -> CertificateChain:
        """The same, of the party that takes alerts."""
        make = partial(
            self.pki.certify_listener, TITLES[LISTENER], f"{LISTENER.value} alerts", public
        )
        return self._kept_chain(f"{LISTENER.value.lower()}-listener-module", public, make)

    def _kept_chain(
        self, name: str, public: ec.EllipticCurvePublicKey, make: Callable[[], CertificateChain]
    ) -> CertificateChain:
        path = self.path / "parties" / f"{name}.pem"
        if path.exists():
            kept = CertificateChain(chain_pem=path.read_bytes())
            if kept.leaf.public_key() == public:
                return kept
        made = make()
        fresh = path.with_suffix(".new")
        fresh.write_bytes(made.chain_pem)
        fresh.replace(path)
        return made

    # Suppliers' own systems, which are not the DCC's ----------------------------------------------

    def supplier(self, name: str, *, make: bool = False) -> SupplierSystem:
        """:class:`WorkspaceError` if there is none of that name and it is not to be made."""
        folder = self._suppliers / checked_name(name)
        if not (folder / "secret").exists():
            if not make:
                raise WorkspaceError(f"no supplier {name!r}; 'cosemlab up --supplier' makes one")
            if folder.exists():
                raise WorkspaceError(f"{folder} is only half made: remove it and start again")
            private_directory(self._suppliers)
            return SupplierSystem.create(name, folder)
        return SupplierSystem(name, folder)

    def suppliers(self) -> dict[str, SupplierSystem]:
        """All that there are, by name."""
        if not self._suppliers.exists():
            return {}
        names = sorted(path.parent.name for path in self._suppliers.glob("*/secret"))
        return {name: self.supplier(name) for name in names}

    def archive(self, supplier: str) -> Archive:
        """What a supplier's system leaves behind."""
        return Archive(self._suppliers / checked_name(supplier) / "archive")

    def cease(self, supplier: str) -> None:
        """The system of a supplier is no more: it exports nothing."""
        (self._suppliers / checked_name(supplier) / "ceased").touch()

    def has_ceased(self, supplier: str) -> bool:
        return (self._suppliers / checked_name(supplier) / "ceased").exists()

    @property
    def _suppliers(self) -> Path:
        return self.path / "suppliers"

    def seen_alerts(self) -> SeenAlerts:
        """The alerts that were handed on, for one listener at a time."""
        return SeenAlerts(self.path / "alerts-seen.json")

    def _roles(self) -> dict[str, str]:
        """Of the Users: those that there always are, and suppliers that have come since."""
        come = sorted(path.stem for path in (self.path / "users").glob("*.pem"))
        return {**ROLES, **{name: SUPPLIER for name in come if name not in ROLES}}

    def _user_credential(self, name: str) -> Credential:
        """Made when it is first asked for."""
        users = self.path / "users"
        if not (users / f"{name}.pem").exists():
            (users / f"{name}.key").unlink(missing_ok=True)  # of one that was only half made
            self.pki.issue_signer(eui_of(name), name).save(users, name)
        return Credential.load(users, name)

    def _make(self, secret: Path) -> None:
        if (self.path / "pki").exists():
            raise WorkspaceError(f"{self.path} is only half made: remove it and start again")
        pki = TestPki.create(now=dt.datetime.now(dt.UTC))
        pki.save(self.path / "pki")
        credential = pki.issue_client(TITLES[Actor.S1SP], Actor.S1SP.value)
        credential.save(self.path / "parties", Actor.S1SP.value.lower())
        fleet_secret = secrets.token_bytes(SECRET_LENGTH)
        KeptMemories.create(self.path, fleet_secret)
        # The secret is written last: where it is, everything is.
        write_private(secret, fleet_secret)

    # Where the meters are -----------------------------------------------------------------------

    def announce(
        self,
        meters: Iterable[MeterAddress],
        documents: Mapping[str, Document],
        installers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write down where the meters listen, and all that their profiles say, by meter: a profile
        may come from a file that is changed while its meter is up. ``installers`` are the suppliers
        that have installed meters.
        """
        rows = [{**meter._asdict(), "title": meter.title.hex()} for meter in meters]
        tables = {name: document.table for name, document in documents.items()}
        document = {"meters": rows, "profiles": tables, "installers": dict(installers)}
        self._sandbox.write_text(json.dumps(document) + "\n")

    def withdraw(self) -> None:
        self._sandbox.unlink(missing_ok=True)

    def meters(self) -> dict[str, MeterAddress]:
        """Where the meters listen. :class:`WorkspaceError` if no sandbox is up."""
        return {
            row["name"]: MeterAddress(**{**row, "title": bytes.fromhex(row["title"])})
            for row in self._announced()["meters"]
        }

    def announced_at(self) -> int:
        """When that was written down, as a number that is another one the next time; 0 if no
        sandbox is up.
        """
        try:
            return self._sandbox.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def document(self, meter: str) -> Document:
        """What the profile of a running meter says. :class:`WorkspaceError` if no sandbox is up."""
        return Document(f"{meter}.toml", self._announced()["profiles"][meter], {})

    def installer(self, meter: str) -> str:
        """The supplier that has installed a running meter; empty if none has."""
        return str(self._announced().get("installers", {}).get(meter, ""))

    def _announced(self) -> dict[str, Any]:
        try:
            announced: dict[str, Any] = json.loads(self._sandbox.read_text())
        except FileNotFoundError:
            raise WorkspaceError(
                f"no sandbox is up in {self.path}: start one with 'cosemlab up'"
            ) from None
        return announced

    # Where the head end listens for alerts --------------------------------------------------------

    def listen_at(self, address: Address) -> None:
        """Write down where the head end listens. A sandbox may look at any moment."""
        fresh = self._listener.with_suffix(".new")
        fresh.write_text(json.dumps(address._asdict()) + "\n")
        fresh.replace(self._listener)

    def listen_no_more(self) -> None:
        self._listener.unlink(missing_ok=True)

    def listening_since(self) -> int:
        """As :meth:`announced_at`, of the listener."""
        try:
            return self._listener.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def listener(self) -> Address | None:
        """Where the head end listens; ``None`` if it does not."""
        try:
            return Address(**json.loads(self._listener.read_text()))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError):
            raise WorkspaceError(f"{self._listener} is damaged: remove it") from None

    @property
    def _listener(self) -> Path:
        return self.path / "listener.json"

    @property
    def _sandbox(self) -> Path:
        return self.path / "sandbox.json"
