"""An association of a meter of this process, to be learned."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dlms.association.config import ServerConfig
from emulator.fuzz.actions import Plant
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.learning.hdlc_line import HdlcLine
from emulator.fuzz.learning.in_memory import InMemory
from emulator.fuzz.learning.learner import Learned, learn
from emulator.fuzz.learning.mealy import Mealy
from emulator.fuzz.learning.speaker import Party
from emulator.fuzz.learning.tabled import alphabet, tabled
from emulator.fuzz.learning.way import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """``config`` is what the meter offers, ``party`` the client of it, ``way`` is how they meet."""

    name: str
    config: ServerConfig
    party: Party
    way: Way
    is_ours: bool = True
    """Whether what is explained of our own meters is to be expected of it."""

    def learned(self, *, extra: int = 1, most: int | None = None) -> Learned:
        """What the meter is, as it answers. Raises as :func:`.learner.learn` does."""
        letters = alphabet(self.config, self.way.lower)
        return learn(self.party, self.way, letters, extra=extra, most=most)

    def tabled(self) -> Mealy:
        """What the tables say it is."""
        return tabled(self.config, self.way.lower)


def associations(profile: str = "laboratory") -> tuple[str, ...]:
    """All that a meter of that profile offers, by name."""
    return tuple(InProcess(profile).world.profile.associations)


def in_process(
    association: str,
    *,
    profile: str = "laboratory",
    hdlc: bool = False,
    plants: tuple[Plant, ...] = (),
    seed: str = "0",
) -> Subject:
    """A new meter, and its client of ``association``. ``ValueError`` if it has none such."""
    target = InProcess(profile, seed=seed)
    world = target.world
    client = world.client(association)
    offered = world.meter.device.config(client.row)  # before anything is planted
    for plant in plants:
        target.plant(plant)
    user = None if offered.users is None else min(offered.users)
    config = replace(client.config, confirmed=not offered.unconfirmed, user=user)
    party = Party(
        config=config,
        keys=client.keys,
        counters=client.party.counters,
        execute=client.party.module.carry_out,
        server_title=world.meter.device.title,
        today=world.meter.now,
    )
    way = (HdlcLine if hdlc else InMemory)(lambda: world.meter.host, client.pair)
    return Subject(name=association, config=offered, party=party, way=way)
