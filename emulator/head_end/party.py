"""A party of the head end: S1SP or DCO. Each has its own certificate and its own counters."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
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
from emulator.policy import Actor, Category, Purpose
from emulator.provisioning import ALERTS
from tls.contexts import client_context
from tls.credentials import Credential, Trust

TITLES = {Actor.S1SP: b"S1P\x00\x00\x00\x00\x01", Actor.DCO: b"DCO\x00\x00\x00\x00\x01"}
"""System titles of the two parties. Their first three letters are no registered FLAG IDs."""

ASSOCIATIONS = {"s1sp": Actor.S1SP, "dco": Actor.DCO}
"""Whose client each association is; the others belong to nobody on the DCC side."""

LISTENER = Actor.S1SP
"""Who takes alerts."""

STORES = {actor: f"store of {actor.value}" for actor in TITLES}
"""Scopes of the keys that wrap what each party stores."""

SCOPES = {
    Actor.S1SP: ("s1sp", ALERTS, TOKEN_SCOPE, STORES[Actor.S1SP]),
    Actor.DCO: ("dco", STORES[Actor.DCO]),
}
"""Whose keys are whose: the associations of each party, and what makes tokens to add credit."""


def storage_key(actor: Actor) -> KeyRef:
    """The key that wraps what a party stores."""
    return KeyRef(TITLES[actor], STORES[actor], KeyKind.KEK)


def client_titles() -> dict[str, bytes]:
    """The titles to register in a meter, by association."""
    return {ALERTS: TITLES[LISTENER], **{name: TITLES[one] for name, one in ASSOCIATIONS.items()}}


@dataclass(slots=True, kw_only=True, eq=False)
class Party:
    """``association`` names the row of a profile that this party uses, where that is not the one
    called like it. ``keylog`` is a file for TLS secrets, to analyse recorded traffic. With
    ``going_by`` it goes by the title of another client, which is registered until a meter has
    changed hands; ``credential`` must be for that title, too.
    """

    actor: Actor
    credential: Credential
    trust: Trust
    custody: Custody
    counters: InvocationCounters = field(default_factory=InvocationCounters)
    handed: HandedKeys = field(default_factory=HandedKeys)
    known: KnownKeys = field(default_factory=KnownKeys)
    association: str = ""
    keylog: Path | None = None
    going_by: bytes | None = None
    _context: ssl.SSLContext | None = field(default=None, init=False, repr=False)

    @property
    def title(self) -> bytes:
        return TITLES[self.actor] if self.going_by is None else self.going_by

    @property
    def tls_key(self) -> KeyRef:
        """The name of the DCC Private Key this party establishes TLS with."""
        return KeyRef(TITLES[self.actor], self.actor.value.lower(), KeyKind.TLS_PRIVATE_KEY)

    def row(self, profile: Profile) -> AssociationRow:
        """The party's association with a meter. :class:`LocalProtocolError` if it has none."""
        name = self.association or self.actor.value.lower()
        row = profile.associations.get(name)
        if row is None:
            raise LocalProtocolError(f"{profile.name} has no association {name!r}")
        return row

    def tls_context(self) -> ssl.SSLContext:
        """The party's TLS context, made once: to load the key into OpenSSL takes files."""
        if self._context is None:
            self._context = client_context(self.credential, self.trust, keylog=self.keylog)
        return self._context

    def errand(self, device: str, category: int, purpose: Purpose) -> Errand:
        kind = {1: Category.CATEGORY_1, 2: Category.CATEGORY_2}[category]
        return Errand(self.actor, device, kind, purpose)
