"""Who a client of a run is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dlms.security.control import Protection


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKind:
    """How a client of a run is made. ``shares`` is the client whose keys and counters it has.
    ``title`` is its system title, by default the one that is registered. ``channel_title`` is what
    the secure channel vouches for, if there is one. ``knobs`` are its own. ``max_pdu_size`` is how
    many octets of an APDU it takes, ``user`` the id that it gives where users are identified.
    """

    association: str
    shares: str = ""
    dedicated: bool = False
    title: bytes | None = None
    channel_title: bytes | None = None
    protection: Protection | None = None
    max_pdu_size: int = 0xFFFF
    user: int | None = None
    knobs: Mapping[str, object] = field(default_factory=dict)
