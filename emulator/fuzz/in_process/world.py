"""Both ends and the line between them: what the actions of a run are carried out on."""

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
from dlms.axdr.data import Data
from dlms.security.drive import run as drive
from dlms.security.ops import Step
from emulator import profiles
from emulator.faults import Fault
from emulator.fuzz import actions
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.altering import Execute, Vectors, altering, signing
from emulator.fuzz.in_process.channel import Shaken, TlsPort
from emulator.fuzz.in_process.client import BenchClient, Party
from emulator.fuzz.in_process.kept import PowerCut
from emulator.fuzz.in_process.meter import SERIAL, BenchMeter
from emulator.fuzz.in_process.planting import planted
from emulator.fuzz.target import Direction, Passed
from emulator.fuzz.twist import STRAIGHT, Lost, Twist, edited
from emulator.key_suites import suites_of
from emulator.modules.keyring import KeyRing
from emulator.provisioning import Fleet, anchors, client_title, provision
from emulator.serving.peer import Peer, Unable

SECRET = hashlib.sha256(b"cosemlab fuzz, test keys only").digest()
"""What all keys of a run come from: public, so nothing that a run shows is a secret of anybody."""

BEGIN = dt.datetime(2025, 1, 1, 12, tzinfo=dt.UTC)
"""True time when a run begins."""

MAX_LINE = 65536
"""APDUs of a run that are kept."""


class HungUp(Exception):
    """The meter ended the connection instead of answering."""


class World:
    """``kinds`` are the clients by name; a name that is that of an association needs none."""

    def __init__(
        self,
        profile: Profile,
        kinds: Mapping[str, ClientKind],
        seed: str,
        knobs: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.profile = profile
        self.kinds = dict(kinds)
        self.seed = seed
        self.vectors = Vectors()
        self.line: list[Passed] = []
        self.steps: list[tuple[Passed, ...]] = []
        self.values: list[Data | None] = []
        self.planted: list[actions.Plant] = []
        self._faults: list[Fault] = []
        self.channels: dict[str, bytes | None] = {}
        """Of clients that have a channel and have said nothing in it, whose it is."""
        self.port: TlsPort | None = None
        self.clients: dict[str, BenchClient] = {}
        self._parties: dict[str, Party] = {}
        self.peers: dict[str, Peer] = {}
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

    def plant(self, plant: actions.Plant) -> None:
        """A defect of the meter's from now on, over losses of power too."""
        self.planted.append(plant)
        self._plant(plant)
        self.meter.host.memory.commit()

    def _plant(self, plant: actions.Plant) -> None:
        self._faults.append(planted(self.meter, plant, lambda: self.tls_port().presented))

    # Who is there ---------------------------------------------------------------------------------

    def client(self, name: str) -> BenchClient:
        """``ValueError`` if there is none of that name."""
        found = self.clients.get(name)
        if found is None:
            found = self.clients[name] = self._make(name)
        return found

    def _make(self, name: str) -> BenchClient:
        kind = self.kinds.get(name) or ClientKind(association=name)
        row = self.profile.associations.get(kind.association)
        if row is None:
            raise ValueError(f"{self.profile.name} has no association {kind.association}")
        self.kinds[name] = kind
        title = client_title(row, {}) if kind.title is None else kind.title
        party = self._party(kind.shares or name, title)
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

    def _party(self, name: str, title: bytes) -> Party:
        if name not in self._parties:
            seed = f"{self.seed}/client {name}"
            party = Party(name, title, self.profile, SECRET, seed, self.vectors)
            # Who calls itself what the meter is called is an attacker, and may repeat the meter's.
            party.is_watched = title != self.meter.device.title
            self._parties[name] = party
        return self._parties[name]

    # The line -------------------------------------------------------------------------------------

    def peer(self, client: BenchClient) -> Peer:
        if client.name not in self.peers:
            title = self.channels.pop(client.name, client.kind.channel_title)
            self.peers[client.name] = Peer(self.meter.host, client.name, title)
        return self.peers[client.name]

    def connect(self, client: BenchClient, action: actions.Connect) -> Shaken:
        """A new channel of the client's, in the place of the one before."""
        self.hang(client)
        title = client.config.own_title or b""
        shaken = self.tls_port().connect(
            client.name,
            title,
            resume=action.resume,
            days=action.days,
            garbage=action.garbage,
        )
        if not shaken.why:
            self.channels[client.name] = shaken.title
        return shaken

    def tls_port(self) -> TlsPort:
        if self.port is None:
            self.port = TlsPort(self.meter.device.title)
        return self.port

    def hang(self, client: BenchClient) -> None:
        """The connection ends, and with it the association at both ends."""
        peer = self.peers.pop(client.name, None)
        if peer is not None:
            peer.close()

    def exchange(
        self, client: BenchClient, apdu: bytes, twist: Twist = STRAIGHT
    ) -> tuple[bytes, ...]:
        """One APDU to the meter, and what comes back of its answers. :class:`HungUp` if the
        connection has ended instead.
        """
        apdu = edited(apdu, twist.octets)
        if twist.lose is Lost.REQUEST:
            self._passed(Direction.LOST, client, apdu)
            return ()
        self._passed(Direction.SENT, client, apdu)
        if self.meter.is_dead:
            return ()
        self.meter.twisted(twist, client.row.name)
        try:
            replies = self.peer(client).serve(*client.pair, apdu) or ()
        except Unable as error:
            if self.meter.writes.have_failed:
                self.power_cycle()
                return ()
            self.hang(client)
            raise HungUp(str(error)) from error
        except PowerCut:
            self.power_cycle()
            return ()
        finally:
            self.meter.straight()
        self.meter.device.outbox.take_announcements()
        if self.meter.device.restart_wanted:
            self.power_cycle()
        heard = tuple(edited(reply, twist.answer) for reply in replies)
        lost = twist.lose is Lost.RESPONSE
        for reply in heard:
            self._passed(Direction.LOST if lost else Direction.RECEIVED, client, reply)
        return () if lost else heard

    def _passed(self, direction: Direction, client: BenchClient, octets: bytes) -> None:
        if len(self.line) < MAX_LINE:
            self.line.append(Passed(direction, client.name, octets))

    def power_cycle(self) -> None:
        """The meter loses its power and begins anew; all connections are gone.
        :class:`~emulator.journal.StoreError` if it cannot read what it kept.
        """
        self.peers.clear()
        self.meter.lose_power()
        self.configure()

    # Steps of the client's ------------------------------------------------------------------------

    def executing(self, client: BenchClient, twist: Twist) -> Execute:
        """How the client's operations are carried out."""
        way: Execute = client.party.execute
        if twist.seal is not None or twist.mac is not None:
            # An attacker repeats what he likes: the look-out is for honest parties.
            module, title = client.party.module, client.config.own_title or b""
            way = altering(module.execute, twist.seal, twist.mac, client.key, title)
        if twist.public or twist.sign:
            way = signing(way, twist.public, twist.sign)
        return way

    def run(self, client: BenchClient, step: Step[Any], twist: Twist = STRAIGHT) -> Any:
        return drive(step, self.executing(client, twist))


def turned(knobs: Knobs, changes: Mapping[str, object]) -> Knobs:
    """``knobs`` with some of them as profiles write them. ``ValueError`` if there is no such."""
    if not changes:
        return knobs
    parsed = parse_knobs(dict(changes), Place("scenario").at("knobs"))
    return replace(knobs, **{name: getattr(parsed, name) for name in changes})


@cache
def compiled(name: str) -> Profile:
    """A profile by name, compiled once in a process."""
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
