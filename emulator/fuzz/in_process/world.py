"""Both ends, with a meter of our own: what the actions of a run are carried out on."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from devices.certificates import StoredCertificate
from devices.profile import Profile
from devices.profile.knobs import parse_knobs
from devices.profile.place import Place
from dlms.association.knobs import STRICT, Knobs
from emulator import profiles
from emulator.custody import Errand
from emulator.faults import Fault
from emulator.fuzz import actions
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.bench import Bench
from emulator.fuzz.in_process.channel import TlsPort
from emulator.fuzz.in_process.client import BenchClient, Party
from emulator.fuzz.in_process.kept import PowerCut
from emulator.fuzz.in_process.meter import SERIAL, BenchMeter
from emulator.fuzz.in_process.planting import planted
from emulator.fuzz.in_process.seeded import SeededModule
from emulator.fuzz.in_process.wire import HungUp, PeerWire, Wire
from emulator.fuzz.twist import Twist
from emulator.head_end.party import ASSOCIATIONS, CATEGORIES
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.policy import Actor, Purpose
from emulator.provisioning import Fleet, anchors, client_title, provision

SECRET = hashlib.sha256(b"cosemlab fuzz, test keys only").digest()
"""What all keys of a run come from: public, so nothing that a run shows is a secret of anybody."""

BEGIN = dt.datetime(2025, 1, 1, 12, tzinfo=dt.UTC)
"""True time when a run begins."""


class World(Bench):
    """``kinds`` are the clients by name; a name that is that of an association needs none."""

    def __init__(
        self,
        profile: Profile,
        kinds: Mapping[str, ClientKind],
        seed: str,
        knobs: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        super().__init__(kinds, seed, profile.system_title(SERIAL))
        self.profile = profile
        self.planted: list[actions.Plant] = []
        self._faults: list[Fault] = []
        self.made, self.anchors = _made(profile)
        titles = {
            row.name: client_title(row, {})
            for row in profile.associations.values()
            if row.config.needs_title
        }
        self.meter = BenchMeter(
            profile,
            SECRET,
            seed,
            BEGIN,
            made=self.made,
            anchors=self.anchors,
            titles=titles,
            vectors=self.vectors,
        )
        self.wire = self.make_wire()
        self.knobs = dict(knobs or {})
        self.configure()
        self.first_image = self.meter.image.copy()

    def configure(self) -> None:
        """Turn the knobs that the run has turned; a meter that begins anew has them too."""
        for association, changes in self.knobs.items():
            row = self.profile.associations[association]
            changed = turned(row.config.knobs, changes)
            self.meter.device.misconfigure(association, {"knobs": changed})
        while self._faults:  # they were in what has lost its power
            self._faults.pop().end()
        for plant in self.planted:
            self._plant(plant)
        self.meter.host.memory.commit()  # what was turned is there before anything is done

    def make_wire(self) -> Wire:
        """What leads to the meter: nothing but this process."""
        return PeerWire(self.meter)

    def now(self) -> dt.datetime:
        return self.meter.now

    def plant(self, plant: actions.Plant) -> None:
        """A defect of the meter's from now on, over losses of power too."""
        self.planted.append(plant)
        self._plant(plant)
        self.meter.host.memory.commit()

    def _plant(self, plant: actions.Plant) -> None:
        self._faults.append(planted(self.meter, plant, lambda: self.tls_port().presented))

    # Who is there ---------------------------------------------------------------------------------

    def make_client(self, name: str, kind: ClientKind) -> BenchClient:
        row = self.profile.associations.get(kind.association)
        if row is None:
            raise ValueError(f"{self.profile.name} has no association {kind.association}")
        title = client_title(row, {}) if kind.title is None else kind.title
        party = self._party(kind.shares or name, title, row.name)
        knobs = turned(STRICT, kind.knobs)
        return BenchClient(
            name,
            kind,
            row,
            party,
            self.meter.device.title,
            title,
            self.made,
            tuple(one for one in self.anchors if one in self.meter.device.anchors_of(row)),
            knobs,
        )

    def _party(self, name: str, title: bytes, association: str) -> Party:
        if name not in self.parties:
            seed = f"{self.seed}/client {name}"
            ring = KeyRing(SECRET, suites_of(self.profile))
            module = SeededModule(ring, seed)
            party = Party(name, title, ring, module, self.vectors)
            # Who calls itself what the meter is called is an attacker, and may repeat the meter's.
            party.is_watched = title != self.meter.device.title
            actor = ASSOCIATIONS.get(association, Actor.DCC)
            category, device = CATEGORIES[self.profile.category], self.title.hex().upper()
            party.tagging.errand = Errand(actor, device, category, Purpose.GENERATE_INSTRUCTION)
            self.parties[name] = party
        return self.parties[name]

    def tls_port(self) -> TlsPort:
        """The meter's."""
        return self.wire.tls_port()

    # The line -------------------------------------------------------------------------------------

    def carried(self, client: BenchClient, apdu: bytes, twist: Twist) -> tuple[bytes, ...]:
        if self.meter.is_dead:
            return ()
        self.meter.twisted(twist, client.row.name)
        try:
            replies = self.wire.carry(client, apdu)
        except HungUp:
            if not self.meter.writes.have_failed:
                raise
            self.power_cycle()
            return ()
        except PowerCut:
            self.power_cycle()
            return ()
        finally:
            self.meter.straight()
        self.meter.device.outbox.take_announcements()
        if self.meter.device.restart_wanted:
            self.power_cycle()
        return replies

    def power_cycle(self) -> None:
        """The meter loses its power and begins anew; all connections are gone.
        :class:`~emulator.journal.StoreError` if it cannot read what it kept.
        """
        self.wire.drop()
        self.meter.lose_power()
        self.configure()


def turned(knobs: Knobs, changes: Mapping[str, object]) -> Knobs:
    """``knobs`` with some of them as profiles write them. ``ValueError`` if there is no such."""
    if not changes:
        return knobs
    parsed = parse_knobs(dict(changes), Place("scenario").at("knobs"))
    return replace(knobs, **{name: getattr(parsed, name) for name in changes})


_DECLARED: dict[str, Profile] = {}


def declare(profile: Profile) -> None:
    """From now on, :func:`compiled` knows it by its name: what is declared of another's meter."""
    _DECLARED[profile.name] = profile


def compiled(name: str) -> Profile:
    """A profile by name, compiled once in a process."""
    return _DECLARED[name] if name in _DECLARED else _loaded(name)


@cache
def _loaded(name: str) -> Profile:
    return profiles.load(name)


_MADE: dict[str, Any] = {}


def _made(
    profile: Profile,
) -> tuple[dict[str, tuple[StoredCertificate, ...]], tuple[StoredCertificate, ...]]:
    """What the factory puts into a meter of that profile, worked out once in a process."""
    found = _MADE.get(profile.name)
    if found is None:
        fleet, ring = Fleet(SECRET), KeyRing(SECRET, suites_of(profile))
        made = provision(profile, SERIAL, ring, fleet, {}, BEGIN)
        found = _MADE[profile.name] = made, anchors(profile, fleet, BEGIN)
    made_, anchors_ = found
    return made_, anchors_
