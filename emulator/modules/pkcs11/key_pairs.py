"""The key pairs of a module in one session with its token.

Private keys never leave it. Those that last are kept in the token itself, with their public keys:
there are few, and a private key cannot be wrapped as AES keys are. Those of version 0 are derived
as secret keys are; those of one message are in the session alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from dlms.security.keys import KeyRef
from dlms.security.ops import Curve, KeyUnavailable
from emulator.modules import curves
from emulator.modules.keyring import derive, is_derived, lasts
from emulator.modules.pkcs11 import templates
from emulator.modules.pkcs11.connection import Connection
from emulator.modules.pkcs11.kept import DESTROYED, WrappedKeys
from emulator.modules.pkcs11.residents import Residents

MOST_PAIRS = 256
"""Pairs in the session that can be had again."""
MOST_PASSING = 1024
"""Pairs that live in the session alone: each is for one message, and discarded with it."""
_UNFINISHED = "unfinished "
"""Begins the label of a pair whose predecessor is still there."""


class Pair(NamedTuple):
    """``private`` is the token's object, ``public`` is ``x ‖ y``. ``stored`` is whether the token
    keeps it; if not it ends with the session.
    """

    private: Any
    public: bytes
    curve: Curve
    stored: bool


class KeyPairs:
    """``suite_of`` as in :class:`~emulator.modules.pkcs11.secret_keys.SecretKeys`."""

    def __init__(
        self,
        connection: Connection,
        residents: Residents,
        kept: WrappedKeys,
        suite_of: Callable[[KeyRef], int],
    ) -> None:
        self._connection = connection
        self._residents = residents
        self._kept = kept
        self._suite_of = suite_of
        self._passing: dict[KeyRef, Pair] = {}
        self._cached: OrderedDict[KeyRef, Pair] = OrderedDict()

    def get(self, ref: KeyRef) -> Pair:
        """:class:`KeyUnavailable` if there is no pair of that name."""
        pair = self._passing.get(ref) or self._cached.get(ref)
        if pair is None:
            pair = self._load(ref)
            while len(self._cached) >= MOST_PAIRS:
                _, old = self._cached.popitem(last=False)
                if not old.stored:
                    old.private.destroy()
            self._cached[ref] = pair
        return pair

    def holds(self, ref: KeyRef) -> bool:
        """Whether there is such a pair, in the session or to be had; one that lasts may be in the
        token, which is not asked.
        """
        return ref in self._passing or ref in self._cached or lasts(ref)

    def generate(self, into: KeyRef, curve: Curve) -> Pair:
        """A new pair in the place of any other of its name."""
        lasting = lasts(into)
        self._check_room(into)
        label = _UNFINISHED + label_of(into) if lasting else ""
        if lasting:
            self._destroy_stored(label)
        parameters = self._connection.session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: templates.CURVE_PARAMETERS[curve]}, local=True
        )
        public, private = parameters.generate_keypair(
            store=lasting,
            mechanism=Mechanism.EC_KEY_PAIR_GEN,
            public_template=templates.public(curve, label=label, lasting=lasting),
            private_template=templates.private(into, label=label, lasting=lasting),
        )
        pair = Pair(private, _point(public, curve), curve, lasting)
        self._forget(into)
        if lasting:
            self._destroy_stored(label_of(into))
            for one in (public, private):
                one[Attribute.LABEL] = label_of(into)
            self._cached[into] = pair
        else:
            public.destroy()
            self._passing[into] = pair
        return pair

    def bring(self, ref: KeyRef, scalar: bytes) -> None:
        """Have a private key from outside, for this session."""
        self._check_room(ref)
        self._forget(ref)
        self._passing[ref] = self._create(ref, scalar)

    def discard(self, ref: KeyRef) -> None:
        self._forget(ref)
        if not lasts(ref):
            return
        for label in (label_of(ref), _UNFINISHED + label_of(ref)):
            self._destroy_stored(label)
        if is_derived(ref) and self._residents.derives(ref.scope):
            self._kept.keep(ref, DESTROYED)

    def _load(self, ref: KeyRef) -> Pair:
        if lasts(ref):
            stored = self._stored(ref)
            if stored is not None:
                return stored
            if self._kept.load(ref) is None and (
                is_derived(ref) and self._residents.derives(ref.scope)
            ):
                expand = partial(self._residents.expand, ref.scope)
                return self._create(ref, derive(ref, self._suite_of(ref), expand))
        raise KeyUnavailable(f"no key {ref}")

    def _stored(self, ref: KeyRef) -> Pair | None:
        """The pair that the token keeps. One that was made and not put into its place before this
        process ended is put there now if nothing else is.
        """
        self._connection.check()
        for label in (label_of(ref), _UNFINISHED + label_of(ref)):
            private = self._connection.find(ObjectClass.PRIVATE_KEY, label)
            public = self._connection.find(ObjectClass.PUBLIC_KEY, label)
            if private and public:
                for one in (*private, *public):
                    if label.startswith(_UNFINISHED):
                        one[Attribute.LABEL] = label_of(ref)
                curve = _curve_of(private[0])
                return Pair(private[0], _point(public[0], curve), curve, True)
        return None

    def _destroy_stored(self, label: str) -> None:
        self._connection.check()
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            for one in self._connection.find(kind, label):
                one.destroy()

    def _create(self, ref: KeyRef, scalar: bytes) -> Pair:
        key = curves.private_key(scalar)
        curve = Curve(len(scalar))
        template = {
            **templates.private(ref),
            Attribute.EC_PARAMS: templates.CURVE_PARAMETERS[curve],
            Attribute.VALUE: scalar,
        }
        private = self._connection.session.create_object(template)
        return Pair(private, curves.public_octets(key.public_key()), curve, False)

    def _forget(self, ref: KeyRef) -> None:
        for place in (self._passing, self._cached):
            pair = place.pop(ref, None)
            if pair is not None and not pair.stored:
                pair.private.destroy()

    def _check_room(self, into: KeyRef) -> None:
        if len(self._passing) >= MOST_PASSING and into not in self._passing:
            raise KeyUnavailable(f"no room for {into}: {MOST_PASSING} pairs are in the session")


def label_of(ref: KeyRef) -> str:
    """How a pair is called in the token."""
    return f"cosemlab {ref}"


def _curve_of(key: Any) -> Curve:
    parameters = key[Attribute.EC_PARAMS]
    for curve, known in templates.CURVE_PARAMETERS.items():
        if parameters == known:
            return curve
    raise KeyUnavailable("the token has a key of that name on another curve")


def _point(public: Any, curve: Curve) -> bytes:
    """``x ‖ y``: whether CKA_EC_POINT is wrapped in an OCTET STRING depends on the vendor."""
    point: bytes = public[Attribute.EC_POINT]
    return point[-2 * curve.value :]
