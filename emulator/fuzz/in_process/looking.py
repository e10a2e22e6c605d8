"""What is observed of both ends, and the look-out for what must never be, after every step."""

from __future__ import annotations

import hashlib

from devices.prepayment import account
from dlms.security.counters import CounterRow
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import KeyUnavailable
from emulator.fuzz.in_process.client import FIELDS, BenchClient
from emulator.fuzz.in_process.meter import BenchMeter
from emulator.fuzz.in_process.overhearing import Overhearing
from emulator.fuzz.in_process.world import World
from emulator.fuzz.target import Facts, Passed


class LookOut:
    """What it remembers of the steps before: counters, and what was on the line."""

    def __init__(self) -> None:
        self.counters: dict[KeyRef, CounterRow] = {}
        self._overhearing = Overhearing()

    def look(self, world: World) -> Facts:
        """What can be observed of both ends."""
        meter = world.meter
        device, state = meter.device, meter.device.state
        floors, sends, versions = {}, {}, {}
        for row in device.profile.associations.values():
            if row.security_setup is None:
                continue
            for kind in (KeyKind.GUEK, KeyKind.GBEK):
                ref, name = device.key(row.name, kind), f"{row.name}/{kind.name}"
                floors[name] = state.counters.floor(ref)
                sends[name] = state.counters.next_to_send(ref)
        for (scope, kind), version in state.key_versions.items():
            versions[f"{scope}/{kind.name}"] = version
        return Facts(
            digest=_digest(meter),
            floors=floors,
            sends=sends,
            versions=versions,
            agree={name: _agrees(meter, one) for name, one in world.clients.items()},
            open=world.wire.associated(),
            happened=tuple(
                event.text.partition(" ")[2] for event in meter.events if event.kind == "happening"
            ),
            balance=None if account.account_of(device) is None else account.balance(device),
            breaches=tuple(world.vectors.breaches),
        )

    def look_out(self, world: World, line: tuple[Passed, ...]) -> None:
        """The invariants that hold after every step."""
        meter, breaches = world.meter, world.vectors.breaches
        rows = {row.ek: row for row in meter.device.state.counters.snapshot()}
        for ref, before in self.counters.items():
            after = rows.get(ref)
            if after is None:
                used = before.floor or before.next_to_send
                long_lived = ref.lifetime is KeyLifetime.LONG_LIVED
                if used and long_lived and meter.ring.holds(ref):
                    breaches.append(f"I2: the counters of {ref} are gone")
            elif (
                after.floor < before.floor or after.next_to_send < before.next_to_send
            ) and ref.lifetime is KeyLifetime.LONG_LIVED:
                breaches.append(f"I2: a counter of {ref} goes back")
        self.counters = rows
        for (scope, kind), version in meter.device.state.key_versions.items():
            ref = KeyRef(meter.device.title, scope, kind, version=version)
            gone = (scope, kind) in meter.device.state.destroyed
            if not meter.ring.holds(ref) and not gone:
                breaches.append(f"I4: {ref} is in force and is not there")
        rings = [meter.ring, *(one.party.ring for one in world.clients.values())]
        breaches += self._overhearing.look_out(line, rings)
        for party in world.parties.values():
            breaches += party.tagging.look_out()


def _digest(meter: BenchMeter) -> str:
    """All that the meter remembers but counters, and the keys themselves."""
    whole = hashlib.sha256(meter.device.state.digest())
    for ref, key in sorted(meter.ring.lasting.items(), key=lambda item: str(item[0])):
        whole.update(f"{ref}".encode() + hashlib.sha256(key).digest())
    return whole.hexdigest()[:16]


def _agrees(meter: BenchMeter, client: BenchClient) -> bool:
    """Whether both ends have the same global keys."""
    if client.row.security_setup is None:
        return True
    mine = client.keys
    theirs = meter.device.keys(client.row)
    for field in FIELDS.values():
        ref, own = getattr(theirs, field), getattr(mine, field)
        if ref is not None and own is not None:
            try:
                same = meter.ring.get(ref) == client.party.ring.get(own)
            except KeyUnavailable:
                return False
            if not same:
                return False
    return True
