"""The look-out for what must never be, after every step."""

from __future__ import annotations

from dlms.security.counters import CounterRow
from dlms.security.keys import KeyLifetime, KeyRef
from emulator.fuzz.in_process.observing import Observer
from emulator.fuzz.in_process.overhearing import Overhearing
from emulator.fuzz.in_process.world import World
from emulator.fuzz.target import Facts, Passed

_FIRST = 1
"""The highest first counter there is: one that says no more may not have been used, and is not kept
then. What was used comes again as a vector.
"""


class LookOut:
    """What it remembers of the steps before: counters, and the challenges of the meter's."""

    def __init__(self) -> None:
        self.counters: dict[KeyRef, CounterRow] = {}
        self._overhearing = Overhearing()
        self._observer = Observer()

    def look(self, world: World) -> Facts:
        """What can be observed of both ends."""
        return self._observer.look(world)

    def look_out(self, world: World, line: tuple[Passed, ...]) -> None:
        """The invariants that hold after every step."""
        meter, breaches = world.meter, world.vectors.breaches
        rows = {row.ek: row for row in meter.device.state.counters.snapshot()}
        for ref, before in self.counters.items():
            after = rows.get(ref)
            if after is None:
                used = before.floor or before.next_to_send > _FIRST
                long_lived = ref.lifetime is KeyLifetime.LONG_LIVED
                if used and long_lived and meter.ring.holds(ref):
                    breaches.append(f"I2: the counters of {ref} are gone")
            elif (
                after.floor < before.floor or after.next_to_send < before.next_to_send > _FIRST
            ) and ref.lifetime is KeyLifetime.LONG_LIVED:
                breaches.append(f"I2: a counter of {ref} goes back")
        self.counters = rows
        for (scope, kind), version in meter.device.state.key_versions.items():
            ref = KeyRef(meter.device.title, scope, kind, version=version)
            gone = (scope, kind) in meter.device.state.destroyed
            if not meter.ring.holds(ref) and not gone:
                breaches.append(f"I4: {ref} is in force and is not there")
        parties = {one.party.name: one.party.ring for one in world.clients.values()}
        rings = {"": (meter.ring, meter.boots)} | {name: (one, 0) for name, one in parties.items()}
        breaches += self._overhearing.look_out(line, rings)
        for party in world.parties.values():
            breaches += party.tagging.look_out()
