"""A meter put together of its profile, what is kept of it, and what it computes with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from devices.device import Device
from devices.profile import Profile
from emulator.events import OnMeterEvent
from emulator.installing import Installer
from emulator.journal import StoreError
from emulator.key_suites import suites_of
from emulator.memory.meter_memory import Memories
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.provisioning import Fleet, anchors, provision, registered_titles
from emulator.serving.host import Host, nothing
from emulator.serving.workings import Workings


class Assembled(NamedTuple):
    """A meter that serves nobody yet. ``installer`` is the supplier that has installed it, if one
    has.
    """

    host: Host
    ring: KeyRing
    installer: Installer | None
    workings: Workings


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """Where meters come from. ``client_titles`` has, per association name, the system title of its
    client; ``installer`` is the name of who installs those that are new, or empty; ``now`` gives
    the true time, aware; ``session_lifetime`` is in seconds, in reality.
    """

    memories: Memories
    fleet: Fleet = field(repr=False)
    client_titles: Mapping[str, bytes]
    installers: Mapping[str, Installer]
    installer: str
    now: Callable[[], dt.datetime]
    on_event: OnMeterEvent
    trace: bool
    session_lifetime: float

    def assemble(
        self,
        profile: Profile,
        serial: int,
        *,
        look_again: Callable[[], None] = nothing,
        alerted: Callable[[], None] = nothing,
    ) -> Assembled:
        """A meter with what is kept of it; a new one as it leaves the factory. One that was
        assembled before is retired. For ``look_again`` and ``alerted`` see
        :class:`~emulator.serving.host.Host`.

        :class:`~emulator.journal.StoreError` if it cannot be loaded, or cannot keep anything.
        """
        title = profile.system_title(serial)
        memory = self.memories.load(title, profile.name, suites_of(profile), self.installer)
        installer = self._installed_by(memory.installer, profile.name)
        now, titles = self.now(), dict(self.client_titles)
        if installer is not None:
            memory.ring.entrust(installer.secrets)
            titles |= installer.titles()
        state = memory.state
        if memory.is_new:
            made = provision(profile, serial, memory.ring, self.fleet, titles, now)
            state.certificates.update(made)
        device = Device(
            profile,
            serial,
            client_titles=registered_titles(profile, titles),
            anchors=anchors(profile, self.fleet, now),
            state=state,
        )
        # Each meter computes inside itself, with keys that no other meter has.
        workings = Workings(SoftwareModule(memory.ring).execute)
        host = Host(
            device,
            workings.execute,
            self.now,
            self.on_event,
            self.trace,
            memory=memory,
            look_again=look_again,
            alerted=alerted,
            session_lifetime=self.session_lifetime,
        )
        return Assembled(host, memory.ring, installer, workings)

    def _installed_by(self, name: str, meter: str) -> Installer | None:
        """:class:`~emulator.journal.StoreError` if nobody knows the supplier any more."""
        if not name:
            return None
        if name not in self.installers:
            raise StoreError(f"{meter} was installed by {name!r}, and there is no such supplier")
        return self.installers[name]
