"""What happens on a data link. ``server`` is the upper address of the logical device."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from dlms.framing.hdlc.parameters import Parameters


class LinkUp(NamedTuple):
    """SNRM and UA have passed; what was there before between these two is gone."""

    client: int
    server: int
    parameters: Parameters


class LinkDown(NamedTuple):
    """There is no link any more. ``why`` is for people."""

    client: int
    server: int
    why: str


class ApduArrived(NamedTuple):
    """A whole APDU, put together of its segments; ``unnumbered`` if it came in a UI frame."""

    client: int
    server: int
    apdu: bytes
    unnumbered: bool = False


Event: TypeAlias = LinkUp | LinkDown | ApduArrived
