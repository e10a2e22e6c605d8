"""Another's meter as a target: what can be done and seen on the line, and no more."""

from __future__ import annotations

from collections.abc import Callable

from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.client_kind import ClientKind
from emulator.fuzz.in_process import crafting, keys, speaking
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.target import SPOKEN
from emulator.fuzz.network import intentions
from emulator.fuzz.network.external_bench import ExternalBench
from emulator.fuzz.network.external_meter import ExternalMeter
from emulator.fuzz.network.guarding import NotAllowed
from emulator.fuzz.setting import Setting
from emulator.fuzz.target import Facts, Outcome, Seen
from emulator.fuzz.twist import STRAIGHT

_FIRST = (actions.Open, actions.Challenge, actions.Send, actions.Storm, actions.Crowd)
"""With what a client begins under its keys."""


class External:
    """A :class:`~emulator.fuzz.target.Target`. A run begins with no connections and the keys and
    counters that the run before has left. There are no snapshots: nobody can put another's meter
    back to where it was.
    """

    def __init__(self, meter: ExternalMeter, setting: Setting) -> None:
        if setting.plants or setting.knobs:
            raise ValueError("defects and knobs are our own meter's: this one is another's")
        self._meter = meter
        self._alive = setting.alive
        self.bench = ExternalBench(meter, setting)
        meter.begin(self.close)

    # Doing ----------------------------------------------------------------------------------------

    def do(self, action: Action) -> Seen:
        """:class:`~.guarding.NotAllowed`, a ``ValueError``, for what the meter is to be spared."""
        declaration = self._meter.device.declaration
        intentions.check(action, declaration, destructive=self._meter.destructive)
        bench = self.bench
        client = bench.client(getattr(action, "client", ""))
        if isinstance(action, _FIRST):
            self._catch_up(client)
        before = len(bench.line)
        try:
            seen = self._do(client, action)
        except NotAllowed:
            speaking.let_go(bench, client)  # its association stands in the middle of something
            raise
        line = tuple(bench.line[before:])
        bench.steps.append(line)
        bench.values.append(seen.value)
        rings = {one.party.name: (one.party.ring, 0) for one in bench.clients.values()}
        bench.breaches += self._meter.overhearing.look_out(line, rings)
        self._meter.share(client.row.name)
        self._meter.keep_keys()
        return Seen(outcome=seen.outcome, says=seen.says, value=seen.value, line=line)

    def _do(self, client: BenchClient, action: Action) -> Seen:
        spoken = SPOKEN.get(type(action))
        if spoken is not None:
            return spoken(self.bench, client, action)
        match action:
            case actions.Release(plain=plain):
                release = crafting.releasing_plain if plain else speaking.releasing
                return release(self.bench, client, action)
            case actions.Hang():
                speaking.let_go(self.bench, client)
                return Seen(outcome=Outcome.DONE)
        raise ValueError(f"{type(action).__name__} cannot be done to another's meter")

    def _catch_up(self, client: BenchClient) -> None:
        """Ask the meter how far its counter is, before a key is used for the first time here. Where
        it does not say so, our own count is all that there is.
        """
        guek = client.keys.guek
        if guek is None or guek in self._meter.asked:
            return
        self._meter.asked.add(guek)
        try:
            public, _ = self.bench.counter_of(client)
        except ValueError:
            return
        if public is not client:
            keys.catching_up(self.bench, client, actions.CatchUp(client=client.name))
            speaking.let_go(self.bench, public)

    # Looking --------------------------------------------------------------------------------------

    def look(self) -> Facts:
        """``open`` is as the meter's answers tell."""
        bench = self.bench
        bench.note_vectors()
        return Facts(
            open=frozenset(bench.told_open.open),
            breaches=tuple(bench.breaches),
        )

    def alive(self) -> Seen:
        """A fresh connection of a legitimate client, with the keys that it knows; if an answer to a
        change was lost, with those that are in doubt as well.
        """
        bench = self.bench
        association = self._alive or next(iter(bench.kinds))
        name = f"legitimate {association}"
        bench.kinds.setdefault(name, ClientKind(association=association))
        client = bench.client(name)
        if client.keys.guek is not None:
            self._meter.asked.discard(client.keys.guek)
        seen = self._opened(client)
        doubtful = client.party.doubtful.pop(association, None)
        if seen.outcome is not Outcome.ACCEPTED and doubtful is not None:
            client.take(doubtful)
            seen = self._opened(client)
        speaking.let_go(bench, client)
        return seen

    def _opened(self, client: BenchClient) -> Seen:
        self._catch_up(client)
        action = actions.Open(client=client.name, twist=STRAIGHT)
        return speaking.opening(self.bench, client, action)

    # Snapshots ------------------------------------------------------------------------------------

    def snapshot(self) -> object:
        raise ValueError("another's meter has no snapshots: nobody can put it back")

    def restore(self, snapshot: object) -> None:
        raise ValueError("another's meter has no snapshots: nobody can put it back")

    def close(self) -> None:
        """End all connections in order: another run may begin."""
        for name, client in self.bench.clients.items():
            if self.bench.wire.is_up(name):
                speaking.let_go(self.bench, client)
        self.bench.close()


def external(meter: ExternalMeter) -> Callable[[Setting], External]:
    """Runs on that meter, one after the other and never two at once: they share its counters."""
    return lambda setting: External(meter, setting)
