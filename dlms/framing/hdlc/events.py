"""What happens on a data link. ``server`` is the upper address of the logical device."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dlms.framing.hdlc.parameters import Parameters


class LinkUp(NamedTuple):
    """SNRM and UA have passed; what was there before between these two is gone.

    ``parameters`` are as this end sees them.
    """

    client: int
    server: int
    parameters: Parameters


class LinkDown(NamedTuple):
    """There is no link any more, nor what it carried. ``why`` is for people."""

    client: int
    server: int
    why: str


class ApduArrived(NamedTuple):
    """A whole APDU, put together of its segments.

    ``unnumbered`` if it came in a UI frame: outside any link, so not to be answered as a confirmed
    service. ``broadcast`` if the address was that of all stations: then ``server`` may be
    :data:`~dlms.framing.hdlc.address.ALL_STATION`, and nobody is to answer.
    """

    client: int
    server: int
    apdu: bytes
    unnumbered: bool = False
    broadcast: bool = False


Event: TypeAlias = LinkUp | LinkDown | ApduArrived
