"""The security of an association, made of its configuration and keys, for both ends."""

from __future__ import annotations

from typing import NamedTuple

from dlms.association.config import AssociationKeys, ClientConfig, ServerConfig
from dlms.errors import LocalProtocolError
from dlms.security.counters import InvocationCounters
from dlms.security.general_context import GeneralContext, GeneralPractice
from dlms.security.keys import KeyRef
from dlms.security.protect import SecurityContext
from dlms.security.spent_keys import SpentKeys


class Freshness(NamedTuple):
    """What one party must not use or accept a second time. It outlives associations."""

    counters: InvocationCounters
    spent: SpentKeys


def general_context(
    config: ServerConfig | ClientConfig,
    keys: AssociationKeys,
    freshness: Freshness,
    titles: tuple[bytes | None, bytes | None],
    label: str,
) -> GeneralContext | None:
    """What the association protects with; ``None`` if it protects nothing.

    ``titles`` are one's own and the peer's. ``label`` is unique among the associations of the
    module: keys of single messages are named by it.

    :class:`LocalProtocolError` if the configuration asks for what it has no keys or title for. On a
    broadcast address the unicast key is not at home (R-BC-2).
    """
    own_title, peer_title = titles
    if config.needs_title and own_title is None:
        raise LocalProtocolError("this association needs a system title and has none")
    if not config.needs_key:
        return None
    guek = None if config.broadcast else keys.guek
    ek = keys.gbek if config.broadcast else guek
    if ek is None or own_title is None:
        raise LocalProtocolError("this association needs an encryption key and has none")
    knobs = config.knobs
    counters = freshness.counters
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
    return GeneralContext(
        security=context,
        scope=f"{ek.holder.hex()}/{ek.scope}#{label}",
        kek=keys.kek,
        agreement_key=keys.agreement_key,
        signing_key=keys.signing_key,
        peer_agreement_public=keys.peer_agreement_public,
        peer_signing_public=keys.peer_public,
        practice=GeneralPractice(
            algorithm_id=knobs.algorithm_id_form,
            zero_counter=knobs.message_counter_zero,
            without_key_info=knobs.key_info_optional,
            content_length_signed=knobs.content_length_signed,
        ),
        spent=freshness.spent,
    )


def take_keys(
    general: GeneralContext,
    config: ServerConfig | ClientConfig,
    keys: AssociationKeys,
    spent: SpentKeys | None = None,
) -> None:
    """Go over to keys that were transferred or agreed, and to key pairs and certificates that have
    been replaced; a dedicated key stays (KL-KT-18). So do the ``spent`` keys, if none are given.
    """
    context = general.security
    general.kek, general.agreement_key = keys.kek, keys.agreement_key
    general.signing_key = keys.signing_key
    if spent is not None:
        general.spent = spent
    general.peer_agreement_public = keys.peer_agreement_public
    if keys.peer_public is not None:  # else it was in the AARQ or AARE
        general.peer_signing_public = keys.peer_public
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
