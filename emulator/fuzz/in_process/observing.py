"""What can be observed of both ends.

What the meter remembers is looked at again when something of it was kept, and for as long as
something is not kept yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from devices.prepayment import account
from dlms.association.config import AssociationKeys
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import KeyUnavailable
from emulator.fuzz.in_process.client import FIELDS, BenchClient
from emulator.fuzz.in_process.meter import BenchMeter
from emulator.fuzz.in_process.world import World
from emulator.fuzz.target import Facts
from emulator.modules.keyring import KeyRing

_KINDS = tuple(KeyKind[name] for name in FIELDS)


class _Secured(NamedTuple):
    """Keys and policies, and what they depend on: worked out again when that is not the same."""

    depends: tuple[Any, ...]
    versions: Mapping[str, int]
    keys: Mapping[str, str]
    policies: Mapping[str, int]
    counted: tuple[tuple[str, KeyRef], ...]


class _Remembered(NamedTuple):
    """What the meter remembers, and the stamp of when it was looked at."""

    stamp: tuple[int, int]
    digest: str
    secured: _Secured
    in_force: dict[str, AssociationKeys]
    """By association, as far as anybody has asked since then."""
    size: int


class _Counted(NamedTuple):
    """Counters as they were when they were looked at; worked out again when one has moved."""

    of: tuple[tuple[str, KeyRef], ...]
    counters: tuple[dict[KeyRef, int], dict[KeyRef, int]]
    floors: Mapping[str, int]
    sends: Mapping[str, int]
    size: int


class _Held(NamedTuple):
    """The keys of a client, and those it has in doubt, as fingerprints."""

    mine: AssociationKeys
    doubtful: AssociationKeys | None
    keys: Mapping[str, str]
    doubts: Mapping[str, str]


class Observer:
    """Of one run."""

    def __init__(self) -> None:
        self._seen: _Remembered | None = None
        self._counts: _Counted | None = None
        self._happened: tuple[str, ...] = ()
        self._events = 0
        self._clients: dict[str, _Held] = {}

    def look(self, world: World) -> Facts:
        meter = world.meter
        device, state = meter.device, meter.device.state
        seen = self._remembered(meter)
        secured = seen.secured
        counted = self._counted(secured.counted, state.counters)
        clients = [one for one in world.clients.values() if one.row.security_setup is not None]
        held = [self._held(one) for one in clients]
        return Facts(
            digest=seen.digest,
            floors=counted.floors,
            sends=counted.sends,
            versions=secured.versions,
            agree={name: _agrees(meter, one, seen.in_force) for name, one in world.clients.items()},
            open=world.wire.associated(),
            happened=self._told(meter),
            balance=None if account.account_of(device) is None else account.balance(device),
            breaches=tuple(world.vectors.breaches),
            keys=secured.keys,
            client_keys={name: key for one in held for name, key in one.keys.items()},
            client_doubts={name: key for one in held for name, key in one.doubts.items()},
            client_sends={
                f"{one.name}/{KeyKind.GUEK.name}": one.party.counters.next_to_send(ref)
                for one in clients
                if (ref := one.keys.guek) is not None
            },
            policies=secured.policies,
            sizes={
                "remembered": seen.size,
                "counters": counted.size,
                "counters kept": meter.journal.size,
                "keys": meter.ring.size,
                "connections": world.wire.connections,
            },
        )

    def _counted(
        self, of: tuple[tuple[str, KeyRef], ...], counters: InvocationCounters
    ) -> _Counted:
        now, known = counters.copied(), self._counts
        if known is None or known.of is not of or known.counters != now:
            known = self._counts = _Counted(
                of=of,
                counters=now,
                floors={name: counters.floor(ref) for name, ref in of},
                sends={name: counters.next_to_send(ref) for name, ref in of},
                size=len(now[0].keys() | now[1].keys()),
            )
        return known

    def _held(self, client: BenchClient) -> _Held:
        """Worked out again if the client goes by others, or has others in doubt."""
        mine, doubtful = client.keys, client.party.doubtful.get(client.row.name)
        known = self._clients.get(client.name)
        if known is None or known.mine is not mine or known.doubtful is not doubtful:
            ring = client.party.ring
            keys, doubts = (_prints(client.name, ring, one) for one in (mine, doubtful))
            known = self._clients[client.name] = _Held(mine, doubtful, keys, doubts)
        return known

    def _told(self, meter: BenchMeter) -> tuple[str, ...]:
        fresh = meter.events[self._events :]
        if fresh:
            self._events = len(meter.events)
            self._happened += tuple(
                event.text.partition(" ")[2] for event in fresh if event.kind == "happening"
            )
        return self._happened

    def _remembered(self, meter: BenchMeter) -> _Remembered:
        seen, stamp = self._seen, (meter.boots, meter.image.kept)
        is_settled = not (meter.device.state.changes.any or meter.ring.changes.any)
        if seen is None or seen.stamp != stamp or not is_settled:
            known = None if seen is None else seen.secured
            seen = self._seen = _look(meter, stamp, known)
        return seen


def _look(meter: BenchMeter, stamp: tuple[int, int], known: _Secured | None) -> _Remembered:
    state, ring = meter.device.state, meter.ring
    depends = (
        meter.boots,
        dict(state.key_versions),
        dict(state.policies),
        state.security_revision,
        dict(ring.lasting),
        frozenset(ring.destroyed),
    )
    return _Remembered(
        stamp=stamp,
        digest=_digest(meter),
        secured=known if known and known.depends == depends else _secured(meter, depends, known),
        in_force={},
        size=sum(len(section) for section in state.sections.values()),
    )


def _secured(meter: BenchMeter, depends: tuple[Any, ...], known: _Secured | None) -> _Secured:
    device = meter.device
    rows = [row for row in device.profile.associations.values() if row.security_setup is not None]
    refs = {
        f"{row.name}/{kind.name}": device.key(row.name, kind) for row in rows for kind in _KINDS
    }
    counted = tuple(
        (name, ref) for name, ref in refs.items() if ref.kind in (KeyKind.GUEK, KeyKind.GBEK)
    )
    return _Secured(
        depends=depends,
        versions={
            f"{scope}/{kind.name}": version
            for (scope, kind), version in device.state.key_versions.items()
        },
        keys={name: fingerprint(meter.ring, ref) for name, ref in refs.items()},
        policies={
            row.name: int(policy.request) | int(policy.response) << 8
            for row in rows
            for policy in (device.policy(row),)
        },
        # The same object if it is the same, so that nobody compares its members again.
        counted=known.counted if known and known.counted == counted else counted,
    )


def _prints(client: str, ring: KeyRing, keys: AssociationKeys | None) -> dict[str, str]:
    return {
        f"{client}/{kind}": fingerprint(ring, ref)
        for kind, field in FIELDS.items()
        if (ref := getattr(keys, field, None)) is not None
    }


def fingerprint(ring: KeyRing, ref: KeyRef) -> str:
    """Tells keys apart; nobody gets from it to the key. Empty if it is not there."""
    try:
        return _fingerprint(ring.get(ref))
    except KeyUnavailable:
        return ""


@lru_cache(maxsize=4096)
def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(b"fingerprint" + key).hexdigest()[:12]


def _digest(meter: BenchMeter) -> str:
    """All that the meter remembers but counters, and the keys themselves."""
    whole = hashlib.sha256(meter.device.state.digest())
    for ref, key in sorted(meter.ring.lasting.items(), key=lambda item: str(item[0])):
        whole.update(f"{ref}".encode() + hashlib.sha256(key).digest())
    return whole.hexdigest()[:16]


def _agrees(meter: BenchMeter, client: BenchClient, in_force: dict[str, AssociationKeys]) -> bool:
    """Whether both ends have the same global keys."""
    if client.row.security_setup is None:
        return True
    mine = client.keys
    theirs = in_force.get(client.row.name)
    if theirs is None:
        theirs = in_force[client.row.name] = meter.device.keys(client.row)
    for field in FIELDS.values():
        ref, own = getattr(theirs, field), getattr(mine, field)
        if ref is not None and own is not None:
            try:
                same = meter.ring.get(ref) == client.party.ring.get(own)
            except KeyUnavailable:
                return False
            if not same:
                return False
    return True
