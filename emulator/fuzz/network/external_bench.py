"""The clients' side of a run on another's meter."""

from __future__ import annotations

import datetime as dt
import weakref
from dataclasses import replace

from devices.profile.model import AssociationRow
from dlms.association.knobs import STRICT
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.conformance.declaration.model import DeclaredAssociation
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.bench import Bench
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.wire import HungUp
from emulator.fuzz.in_process.world import turned
from emulator.fuzz.network.declared_rows import public_of, row_of
from emulator.fuzz.network.external_meter import ExternalMeter
from emulator.fuzz.network.intentions import check_octets
from emulator.fuzz.network.route_wire import RouteWire
from emulator.fuzz.network.told_open import ToldOpen
from emulator.fuzz.setting import Setting
from emulator.fuzz.twist import Twist


class ExternalBench(Bench):
    """Connections are dropped when it is forgotten; keys and counters stay with the ``meter``."""

    def __init__(self, meter: ExternalMeter, setting: Setting) -> None:
        declaration = meter.device.declaration
        super().__init__(setting.clients, setting.seed, declaration.title)
        self.meter = meter
        self.vectors = meter.vectors
        self.breaches: list[str] = []
        self.told_open = ToldOpen()
        self._heard_of = len(self.vectors.breaches)
        check = (lambda apdu: None) if meter.destructive else check_octets
        wire = RouteWire(meter.device.route, declaration.timing, check, meter.pace)
        self.wire = wire
        self.close = weakref.finalize(self, wire.close)

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def declared(self, name: str) -> DeclaredAssociation:
        """``ValueError`` if there is no such association."""
        try:
            return self.meter.device.declaration.association(name)
        except KeyError:
            raise ValueError(f"no association {name} is declared") from None

    def make_client(self, name: str, kind: ClientKind) -> BenchClient:
        declared = self.declared(kind.association)
        row: AssociationRow = row_of(declared)
        party = self.meter.party(declared)
        title = party.title if kind.title is None else kind.title
        client = BenchClient(
            name, kind, row, party, self.title, title, {}, (), turned(STRICT, kind.knobs)
        )
        if declared.users:
            client.config = replace(client.config, user=declared.users[0])
            client.renew()
        return client

    def carried(self, client: BenchClient, apdu: bytes, twist: Twist) -> tuple[bytes, ...]:
        if not self.wire.is_up(client.name):
            self.told_open.gone(client.name)
        try:
            replies = super().carried(client, apdu, twist)
        except HungUp:
            self.told_open.gone(client.name)
            raise
        self.told_open.heard(self, client, apdu, replies)
        for reply in replies:
            self.breaches += self.meter.meter_vectors.heard(client, reply)
        return replies

    def note_vectors(self) -> None:
        """Take over what the look-out for vectors has said, which goes on from run to run."""
        self.breaches += self.vectors.breaches[self._heard_of :]
        self._heard_of = len(self.vectors.breaches)

    def hang(self, client: BenchClient) -> None:
        super().hang(client)
        self.told_open.gone(client.name)

    def counter_of(self, client: BenchClient) -> tuple[BenchClient, AttributeDescriptor]:
        declared = self.declared(client.kind.association)
        public = public_of(self.meter.device.declaration, declared.server_sap)
        if not declared.counter_from or public is None:
            raise ValueError(f"nobody shows the counter of {declared.name}")
        name = f"the public client at {public.server_sap}"
        self.kinds.setdefault(name, ClientKind(association=public.name))
        return self.client(name), AttributeDescriptor(1, declared.counter_from, 2)
