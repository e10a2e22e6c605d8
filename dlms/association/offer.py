"""What a server brings to an association, and what has been agreed on once it is admitted."""

from __future__ import annotations

from typing import NamedTuple

from dlms.association.config import AssociationKeys, ServerConfig
from dlms.association.contexts import Freshness, general_context
from dlms.security.counters import InvocationCounters
from dlms.security.general_context import GeneralContext
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.protect import SecurityContext
from dlms.security.spent_keys import SpentKeys
from dlms.xdlms.conformance import Conformance


class Offer(NamedTuple):
    """What the server brings to an association.

    ``channel_title`` is the system title in the peer's certificate, if the channel is secure.
    ``spent`` are the keys of single messages that the client has used; a new one forgets.
    """

    config: ServerConfig
    keys: AssociationKeys
    own_title: bytes
    counters: InvocationCounters
    channel_title: bytes | None
    spent: SpentKeys | None = None

    def general(self, title: bytes | None, label: str) -> GeneralContext | None:
        """What to protect with, with the client of that ``title``."""
        spent = SpentKeys() if self.spent is None else self.spent
        freshness = Freshness(self.counters, spent)
        titles = self.own_title, title
        return general_context(self.config, self.keys, freshness, titles, label)


class Admitted(NamedTuple):
    """An association that stands, or will once the caller commits it.

    Without ``confirmed`` there is no AARE, and nothing else will be answered. The challenges are
    kept until HLS is through. ``client_max_pdu`` is in octets, 0 for no limit.
    """

    reply: bytes | None
    confirmed: bool
    conformance: Conformance
    client_max_pdu: int
    general: GeneralContext | None = None
    client_title: bytes | None = None
    user: int | None = None
    client_challenge: bytes = b""
    server_challenge: bytes = b""
    client_public: bytes | None = None

    @property
    def security(self) -> SecurityContext | None:
        """The part of it that is for ciphering alone."""
        return None if self.general is None else self.general.security


def pre_established(offer: Offer, label: str) -> Admitted:
    """The association that stands from the start: what an AARQ would say is agreed (R-AA-1)."""
    config = offer.config
    title = config.client_title if config.needs_title else None
    return Admitted(
        None,
        not config.broadcast,
        config.conformance,
        config.max_pdu_size,
        offer.general(title, label),
        title,
    )


def dedicated_ref(offer: Offer, label: str, number: int) -> KeyRef:
    """A name no dedicated key had before on the connection that ``label`` stands for."""
    guek = offer.keys.guek
    scope = "" if guek is None else guek.scope
    return KeyRef(
        offer.own_title,
        f"{scope}#{label}",
        KeyKind.DEDICATED,
        KeyLifetime.SINGLE_ASSOCIATION,
        number,
    )
