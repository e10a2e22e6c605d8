"""A party of the head end: S1SP or DCO. Each has its own certificate and its own counters."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from devices.objects.token_gateway import TOKEN_SCOPE
from devices.profile import Profile
from devices.profile.model import AssociationRow
from dlms.errors import LocalProtocolError
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyRef
from emulator.custody import Custody, Errand
from emulator.head_end.handed_keys import HandedKeys
from emulator.head_end.known_keys import KnownKeys
from emulator.modules.keyring import REQUESTS
from emulator.modules.tls_module import TlsModule
from emulator.policy import Actor, Category, Purpose
from emulator.provisioning import ALERTS
from tls.contexts import client_context
from tls.credentials import CertificateChain, Credential, ExternalCredential, Trust

TITLES = {
    Actor.S1SP: b"S1P\x00\x00\x00\x00\x01",
    Actor.DCO: b"DCO\x00\x00\x00\x00\x01",
    Actor.DCC: b"DCC\x00\x00\x00\x00\x01",
}
"""System titles of the two parties, and of the DCC as it countersigns requests. Their first three
letters are no registered FLAG IDs.
"""

ASSOCIATIONS = {"s1sp": Actor.S1SP, "dco": Actor.DCO}
"""Whose client each association is; the others belong to nobody on the DCC side."""

CATEGORIES = {1: Category.CATEGORY_1, 2: Category.CATEGORY_2}
"""By the number that a profile gives."""

LISTENER = Actor.S1SP
"""Who takes alerts."""

STORES = {actor: f"store of {actor.value}" for actor in (Actor.S1SP, Actor.DCO)}
"""Scopes of the keys that wrap what each party stores."""

SIGNING = {actor: f"{REQUESTS}{actor.value}" for actor in TITLES}
"""Scopes of the keys that each signs Service Requests with on their way."""

SCOPES = {
    Actor.S1SP: ("s1sp", ALERTS, TOKEN_SCOPE, STORES[Actor.S1SP], SIGNING[Actor.S1SP]),
    Actor.DCO: ("dco", STORES[Actor.DCO], SIGNING[Actor.DCO]),
    Actor.DCC: (SIGNING[Actor.DCC],),
}
"""Whose keys are whose: the associations of each party, and what makes tokens to add credit."""


def storage_key(actor: Actor) -> KeyRef:
    """The key that wraps what a party stores."""
    return KeyRef(TITLES[actor], STORES[actor], KeyKind.STORAGE)


def signing_key(actor: Actor) -> KeyRef:
    """The key that a party signs Service Requests with: of no SMETS1 Device, and not symmetric."""
    return KeyRef(TITLES[actor], SIGNING[actor], KeyKind.SIGNING_KEY)


def client_titles() -> dict[str, bytes]:
    """The titles to register in a meter, by association."""
    return {ALERTS: TITLES[LISTENER], **{name: TITLES[one] for name, one in ASSOCIATIONS.items()}}


def tls_key(actor: Actor) -> KeyRef:
    """The name of the DCC Private Key a party establishes TLS with."""
    return KeyRef(TITLES[actor], actor.value.lower(), KeyKind.TLS_PRIVATE_KEY)


def listener_key(actor: Actor) -> KeyRef:
    """The name of the one by which it is known as a TLS server: another key pair."""
    return KeyRef(TITLES[actor], ALERTS, KeyKind.TLS_PRIVATE_KEY)


@dataclass(slots=True, kw_only=True, eq=False)
class Party:
    """Without a ``credential`` it has no way to meters of its own: so the DCO, which speaks through
    a relay of the S1SP's.

    ``association`` names the row of a profile that this party uses, where that is not the one
    called like it. ``keylog`` is a file for TLS secrets, to analyse recorded traffic. With
    ``going_by`` it goes by the title of another client, which is registered until a meter has
    changed hands; ``credential``, if it has one, must be for that title, too.

    The private key of a certificate is in OpenSSL, if it is a
    :class:`~tls.credentials.Credential`; of one that comes without, it is in ``tls_module``.
    """

    actor: Actor
    credential: CertificateChain | None
    trust: Trust
    custody: Custody
    tls_module: TlsModule | None = None
    counters: InvocationCounters = field(default_factory=InvocationCounters)
    handed: HandedKeys = field(default_factory=HandedKeys)
    known: KnownKeys = field(default_factory=KnownKeys)
    association: str = ""
    keylog: Path | None = None
    going_by: bytes | None = None
    _context: ssl.SSLContext | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.credential is not None:
            self.tls_holder(self.credential)

    @property
    def title(self) -> bytes:
        return TITLES[self.actor] if self.going_by is None else self.going_by

    @property
    def tls_key(self) -> KeyRef:
        """The name of the DCC Private Key this party establishes TLS with. By another's title it is
        another one.
        """
        return tls_key(self.actor)._replace(holder=self.title)

    @property
    def listener_key(self) -> KeyRef:
        return listener_key(self.actor)

    def row(self, profile: Profile) -> AssociationRow:
        """The party's association with a meter. :class:`LocalProtocolError` if it has none."""
        name = self.association or self.actor.value.lower()
        row = profile.associations.get(name)
        if row is None:
            raise LocalProtocolError(f"{profile.name} has no association {name!r}")
        return row

    def tls_context(self) -> ssl.SSLContext:
        """The party's TLS context, made once: to load the key into OpenSSL takes files.
        :class:`LocalProtocolError` if it has no certificate.
        """
        if self.credential is None:
            raise LocalProtocolError(f"the {self.actor.value} has no way to meters of its own")
        if self._context is None:
            credential = self.presented(self.credential, self.tls_key)
            self._context = client_context(credential, self.trust, keylog=self.keylog)
        return self._context

    def tls_holder(self, chain: CertificateChain) -> TlsModule | None:
        """The module that has the private key of a certificate; ``None`` if OpenSSL has it.
        ``ValueError`` if nobody has.
        """
        if isinstance(chain, Credential):
            return None
        if self.tls_module is None:
            raise ValueError(f"nobody has the private key of the {self.actor.value}'s certificate")
        return self.tls_module

    def presented(self, chain: CertificateChain, key: KeyRef) -> Credential | ExternalCredential:
        """A certificate of the party with the way to its private key, which is called ``key``."""
        if isinstance(chain, Credential):
            return chain
        holder = self.tls_holder(chain)
        assert holder is not None  # it is no Credential
        return ExternalCredential(chain_pem=chain.chain_pem, sign=partial(holder.tls_sign, key))

    def errand(self, device: str, category: int, purpose: Purpose) -> Errand:
        return Errand(self.actor, device, CATEGORIES[category], purpose)
