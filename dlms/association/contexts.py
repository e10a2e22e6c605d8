"""The security context of an association, made of its configuration and keys, for both ends."""

from __future__ import annotations

from dlms.association.config import AssociationKeys, ClientConfig, ServerConfig
from dlms.errors import LocalProtocolError
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyRef
from dlms.security.protect import SecurityContext


def security_context(
    config: ServerConfig | ClientConfig,
    keys: AssociationKeys,
    counters: InvocationCounters,
    own_title: bytes | None,
    peer_title: bytes | None,
) -> SecurityContext | None:
    """What the association protects with; ``None`` if it protects nothing.

    :class:`LocalProtocolError` if the configuration asks for what it has no keys or title for. On a
    broadcast address the unicast key is not at home (R-BC-2).
    """
    if config.needs_title and own_title is None:
        raise LocalProtocolError("this association needs a system title and has none")
    if not config.needs_key:
        return None
    guek = None if config.broadcast else keys.guek
    ek = keys.gbek if config.broadcast else guek
    if ek is None or own_title is None:
        raise LocalProtocolError("this association needs an encryption key and has none")
    knobs = config.knobs
    context = SecurityContext(
        suite=config.suite,
        own_title=own_title,
        counters=counters,
        guek=guek,
        gak=keys.gak,
        gbek=keys.gbek if config.broadcast or isinstance(config, ServerConfig) else None,
        peer_title=peer_title,
        max_forward_jump=knobs.max_forward_jump,
        empty_title=knobs.empty_title_accepted,
        unprotected=knobs.unprotected_control_accepted,
    )
    counters.raise_to(ek, knobs.first_counter)
    return context


def take_keys(
    context: SecurityContext, config: ServerConfig | ClientConfig, keys: AssociationKeys
) -> None:
    """Go over to keys that were transferred; a dedicated key stays (KL-KT-18)."""
    if not config.broadcast and keys.guek is not None:
        context.guek = keys.guek
        context.counters.raise_to(keys.guek, config.knobs.first_counter)
    if config.broadcast or isinstance(config, ServerConfig):
        context.gbek = keys.gbek
    context.gak = keys.gak


def take_dedicated(context: SecurityContext, dedicated: KeyRef, first_counter: int) -> None:
    """From now on there is a dedicated key, whose counters begin anew (R-IC-2)."""
    context.dedicated = dedicated
    context.counters.establish(dedicated)
    context.counters.raise_to(dedicated, first_counter)
