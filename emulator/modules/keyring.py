"""Keys of the software module: derived from a fleet secret until they are rotated.

A fleet of a million meters needs no store of keys: the first version of each key is a function of
the fleet secret and the key's name. What has been transferred or generated since is kept beside.
That includes key pairs: whoever has the fleet secret can sign for every meter, so a signature in
this laboratory proves to nobody else who made it.

Between the two stands a secret for each scope. Who holds that of one scope can derive no key of
another: so the S1SP and the DCO hold each their own and neither the fleet's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from devices.remembering import Changes, Remembered, RememberedSet
from dlms.security.keys import KEY_LENGTH, KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import Curve, KeyUnavailable
from dlms.security.suites import SUITES
from emulator.modules.curves import ORDERS

SECRET_LENGTH = {KeyKind.LLS_SECRET: 8, KeyKind.HLS_SECRET: 32}
"""Octets of a derived secret, written as that many hexadecimal digits: a password is typed by
people, and 32 digits are the 128 bits that a hash with a known challenge needs.
"""

_PRIVATE = (KeyKind.SIGNING_KEY, KeyKind.AGREEMENT_KEY)
_NOT_DERIVED = (KeyKind.EPHEMERAL, KeyKind.TLS_PRIVATE_KEY)
"""A key of one message is never the same twice; those of TLS come with their certificates."""


REQUESTS = "requests of "
"""Begins the scope of the key with which somebody on the DCC side signs Service Requests."""
_SUITE_OF_REQUESTS = 1
"""Those keys are on P-256, whatever the meters have."""

SCOPE_SECRET_LENGTH = 32
"""Octets of the secret of a scope: a key of HMAC-SHA256."""


def suite_zero(ref: KeyRef) -> int:
    return 0


def scope_secret(fleet_secret: bytes, scope: str) -> bytes:
    """What all derived keys of a scope come from, and nothing but them (RFC 5869)."""
    return HKDF(
        algorithm=hashes.SHA256(),
        length=SCOPE_SECRET_LENGTH,
        salt=None,
        info=f"cosemlab scope\0{scope}".encode(),
    ).derive(fleet_secret)


def scope_secrets(fleet_secret: bytes, scopes: Collection[str]) -> dict[str, bytes]:
    """Those of several scopes, for a :class:`KeyRing` that is to know no others."""
    return {scope: scope_secret(fleet_secret, scope) for scope in scopes}


class KeyRing:
    """Key octets by reference. Its ``repr`` shows none of them.

    ``secret`` is the fleet's, or the secrets of the scopes that the holder may know, which may
    become more; without one nothing is derived.

    ``suite_of`` tells the security suite in which a key is at home. It decides how long a derived
    key is, and whether there are key pairs and on which curve.

    ``lasting`` are long-lived keys that were kept, ``destroyed`` those that are not derived any
    more: for whoever keeps them beyond the process. The others are worked out again, or end with
    their association.
    """

    def __init__(
        self,
        secret: bytes | dict[str, bytes] | None = None,
        suite_of: Callable[[KeyRef], int] = suite_zero,
        lasting: Iterable[tuple[KeyRef, bytes]] = (),
        destroyed: Iterable[KeyRef] = (),
    ) -> None:
        self._fleet_secret = secret if isinstance(secret, bytes) else None
        self._scope_secrets = {} if secret is None or isinstance(secret, bytes) else secret
        self._suite_of = suite_of
        self._passing: dict[KeyRef, bytes] = {}
        self.changes = Changes()
        self.lasting: Remembered[KeyRef, bytes] = Remembered(self.changes, lasting)
        self.destroyed: RememberedSet[KeyRef] = RememberedSet(self.changes, destroyed)

    def __repr__(self) -> str:
        return f"<KeyRing, {len(self.refs)} keys kept>"

    @property
    def refs(self) -> frozenset[KeyRef]:
        """The names of the keys that are kept, those that were derived once among them."""
        return frozenset((*self._passing, *self.lasting))

    @property
    def size(self) -> int:
        """How many they are: none is both derived and kept."""
        return len(self._passing) + len(self.lasting)

    def entrust(self, secrets: Mapping[str, bytes]) -> None:
        """The keys of these scopes come from these secrets, whatever the fleet's is. To be said
        before any of them was derived.
        """
        self._scope_secrets = {**self._scope_secrets, **secrets}

    def keep(self, ref: KeyRef, key: bytes) -> None:
        self._passing.pop(ref, None)
        if lasts(ref):
            self.lasting[ref] = key
        else:
            self._passing[ref] = key

    def discard(self, ref: KeyRef) -> None:
        """Destroy a key. One that could be derived again is not, from now on."""
        self._passing.pop(ref, None)
        self.lasting.pop(ref, None)
        if self._is_derivable(ref):
            self.destroyed.add(ref)

    def get(self, ref: KeyRef) -> bytes:
        """The key's octets. :class:`KeyUnavailable` if it is neither kept nor derivable."""
        key = self._passing.get(ref)
        if key is None:
            key = self.lasting.get(ref)
        if key is not None:
            return key
        if not self._is_derivable(ref) or ref in self.destroyed:
            raise KeyUnavailable(f"no key {ref}")
        key = self._derive(ref)
        self._passing[ref] = key
        return key

    def holds(self, ref: KeyRef) -> bool:
        """Whether there is such a key, kept or to be derived."""
        return (
            ref in self._passing
            or ref in self.lasting
            or (self._is_derivable(ref) and ref not in self.destroyed)
        )

    def settle(self) -> None:
        """What is in ``lasting`` and ``destroyed`` is kept somewhere now."""
        self.lasting.settle()
        self.destroyed.of.settle()
        self.changes.any = False

    def revert(self) -> None:
        """Go back to what was kept."""
        self.lasting.revert()
        self.destroyed.of.revert()
        self.changes.any = False

    def _is_derivable(self, ref: KeyRef) -> bool:
        return (self._fleet_secret is not None or ref.scope in self._scope_secrets) and is_derived(
            ref
        )

    def _derive(self, ref: KeyRef) -> bytes:
        return derive(ref, self._suite_of(ref), partial(self._expand, ref.scope))

    def _expand(self, scope: str, info: bytes, length: int) -> bytes:
        secret = self._scope_secret(scope)
        return HKDFExpand(algorithm=hashes.SHA256(), length=length, info=info).derive(secret)

    def _scope_secret(self, scope: str) -> bytes:
        secret = self._scope_secrets.get(scope)
        if secret is None:
            assert self._fleet_secret is not None  # get() has checked
            secret = self._scope_secrets[scope] = scope_secret(self._fleet_secret, scope)
        return secret


def is_derived(ref: KeyRef) -> bool:
    """Whether a key of this name comes from the secret of its scope, unless it was replaced."""
    return (
        ref.version == 0 and ref.lifetime is KeyLifetime.LONG_LIVED and ref.kind not in _NOT_DERIVED
    )


def derive(ref: KeyRef, suite_number: int, expand: Callable[[bytes, int], bytes]) -> bytes:
    """The octets of a key that is derived. ``expand`` is HKDF-Expand (RFC 5869, 2.3) with the
    secret of the key's scope, wherever that is: of ``info``, to a length.

    :class:`KeyUnavailable` if it would be a key pair and the security suite has none.
    """
    requests = ref.scope.startswith(REQUESTS)
    suite = SUITES[_SUITE_OF_REQUESTS if requests else suite_number]
    if ref.kind in _PRIVATE:
        if suite.curve is None:
            raise KeyUnavailable(f"no key {ref}: its security suite has no key pairs")
        return _scalar(ref, suite.curve, expand)
    digits = SECRET_LENGTH.get(ref.kind)
    if digits is not None:
        return expand(derivation_info(ref, "key"), digits // 2).hex().encode()
    return expand(derivation_info(ref, key_label(suite.key_length)), suite.key_length)


def _scalar(ref: KeyRef, curve: Curve, expand: Callable[[bytes, int], bytes]) -> bytes:
    """A number from 1 to n - 1. With 64 bits too many, reduced modulo n - 1, it is as good as
    evenly distributed (FIPS 186-5, A.2.1).
    """
    info = derivation_info(ref, f"private key on {curve.name}")
    number = int.from_bytes(expand(info, curve.value + 8), "big") % (ORDERS[curve] - 1) + 1
    return number.to_bytes(curve.value, "big")


def key_label(length: int) -> str:
    """HKDF gives a short key as the beginning of a long one: another label keeps them apart."""
    return "key" if length == KEY_LENGTH else f"key of {length} octets"


def derivation_info(ref: KeyRef, label: str) -> bytes:
    """The name of a key, as HKDF-Expand takes it in."""
    return f"cosemlab {label}\0{ref.scope}\0{ref.kind.name}\0".encode() + ref.holder


def lasts(ref: KeyRef) -> bool:
    """Whether a key is worth keeping: long-lived ones, and authentication keys that were handed
    over for the next association, which may be a long time away.
    """
    return ref.lifetime is KeyLifetime.LONG_LIVED or ref.kind is KeyKind.GAK
