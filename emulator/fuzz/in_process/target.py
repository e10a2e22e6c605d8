"""The meter of this process as a target: actions, facts, snapshots."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from devices.profile import Profile
from dlms.errors import DlmsError
from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process import certifying, crafting, keys, speaking, tokens
from emulator.fuzz.in_process.bench import Bench
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.crashing import crash
from emulator.fuzz.in_process.looking import LookOut
from emulator.fuzz.in_process.tagging import EDITION
from emulator.fuzz.in_process.world import World, compiled
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Facts, Outcome, Seen
from emulator.fuzz.twist import STRAIGHT
from emulator.journal import StoreError

SPOKEN: dict[type, Callable[[Bench, BenchClient, Any], Seen]] = {
    actions.Open: speaking.opening,
    actions.Challenge: crafting.challenging,
    actions.Authenticate: crafting.authenticating,
    actions.Get: speaking.getting,
    actions.Set: speaking.setting,
    actions.Act: speaking.acting,
    actions.Rotate: speaking.rotating,
    actions.Agree: speaking.agreeing,
    actions.Send: crafting.sending,
    actions.Replay: crafting.replaying,
    actions.Storm: crafting.storming,
    actions.Crowd: crafting.crowding,
    actions.Transfer: keys.transferring,
    actions.ChangeSecret: keys.changing_secret,
    actions.TakeKeys: keys.taking,
    actions.PutCounter: keys.putting_counter,
    actions.CatchUp: keys.catching_up,
}
"""What clients say, to any meter."""


class InProcess:
    """A :class:`~emulator.fuzz.target.Target`: a meter of ``profile`` and ``clients``, by name.

    ``seed`` is what all randomness comes from. ``knobs`` are turned by association, as profiles
    write them. ``alive`` is the association that :meth:`alive` opens, by default the first that
    ciphers.
    """

    def __init__(
        self,
        profile: str = "laboratory",
        clients: Mapping[str, ClientKind] | None = None,
        *,
        seed: str = "0",
        knobs: Mapping[str, Mapping[str, object]] | None = None,
        alive: str = "",
    ) -> None:
        self.world = self.make_world(compiled(profile), clients or {}, seed, knobs or {})
        self._look_out = LookOut()
        self._alive = alive

    def make_world(
        self,
        profile: Profile,
        clients: Mapping[str, ClientKind],
        seed: str,
        knobs: Mapping[str, Mapping[str, object]],
    ) -> World:
        """Both ends, and what is between them."""
        return World(profile, clients, seed, knobs)

    def plant(self, plant: actions.Plant) -> None:
        """Put a defect into the meter, which is no step of the run."""
        self.world.plant(plant)

    # Doing ----------------------------------------------------------------------------------------

    def do(self, action: Action) -> Seen:
        world = self.world
        before = len(world.line)
        try:
            seen = self._do(action)
        except (ValueError, DlmsError):
            raise  # it cannot be done
        except Exception as error:
            world.vectors.breaches.append(crash(error))
            seen = Seen(outcome=Outcome.HUNG_UP, says="it failed")
        line = tuple(world.line[before:])
        world.steps.append(line)
        world.values.append(seen.value)
        self._look_out.look_out(world, line)
        return Seen(outcome=seen.outcome, says=seen.says, value=seen.value, line=line)

    def _do(self, action: Action) -> Seen:
        world = self.world
        spoken = SPOKEN.get(type(action))
        if spoken is not None:
            return spoken(world, world.client(getattr(action, "client", "")), action)
        match action:
            case actions.Release(client=name, plain=plain):
                client = world.client(name)
                release = crafting.releasing_plain if plain else speaking.releasing
                return release(world, client, action)
            case actions.Certify(client=name):
                return certifying.certifying(world, world.client(name), action)
            case actions.Hang(client=name):
                speaking.let_go(world, world.client(name))
            case actions.Connect(client=name):
                return self._connect(name, action)
            case actions.ChangeTls(what=what):
                self._change_tls(what)
            case actions.Token():
                return tokens.entering(world, action)
            case actions.Wait(seconds=seconds):
                world.meter.now += dt.timedelta(seconds=seconds)
                world.meter.host.live(world.meter.now)
                world.wire.time_passes()
            case actions.ClockStep(seconds=seconds):
                world.meter.device.slipped(dt.timedelta(seconds=seconds), world.meter.now)
                world.meter.host.settle()
            case actions.Announce(attribute=attribute):
                return speaking.hearing(world, attribute)
            case actions.PowerCycle():
                return self._power_cycle()
            case actions.SetMeterCounter():
                self._set_counter(action)
            case actions.Damage(what=what, to=to):
                return self._damage(what, to)
            case actions.Plant():
                self.plant(action)
            case _:
                raise ValueError(f"{type(action).__name__} cannot be done in this process")
        return Seen(outcome=Outcome.DONE)

    def _connect(self, name: str, action: actions.Connect) -> Seen:
        client = self.world.client(name)
        shaken = self.world.wire.connect(client, action)
        if not shaken.why:
            return Seen(outcome=Outcome.ACCEPTED, says="resumed" if shaken.resumed else "full")
        outcome = Outcome.DISTRUSTED if shaken.by_client else Outcome.REFUSED
        return Seen(outcome=outcome, says=shaken.why)

    def _change_tls(self, what: str) -> None:
        port = self.world.tls_port()
        match what:
            case "new certificate":
                port.show_new()
            case "revoke client":
                port.revoke_client()
            case "revoke meter":
                port.revoke_meter()
            case _:
                raise ValueError(f"{what} cannot be done with TLS")

    def _power_cycle(self) -> Seen:
        try:
            self.world.power_cycle()
        except StoreError as error:
            return Seen(outcome=Outcome.REFUSED, says=f"the meter does not start: {error}")
        return Seen(outcome=Outcome.DONE)

    def _set_counter(self, action: actions.SetMeterCounter) -> None:
        meter = self.world.meter
        ref, counters = meter.key(action.association, action.key), meter.device.state.counters
        if action.send is not None and action.send > counters.next_to_send(ref):
            counters.raise_to(ref, action.send - 1)
            counters.burn(ref)  # so that it is kept, as it is of a message
        if action.floor:
            counters.accept(ref, action.floor - 1)

    def _damage(self, what: str, to: int) -> Seen:
        meter = self.world.meter
        match what:
            case "counters":
                meter.journal.lose_power()
                meter.journal.put_back(to)
                # Whoever does this has broken the meter; it has not gone back by itself.
                self._look_out.counters = {}, {}
            case "store":
                meter.image.sections = {
                    name: dict(section) for name, section in self.world.first_image.items()
                }
            case "journal":
                meter.journal.is_readable = False
            case _:
                raise ValueError(f"{what} cannot be damaged: counters, store, journal")
        return self._power_cycle()

    # Looking --------------------------------------------------------------------------------------

    def look(self) -> Facts:
        return self._look_out.look(self.world)

    def alive(self) -> Seen:
        """A fresh association of a legitimate client, with the meter's own keys."""
        if self._alive:
            return self.alive_on(self._alive)
        row = next(
            row
            for row in self.world.profile.associations.values()
            if row.config.context.ciphered and row.config.mechanism.is_hls
        )
        return self.alive_on(row.name)

    def alive_on(self, association: str) -> Seen:
        """The same for an association that is named."""
        world = self.world
        name = f"legitimate {association}"
        if name not in world.kinds:
            world.kinds[name] = ClientKind(association=association)
        client = world.client(name)
        if client.row.security_setup is not None:
            keys.taking(world, client, actions.TakeKeys(client=name, which="current"))
            ref = client.keys.guek
            if ref is not None:
                floor = world.meter.device.state.counters.floor(ref)
                # Those who share the key may have used more than has arrived.
                used = [one.party.counters.next_to_send(ref) for one in world.clients.values()]
                client.party.counters.raise_to(ref, max(floor, *used))
        return speaking.opening(world, client, actions.Open(client=name, twist=STRAIGHT))

    # Snapshots ------------------------------------------------------------------------------------

    def snapshot(self) -> object:
        return self._copied((self.world, self._look_out))

    def restore(self, snapshot: object) -> None:
        self.world, self._look_out = self._copied(snapshot)

    def _copied(self, what: Any) -> Any:
        world = what[0]
        for module in (world.meter.module, *(one.party.module for one in world.clients.values())):
            module.let_go()
        profile = world.profile
        shared = [
            profile,
            EDITION,
            *profile.associations.values(),
            *profile.objects.values(),
            *world.anchors,
            *(one for held in world.made.values() for one in held),
        ]
        return copy.deepcopy(what, {id(one): one for one in shared})


def in_process(setting: Setting) -> InProcess:
    """A new meter and its clients as ``setting`` has them, with the defects that it plants."""
    made = InProcess(
        setting.profile,
        setting.clients,
        seed=setting.seed,
        knobs=setting.knobs,
        alive=setting.alive,
    )
    for plant in setting.plants:
        made.plant(plant)
    return made
