"""A meter that can lose its power at every write, and all that it keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from devices.certificates import StoredCertificate
from devices.device import Device
from devices.profile import Profile
from devices.state import DeviceState
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CryptoOp
from dlms.security.spent_keys import SpentKeys
from emulator.events import MeterEvent
from emulator.fuzz.in_process.altering import Execute, Vectors, altering, failing
from emulator.fuzz.in_process.kept import Image, PassingJournal, Writes
from emulator.fuzz.in_process.seeded import SeededModule
from emulator.fuzz.twist import Twist
from emulator.journal import Journal
from emulator.key_suites import suites_of
from emulator.memory.kept_counters import KeptCounters
from emulator.memory.meter_memory import MeterMemory
from emulator.memory.sections import DESTROYED_KEYS, KEYS
from emulator.modules.keyring import KeyRing
from emulator.provisioning import registered_titles
from emulator.serving.host import Host
from emulator.serving.workings import Workings

SERIAL = 1
MAX_EVENTS = 4096
"""That are kept: a storm makes one for each message."""


def _spent_before(former: Mapping[str, SpentKeys], state: DeviceState, scope: str) -> SpentKeys:
    return former[scope] if scope in former else SpentKeys()


class BenchMeter:
    """``made`` are its certificates and ``anchors`` whom it trusts; ``titles`` register clients.
    ``vectors`` watches what it seals. ``now`` is true time, aware.
    """

    def __init__(
        self,
        profile: Profile,
        secret: bytes,
        seed: str,
        now: dt.datetime,
        *,
        made: Mapping[str, tuple[StoredCertificate, ...]],
        anchors: tuple[StoredCertificate, ...],
        titles: Mapping[str, bytes],
        vectors: Vectors,
    ) -> None:
        self.profile = profile
        self.now = now
        self.writes = Writes()
        self.journal = PassingJournal(self.writes)
        self.image = Image(self.writes, {"certificates": made} if made else {})
        self.events: list[MeterEvent] = []
        self._secret = secret
        self._seed = seed
        self._anchors = anchors
        self._titles = dict(titles)
        self._vectors = vectors
        self.boots = 0
        """How often it has begun."""
        self.is_dead = False
        """Whether it cannot start: what it keeps cannot be read."""
        self._spent: dict[str, SpentKeys] = {}
        self.boot({})

    # Power ----------------------------------------------------------------------------------------

    def boot(self, spent: Mapping[str, SpentKeys]) -> None:
        """Begin with what is kept. :class:`~emulator.journal.StoreError` if it cannot be read."""
        self.boots += 1
        self.is_dead = True
        kept = self.image.items()
        keys, destroyed = kept.pop(KEYS, []), kept.pop(DESTROYED_KEYS, [])
        self.ring = KeyRing(
            self._secret, suites_of(self.profile), keys, (ref for ref, _ in destroyed)
        )
        self.module = SeededModule(self.ring, f"{self._seed}/meter/{self.boots}")
        # The names and numbers of a journal are all that counters need of it.
        journal = cast(Journal, self.journal)
        title = self.profile.system_title(SERIAL)
        state = DeviceState(KeptCounters(journal, title), partial(_spent_before, spent), kept)
        memory = MeterMemory(
            state, self.ring, keep=self.image.keep, profile=self.profile.name, is_new=False
        )
        self.device = Device(
            self.profile,
            SERIAL,
            client_titles=registered_titles(self.profile, self._titles),
            anchors=self._anchors,
            state=state,
        )
        self._way: Execute = self._watched
        self.workings = Workings(self._execute)
        self.host = Host(self.device, self.workings.execute, self.time, self.note, memory=memory)
        self.device.power_restored(self.now)
        self.host.awake()
        memory.commit()
        self.device.outbox.take_announcements()
        self.is_dead = False

    def lose_power(self) -> None:
        """Off and on again, with what was kept by then."""
        # Those that nobody has asked for since it began are there as well.
        self._spent |= self.device.state.spent
        self.journal.lose_power()
        self.writes.revive()
        self.boot(dict(self._spent))

    # What it computes -----------------------------------------------------------------------------

    def twisted(self, twist: Twist, scope: str) -> None:
        """Carry its operations out as the twist says, until :meth:`straight`. That is its module,
        behind all faults that it has.
        """
        if twist.cut is not None:
            self.writes.cut_before(twist.cut)
        way: Execute = self._watched
        if twist.meter_seal or twist.meter_mac:
            key = partial(self.key, scope)
            way = altering(way, twist.meter_seal, twist.meter_mac, key, self.device.title)
        if twist.fails:
            way = failing(way, twist.fails, twist.fails_at)
        self._way = way

    def straight(self) -> None:
        self.writes.revive()
        self._way = self._watched

    def _execute(self, op: CryptoOp) -> Any:
        return self._way(op)

    def _watched(self, op: CryptoOp) -> Any:
        self._vectors.watch("the meter", self.device.title, op, self.ring.get)
        return self.module.execute(op)

    # Looking at it --------------------------------------------------------------------------------

    def time(self) -> dt.datetime:
        return self.now

    def note(self, event: MeterEvent) -> None:
        if len(self.events) < MAX_EVENTS:
            self.events.append(event)

    def key(self, scope: str, kind: str) -> KeyRef:
        """The key in force of that kind."""
        return self.device.key(scope, KeyKind[kind])
