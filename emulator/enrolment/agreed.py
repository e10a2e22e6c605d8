"""What a supplier and the DCC have agreed on: which keys go to whom, wrapped by what."""

from __future__ import annotations

from collections.abc import Iterator

from devices.objects.token_gateway import TOKEN_SCOPE
from devices.profile import Profile
from devices.profile.model import AssociationRow
from dlms.security.keys import KeyKind, KeyRef
from emulator.head_end.party import TITLES
from emulator.policy import Actor
from emulator.provisioning import ALERTS

SCOPES = {Actor.S1SP: ("s1sp", ALERTS, TOKEN_SCOPE), Actor.DCO: ("dco",)}
"""The keys of a meter that are handed over, by the party that gets them: neither gets the other's.
In the supplier's system one hand has them all.
"""

GLOBAL = (KeyKind.GUEK, KeyKind.GBEK, KeyKind.GAK, KeyKind.KEK)


def transport_scope(supplier: str, actor: Actor) -> str:
    return f"migration from {supplier} to {actor.value}"


def transport_key(supplier: str, actor: Actor) -> KeyRef:
    """The key that wraps what a supplier hands over to a party."""
    return KeyRef(TITLES[actor], transport_scope(supplier, actor), KeyKind.KEK)


def associations(profile: Profile, actor: Actor) -> list[AssociationRow]:
    """The associations of a meter whose keys change hands, the party's own first."""
    rows = (profile.associations.get(scope) for scope in SCOPES[actor])
    return [row for row in rows if row is not None and row.security_setup is not None]


def has_token_key(profile: Profile, actor: Actor) -> bool:
    return TOKEN_SCOPE in SCOPES[actor] and profile.top_up == "token"


def keys_of_meter(profile: Profile, title: bytes, actor: Actor) -> Iterator[KeyRef]:
    """The names of the keys of a meter that a party is to have: those of its associations, and what
    tokens are made with.
    """
    for row in associations(profile, actor):
        yield from (KeyRef(title, row.name, kind) for kind in GLOBAL)
    if has_token_key(profile, actor):
        yield KeyRef(title, TOKEN_SCOPE, KeyKind.TOKEN)
