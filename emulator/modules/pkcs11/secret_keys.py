"""The secret keys of a module in one session with its token, by reference.

There are three sorts. Those of version 0 come from the secret of their scope. Those that last
otherwise are kept beside the token, wrapped. Both are put into the session when they are wanted and
go when there are too many: a session object takes 12 KiB in SoftHSM. The third sort, dedicated keys
and keys of one message, lives in the session alone and ends with it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pkcs11 import Attribute, Mechanism, ObjectClass

from dlms.security.keys import KeyRef
from dlms.security.ops import CryptoFailure, KeyUnavailable, VerificationFailed
from dlms.security.suites import WRAPPING_OCTETS
from emulator.modules.key_kinds import AES, AES_LENGTHS
from emulator.modules.keyring import derive, is_derived, lasts
from emulator.modules.pkcs11 import templates
from emulator.modules.pkcs11.capabilities import FINGERPRINTS
from emulator.modules.pkcs11.connection import Connection
from emulator.modules.pkcs11.errors import BAD_WRAPPING
from emulator.modules.pkcs11.kept import DESTROYED, WrappedKeys
from emulator.modules.pkcs11.residents import Residents
from emulator.modules.poor_keys import poor_keys

MOST_OBJECTS = 4096
"""Keys in the session that can be had again: 48 MiB at the most in SoftHSM."""
MOST_PASSING = 8192
"""Keys that live in the session alone: 96 MiB at the most. Then no more are made."""
_LEAST_WRAPPED = 16
"""Octets, and more by 8 at a time (RFC 3394, 2)."""
_FINGERPRINT = b"cosemlab fingerprint\0"


class SecretKeys:
    """``suite_of`` tells the security suite in which a key is at home, for how long it is."""

    def __init__(
        self,
        connection: Connection,
        residents: Residents,
        kept: WrappedKeys,
        suite_of: Callable[[KeyRef], int],
        most: int,
    ) -> None:
        self._connection = connection
        self._residents = residents
        self._kept = kept
        self._suite_of = suite_of
        self._most = max(most, 2)  # those of one operation are there together
        self._passing: dict[KeyRef, Any] = {}
        self._cached: OrderedDict[KeyRef, Any] = OrderedDict()

    def get(self, ref: KeyRef) -> Any:
        """The key in the session. :class:`KeyUnavailable` if there is none of that name."""
        key = self._passing.get(ref)
        if key is not None:
            return key
        key = self._cached.get(ref)
        if key is not None:
            self._cached.move_to_end(ref)
            return key
        key = self._load(ref, extractable=False)
        while len(self._cached) >= self._most:
            _, old = self._cached.popitem(last=False)
            old.destroy()
        self._cached[ref] = key
        return key

    def holds(self, ref: KeyRef) -> bool:
        """Whether there is such a key, in the session or to be had. Asks nothing of the token."""
        if ref in self._passing or ref in self._cached:
            return True
        wrapped = self._kept.load(ref) if lasts(ref) else None
        if wrapped is not None:
            return wrapped != DESTROYED
        return is_derived(ref) and self._residents.derives(ref.scope)

    def octets(self, ref: KeyRef) -> bytes:
        """Read a key that may be read."""
        if ref.kind not in templates.READABLE:
            raise KeyUnavailable(f"{ref} does not leave the token")
        octets: bytes = self.get(ref)[Attribute.VALUE]
        return octets

    def wrap(self, kek: KeyRef, ref: KeyRef) -> bytes:
        """Wrap a key under another (RFC 3394)."""
        wrapping = self.get(kek)
        with self._extractable(ref) as key:
            wrapped: bytes = wrapping.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP)
        return wrapped

    @contextmanager
    def _extractable(self, ref: KeyRef) -> Iterator[Any]:
        """The key in a form that can be wrapped, for as long as that takes."""
        key = self._passing.get(ref)
        if key is not None:
            yield key
            return
        key = self._load(ref, extractable=True)
        try:
            yield key
        finally:
            key.destroy()

    def fingerprint(self, ref: KeyRef) -> bytes:
        """A hash, made in the token, by which equal keys are known. It leaves this process never,
        and tells nothing of a key that was drawn at random.
        """
        return self._fingerprint(self.get(ref))

    # Coming and going ----------------------------------------------------------------------------

    def generate(self, into: KeyRef, length: int) -> None:
        symmetric = into.kind in AES
        kind = templates.key_type(into)
        if symmetric and length not in AES_LENGTHS:
            raise ValueError(f"{length} octets are no key of AES")
        self._check_room(into)
        made = self._connection.session.generate_key(
            kind,
            length * 8,
            mechanism=Mechanism.AES_KEY_GEN if symmetric else Mechanism.GENERIC_SECRET_KEY_GEN,
            template=templates.secret(into, extractable=True),
        )
        self._settle(into, made, length)

    def keep_octets(self, into: KeyRef, octets: bytes) -> None:
        """Keep a key whose octets are known here: one that was agreed, or lifted."""
        self._check_room(into)
        self._settle(into, self._create(into, octets, extractable=lasts(into)), len(octets))

    def bring(self, ref: KeyRef, octets: bytes) -> None:
        """Have a key from outside, for this session."""
        self._check_room(ref)
        self._forget(ref)
        self._passing[ref] = self._create(ref, octets, extractable=True)

    def unwrap(self, kek: KeyRef, wrapped: bytes, into: KeyRef, unlike: tuple[KeyRef, ...]) -> None:
        """See :class:`~dlms.security.ops.Unwrap`."""
        wrapping = self.get(kek)
        length = len(wrapped) - WRAPPING_OCTETS
        self._check_room(into)
        if into.kind in AES and length not in AES_LENGTHS:
            raise VerificationFailed("wrapped key does not verify: no length of a key")
        # What is not kept beside the token was only made to be used here.
        key = self._unwrapped(wrapping, wrapped, into, extractable=lasts(into))
        if key is None:
            raise VerificationFailed("wrapped key does not verify")
        try:
            self.check_new(into, self._fingerprint(key), length, unlike)
        except CryptoFailure:
            key.destroy()
            raise
        self._settle(into, key, length)

    def check_new(
        self, into: KeyRef, fingerprint: bytes, length: int, unlike: tuple[KeyRef, ...]
    ) -> None:
        """:class:`VerificationFailed` if a key of ``length`` octets is none: see
        :class:`~dlms.security.ops.Unwrap`.
        """
        for poor, what in poor_keys(into.holder, length):
            if fingerprint == fingerprint_of(poor):
                raise VerificationFailed(what)
        if any(fingerprint == self.fingerprint(other) for other in unlike):
            raise VerificationFailed("key is in use or was used before")

    def discard(self, ref: KeyRef) -> None:
        """Destroy a key. One that could be derived again is not, from now on."""
        self._forget(ref)
        if is_derived(ref) and self._residents.derives(ref.scope):
            self._kept.keep(ref, DESTROYED)
        elif lasts(ref):
            self._kept.discard(ref)

    def _settle(self, into: KeyRef, key: Any, length: int) -> None:
        """Keep a fresh key where its sort belongs, in the place of any other of its name."""
        if not lasts(into):
            self._forget(into)
            self._passing[into] = key
            return
        try:
            # SoftHSM would fill up others, and they would come back longer than they were.
            if length < _LEAST_WRAPPED or length % WRAPPING_OCTETS:
                raise KeyUnavailable(f"{length} octets cannot be wrapped, so {into} cannot last")
            wrapped = self._residents.storage.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP)
        finally:
            key.destroy()
        self._kept.keep(into, wrapped)
        self._forget(into)

    def _forget(self, ref: KeyRef) -> None:
        for place in (self._passing, self._cached):
            key = place.pop(ref, None)
            if key is not None:
                key.destroy()

    def _check_room(self, into: KeyRef) -> None:
        if len(self._passing) >= MOST_PASSING and into not in self._passing:
            raise KeyUnavailable(f"no room for {into}: {MOST_PASSING} keys are in the session")

    # Where keys come from ------------------------------------------------------------------------

    def _load(self, ref: KeyRef, *, extractable: bool) -> Any:
        wrapped = self._kept.load(ref) if lasts(ref) else None
        if wrapped:
            key = self._unwrapped(self._residents.storage, wrapped, ref, extractable=extractable)
            if key is None:
                raise KeyUnavailable(f"what is kept of {ref} was not wrapped by this token")
            return key
        if wrapped == DESTROYED or not (is_derived(ref) and self._residents.derives(ref.scope)):
            raise KeyUnavailable(f"no key {ref}")
        octets = derive(ref, self._suite_of(ref), partial(self._residents.expand, ref.scope))
        return self._create(ref, octets, extractable=extractable)

    def _create(self, ref: KeyRef, octets: bytes, *, extractable: bool) -> Any:
        template = templates.secret(ref, extractable=extractable)
        return self._connection.session.create_object({**template, Attribute.VALUE: octets})

    def _unwrapped(self, kek: Any, wrapped: bytes, into: KeyRef, *, extractable: bool) -> Any:
        """The key; ``None`` if it does not verify."""
        try:
            return kek.unwrap_key(
                ObjectClass.SECRET_KEY,
                templates.key_type(into),
                bytes(wrapped),
                mechanism=Mechanism.AES_KEY_WRAP,
                template=templates.secret(into, extractable=extractable),
            )
        except BAD_WRAPPING:
            self._connection.check()
            return None

    def _fingerprint(self, key: Any) -> bytes:
        return self._connection.digest(FINGERPRINTS, (_FINGERPRINT, key))


def fingerprint_of(octets: bytes) -> bytes:
    """The same of octets that are known here."""
    return hashlib.sha256(_FINGERPRINT + octets).digest()
