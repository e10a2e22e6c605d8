"""What a meter and a client are on their line. Times are in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters
from dlms.framing.hdlc.receiver import INTER_OCTET_TIMEOUT

INACTIVITY_TIMEOUT = 120.0
"""Seconds without a frame until a link is given up (IEC HDLC setup, attribute 8); 0 is never."""

MAX_APDU = 0xFFFF
"""Octets of an APDU put together of segments: no PDU size that can be negotiated is larger."""

MAX_LINKS = 16
"""Links at once; a client beyond that gets DM. A meter has a handful of clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationConfig:
    """A meter.

    ``logical_devices`` says whether there is one of that upper address. ``lower`` is the physical
    device's own address, ``calling`` whether it is the one that has called, so that CALLING_STATION
    means it. ``octets`` are the lengths of address it answers to. ``limits`` are what it can do at
    the most, as it sees it. ``unnumbered`` is whether UI frames are taken.
    """

    logical_devices: Callable[[int], bool]
    lower: int = 1
    calling: bool = False
    octets: frozenset[int] = frozenset({1, 2, 4})
    limits: Parameters = DEFAULTS
    unnumbered: bool = True
    inactivity_timeout: float = INACTIVITY_TIMEOUT
    inter_octet_timeout: float = INTER_OCTET_TIMEOUT
    max_apdu: int = MAX_APDU
    max_links: int = MAX_LINKS


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryConfig:
    """A client. ``client`` is its address, of one octet; ``limits`` are proposed in SNRM.

    ``response_timeout`` is from the poll to the first frame, and from each frame to the next.
    ``retries`` is how often a frame without effect is sent again. ``poll_interval`` is how long to
    wait before a server that had nothing to say is polled again, ``max_polls`` how often.
    """

    client: int
    server: Address
    limits: Parameters = DEFAULTS
    response_timeout: float = 5.0
    retries: int = 3
    poll_interval: float = 0.2
    max_polls: int = 150
    inter_octet_timeout: float = INTER_OCTET_TIMEOUT
    max_apdu: int = MAX_APDU
