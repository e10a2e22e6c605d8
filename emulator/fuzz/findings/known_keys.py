"""The keys of a run in this process: test keys, which whoever has the package can derive.

They come from the public secret of :mod:`emulator.fuzz.in_process.world`, and those that are drawn
during a run from its seed. Of another target no key is ever asked for.
"""

from __future__ import annotations

from emulator.fuzz.in_process.keys_held import held
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.scenario.found import KnownKey
from emulator.modules.keyring import KeyRing


class KnownKeys:
    """Collects those of the associations that somebody has tried, after each step: dedicated ones
    are gone soon.
    """

    def __init__(self) -> None:
        self._holders: dict[tuple[str, bytes], list[str]] = {}

    def look(self, target: InProcess) -> None:
        world = target.world
        scopes = frozenset(client.row.name for client in world.clients.values())
        self._add("meter", world.meter.ring, scopes)
        for name, client in list(world.clients.items()):
            self._add(name, client.party.ring, scopes)

    def _add(self, holder: str, ring: KeyRing, scopes: frozenset[str]) -> None:
        for named in held(ring, scopes):
            holders = self._holders.setdefault(named, [])
            if holder not in holders:
                holders.append(holder)

    @property
    def known(self) -> tuple[KnownKey, ...]:
        """By name; where two have other octets under one name, one behind the other."""
        return tuple(
            KnownKey(holder=", ".join(holders), name=name, octets=octets.hex().upper())
            for (name, octets), holders in sorted(self._holders.items())
        )
