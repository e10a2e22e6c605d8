"""Our own meter as a target over TCP or TLS: the same meter and clients as in process, with real
sockets and the emulator's own connections between them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TypeAlias

from devices.profile import Profile
from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process.target import InProcess
from emulator.fuzz.in_process.wire import Wire
from emulator.fuzz.in_process.world import World
from emulator.fuzz.network.socket_wire import SocketWay, SocketWire
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Seen

Deed: TypeAlias = Callable[["OverSockets"], object]
"""Something that was done to a target, to be done again."""


class SocketWorld(World):
    """Both ends of a run, and sockets between them. They are closed when it is forgotten."""

    def __init__(
        self,
        profile: Profile,
        kinds: Mapping[str, ClientKind],
        seed: str,
        knobs: Mapping[str, Mapping[str, object]],
        way: SocketWay,
    ) -> None:
        self._way = way
        super().__init__(profile, kinds, seed, knobs)

    def make_wire(self) -> Wire:
        wire = SocketWire(self.meter, self._way)
        self.close = weakref.finalize(self, wire.close)
        return wire


class OverSockets(InProcess):
    """A :class:`~emulator.fuzz.target.Target`. A snapshot is what has been done so far: to restore
    it is to begin again and do it once more.
    """

    def __init__(self, setting: Setting, way: SocketWay = SocketWay.TCP) -> None:
        self._setting = setting
        self._way = way
        self._deeds: list[Deed] = []
        super().__init__(
            setting.profile,
            setting.clients,
            seed=setting.seed,
            knobs=setting.knobs,
            alive=setting.alive,
        )
        for plant in setting.plants:
            super().plant(plant)

    def make_world(
        self,
        profile: Profile,
        clients: Mapping[str, ClientKind],
        seed: str,
        knobs: Mapping[str, Mapping[str, object]],
    ) -> World:
        return SocketWorld(profile, clients, seed, knobs, self._way)

    def do(self, action: Action) -> Seen:
        seen = super().do(action)
        self._deeds.append(lambda target: target.do(action))
        return seen

    def plant(self, plant: actions.Plant) -> None:
        super().plant(plant)
        self._deeds.append(lambda target: target.plant(plant))

    def alive_on(self, association: str) -> Seen:
        seen = super().alive_on(association)
        self._deeds.append(lambda target: target.alive_on(association))
        return seen

    def snapshot(self) -> object:
        return tuple(self._deeds)

    def restore(self, snapshot: object) -> None:
        if not isinstance(snapshot, tuple):
            raise ValueError("that is no snapshot of a meter behind sockets")
        self.close()
        again = OverSockets(self._setting, self._way)
        for deed in snapshot:
            deed(again)
        self.world, self._look_out, self._deeds = again.world, again._look_out, again._deeds

    def close(self) -> None:
        """Let go of the sockets; a target that nobody has any more does so by itself."""
        if isinstance(self.world, SocketWorld):
            self.world.close()


def over_sockets(way: SocketWay) -> Callable[[Setting], OverSockets]:
    """A new meter and its clients as a setting has them, with such sockets between them."""
    return lambda setting: OverSockets(setting, way)
