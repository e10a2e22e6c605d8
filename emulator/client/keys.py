"""Keys given as octets: they go into a Cryptographic Module, and are references from then on."""

from __future__ import annotations

import hashlib
import itertools
import threading
from dataclasses import dataclass, fields
from typing import Any

from dlms.association.config import AssociationKeys
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.suites import SUITES
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

_FINGERPRINT = 4
"""Octets of a hash that tell a key from the one before it; they tell nothing about the key."""

_dedicated_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Keys:
    """Keys and secrets of one association, as octets. Its ``repr`` shows none of them.

    ``guek`` and ``gak`` are the global unicast encryption and authentication keys (16 octets, 32 in
    suite 2), ``gbek`` the broadcast key, ``kek`` the master key, ``password`` the secret of low
    level security, ``hls_secret`` that of mechanisms 3, 4 and 6. ``signing_key`` and
    ``agreement_key`` are one's own private keys, ``peer_public`` and ``peer_agreement_public`` the
    meter's public keys (``x ‖ y``).
    """

    guek: bytes | None = None
    gak: bytes | None = None
    gbek: bytes | None = None
    password: bytes | None = None
    hls_secret: bytes | None = None
    signing_key: bytes | None = None
    peer_public: bytes | None = None
    kek: bytes | None = None
    agreement_key: bytes | None = None
    peer_agreement_public: bytes | None = None

    def __repr__(self) -> str:
        there = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        return f"<Keys: {', '.join(there) or 'none'}>"


_KINDS = {
    "guek": KeyKind.GUEK,
    "gak": KeyKind.GAK,
    "gbek": KeyKind.GBEK,
    "password": KeyKind.LLS_SECRET,
    "hls_secret": KeyKind.HLS_SECRET,
    "signing_key": KeyKind.SIGNING_KEY,
    "kek": KeyKind.KEK,
    "agreement_key": KeyKind.AGREEMENT_KEY,
}
_ENCRYPTING = (KeyKind.GUEK, KeyKind.GAK, KeyKind.GBEK, KeyKind.KEK)
PUBLIC = ("peer_public", "peer_agreement_public")
"""Names of those that are no secrets."""
_FIELDS = {"password": "secret"}
"""Names that :class:`AssociationKeys` has otherwise."""


def module_with(keys: Keys, suite: int) -> tuple[AssociationKeys, SoftwareModule, KeyRing]:
    """A module that holds ``keys`` in the ring that comes last, and the references to them.

    ``ValueError`` if a key has not the length that the suite wants.
    """
    ring = KeyRing(suite_of=lambda ref: suite)
    refs: dict[str, Any] = {name: getattr(keys, name) for name in PUBLIC}
    for name, kind in _KINDS.items():
        key: bytes | None = getattr(keys, name)
        if key is None:
            continue
        length = SUITES[suite].key_length
        if kind in _ENCRYPTING and len(key) != length:
            raise ValueError(f"{name} has {len(key)} octets, not the {length} of suite {suite}")
        ref = KeyRef(b"", _fingerprint(key) if kind in _ENCRYPTING else "client", kind)
        ring.keep(ref, key)
        refs[_FIELDS.get(name, name)] = ref
    return AssociationKeys(**refs), SoftwareModule(ring), ring


def octets_of(ring: KeyRing, refs: AssociationKeys) -> Keys:
    """The other way: the keys that are in force, as octets."""
    found: dict[str, Any] = {name: getattr(refs, name) for name in PUBLIC}
    for name in _KINDS:
        ref: KeyRef | None = getattr(refs, _FIELDS.get(name, name))
        found[name] = None if ref is None else ring.get(ref)
    return Keys(**found)


def named_by_fingerprint(ring: KeyRing, made: KeyRef) -> KeyRef:
    """Give a key that was made in the ring the name that it would have if it were given."""
    key = ring.get(made)
    lasting = made._replace(scope=_fingerprint(key), version=0)
    ring.keep(lasting, key)
    ring.discard(made)
    return lasting


def dedicated_key() -> KeyRef:
    """A reference that no other association has."""
    number = next(_dedicated_numbers)
    return KeyRef(b"", "client", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, number)


def _fingerprint(key: bytes) -> str:
    """A counter belongs to a key (R-IC-1), so its name goes with the key and nothing else."""
    return hashlib.sha256(b"cosemlab name of a key\0" + key).digest()[:_FINGERPRINT].hex()


class PlaceCounters(InvocationCounters):
    """The send counters of a store that serves all meters, with floors of one meter's own.

    Meters that share a key, as in laboratories, must never see one counter of ours twice among
    them; but each counts for itself. ``place`` tells them apart.
    """

    __slots__ = ("_place", "_store")

    def __init__(self, store: InvocationCounters, place: str) -> None:
        super().__init__()
        self._store = store
        self._place = place

    def burn(self, ek: KeyRef) -> int:
        with _BURNING:
            return self._store.burn(ek)

    def next_to_send(self, ek: KeyRef) -> int:
        return self._store.next_to_send(ek)

    def raise_to(self, ek: KeyRef, value: int) -> None:
        with _BURNING:
            self._store.raise_to(ek, value)

    def check(self, ek: KeyRef, received: int, max_jump: int | None = None) -> None:
        self._store.check(self._here(ek), received, max_jump)

    def accept(self, ek: KeyRef, received: int) -> None:
        self._store.accept(self._here(ek), received)

    def floor(self, ek: KeyRef) -> int:
        return self._store.floor(self._here(ek))

    def establish(self, ek: KeyRef) -> None:
        for name in (ek, self._here(ek)):
            self._store.establish(name)

    def forget(self, ek: KeyRef) -> None:
        for name in (ek, self._here(ek)):
            self._store.forget(name)

    def _here(self, ek: KeyRef) -> KeyRef:
        return ek._replace(scope=f"{ek.scope}/{self._place}")


_BURNING = threading.Lock()
"""Blocking clients in several threads share :data:`PROCESS`; a value must be burned once."""

PROCESS = InvocationCounters()
"""The counters of this process, for associations that are given none: a second association under
the same key must go on where the first one has ended, whoever makes it."""
