"""The look-out for what must never be, after every step."""

from __future__ import annotations

from dlms.acse.aare import Aare
from dlms.errors import CodecError
from dlms.security.counters import CounterRow
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.fuzz.in_process.observing import Observer
from emulator.fuzz.in_process.world import World
from emulator.fuzz.target import Direction, Facts, Passed
from emulator.modules.keyring import KeyRing

_FIRST = 1
"""The highest first counter there is: one that says no more may not have been used, and is not kept
then. What was used comes again as a vector.
"""


class LookOut:
    """What it remembers of the steps before: counters, and the challenges of the meter's."""

    def __init__(self) -> None:
        self.counters: dict[KeyRef, CounterRow] = {}
        self._challenges: set[bytes] = set()
        self._observer = Observer()
        self._secrets: dict[str, tuple[object, dict[bytes, KeyRef]]] = {}

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
        for passed in line:
            if passed.octets[:1] == b"\x61" and passed.direction is not Direction.SENT:
                self._look_at_challenge(passed.octets, breaches)
        if line:
            said = b"\0".join(passed.octets for passed in line)
            parties = {one.party.name: one.party.ring for one in world.clients.values()}
            self._look_for_keys("", meter.ring, meter.boots, said, breaches)
            for name, ring in parties.items():
                self._look_for_keys(name, ring, 0, said, breaches)

    def _look_for_keys(
        self, whose: str, ring: KeyRing, boots: int, said: bytes, breaches: list[str]
    ) -> None:
        """I5: no key is on the line."""
        secrets = self._secrets_of(whose, ring, boots)
        breaches += [f"I5: {secrets[key]} is on the line" for key in secrets if key in said]

    def _secrets_of(self, whose: str, ring: KeyRing, boots: int) -> dict[bytes, KeyRef]:
        """What must not be on the line, worked out again if the ring may have others."""
        refs = ring.refs
        stamp = boots, len(refs)
        known = self._secrets.get(whose)
        if known is None or known[0] != stamp or ring.changes.any:
            secrets = {
                key: ref
                for ref in refs
                if ref.kind is not KeyKind.LLS_SECRET and len(key := ring.get(ref)) >= 16
            }
            known = self._secrets[whose] = stamp, secrets
        return known[1]

    def _look_at_challenge(self, octets: bytes, breaches: list[str]) -> None:
        """R-HLS-4: a meter challenges with the same octets once."""
        try:
            value = Aare.decode(octets).responding_authentication_value
        except CodecError:
            return
        if value is not None and value.octets in self._challenges:
            breaches.append("R-HLS-4: a challenge comes twice")
        if value is not None:
            self._challenges.add(value.octets)
