"""The look-out for what must never be, after every step."""

from __future__ import annotations

from typing import TypeAlias

from dlms.security.keys import KeyLifetime, KeyRef
from emulator.fuzz.in_process.meter import BenchMeter
from emulator.fuzz.in_process.observing import Observer
from emulator.fuzz.in_process.overhearing import Overhearing
from emulator.fuzz.in_process.world import World
from emulator.fuzz.target import Facts, Passed

_FIRST = 1
"""The highest first counter there is: one that says no more may not have been used, and is not kept
then. What was used comes again as a vector.
"""


Counters: TypeAlias = tuple[dict[KeyRef, int], dict[KeyRef, int]]
"""The next to send, and the floors."""


class LookOut:
    """What it remembers of the steps before: counters, and the challenges of the meter's."""

    def __init__(self) -> None:
        self.counters: Counters = {}, {}
        self._overhearing = Overhearing()
        self._observer = Observer()

    def look(self, world: World) -> Facts:
        """What can be observed of both ends."""
        return self._observer.look(world)

    def look_out(self, world: World, line: tuple[Passed, ...]) -> None:
        """The invariants that hold after every step."""
        meter, breaches = world.meter, world.vectors.breaches
        counters = meter.device.state.counters.copied()
        if counters != self.counters:
            breaches += self._moved(meter, counters)
            self.counters = counters
        for (scope, kind), version in meter.device.state.key_versions.items():
            ref = KeyRef(meter.device.title, scope, kind, version=version)
            gone = (scope, kind) in meter.device.state.destroyed
            if not meter.ring.holds(ref) and not gone:
                breaches.append(f"I4: {ref} is in force and is not there")
        parties = {one.party.name: one.party.ring for one in world.clients.values()}
        rings = {"": (meter.ring, meter.boots)} | {name: (one, 0) for name, one in parties.items()}
        breaches += self._overhearing.look_out(line, rings)
        for ring in parties.values():
            ring.settle()  # nobody else asks what is new to a client's
        for party in world.parties.values():
            breaches += party.tagging.look_out()

    def _moved(self, meter: BenchMeter, now: Counters) -> list[str]:
        """I2: those of a key that lives longer than an association never go back."""
        (sends, floors), (next_to_send, floor) = now, self.counters
        breaches = []
        for ref in sorted(next_to_send.keys() | floor.keys(), key=str):
            if ref.lifetime is not KeyLifetime.LONG_LIVED:
                continue
            was, lowest = next_to_send.get(ref, 0), floor.get(ref, 0)
            if ref not in sends and ref not in floors:
                if (lowest or was > _FIRST) and meter.ring.holds(ref):
                    breaches.append(f"I2: the counters of {ref} are gone")
            elif floors.get(ref, 0) < lowest or sends.get(ref, 0) < was > _FIRST:
                breaches.append(f"I2: a counter of {ref} goes back")
        return breaches
