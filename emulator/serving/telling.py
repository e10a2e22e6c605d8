"""Notifications through an association: those it can say, and why it could not say the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dlms.association.server import ServerAssociation
from dlms.association.state import TRANSITIONS, Input
from dlms.errors import LocalProtocolError
from dlms.security.ops import Step
from dlms.xdlms.registry import Notification


class Told(NamedTuple):
    """APDUs to send in their order, and one sentence for each notification that is none of them."""

    apdus: tuple[bytes, ...]
    untold: tuple[str, ...]


def can_tell(association: ServerAssociation) -> bool:
    """Whether the association stands, and is not one of those that are never answered."""
    stands = (association.state, Input.NOTIFICATION) in TRANSITIONS
    return stands and not association.config.broadcast


def tell(association: ServerAssociation, unasked: Iterable[Notification]) -> Step[Told]:
    """Protect and encode what can be said: what was negotiated, and fits the client's PDU size.

    The rest is dropped, for nobody waits for it: a notification is unconfirmed.
    """
    apdus: list[bytes] = []
    untold: list[str] = []
    for notification in unasked:
        try:
            octets = yield from association.notify(notification)
            apdus += association.carry_unasked(octets)
        except LocalProtocolError as error:
            untold.append(f"{type(notification).__name__}: {error}")
    return Told(tuple(apdus), tuple(untold))
