"""The way of one APDU through a meter: the one file that knows the order of the rooms.

octets -> association -> COSEM objects -> association -> octets.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from devices.device import Device
from devices.profile.model import AssociationRow
from dlms.association import events
from dlms.association.naming import SERVED_BY_LOGICAL_NAME
from dlms.association.server import ServerAssociation
from dlms.security.ops import Step
from dlms.xdlms.registry import Response


class Exchanged(NamedTuple):
    """What became of one APDU: what happened, the replies in their order, and the response."""

    event: events.Event
    replies: tuple[bytes, ...] = ()
    response: Response | None = None


def exchange(
    association: ServerAssociation,
    device: Device,
    row: AssociationRow,
    apdu: bytes,
    now: dt.datetime,
) -> Step[Exchanged]:
    """Take one APDU through all rooms at the true time ``now`` (aware).

    :class:`~dlms.errors.RemoteProtocolError` with its reply if the peer broke the rules,
    :class:`~dlms.errors.LocalProtocolError` or :class:`~dlms.security.ops.CryptoFailure` if the
    meter cannot go on.
    """
    event = yield from association.receive(apdu, now)
    if not isinstance(event, events.RequestReceived):
        reply: bytes | None = getattr(event, "reply", None)
        return Exchanged(event, () if reply is None else (reply,))
    # No profile has an association with short names.
    assert isinstance(event.request, SERVED_BY_LOGICAL_NAME)
    response = yield from device.handle(event.request, row, now)
    if not event.confirmed:
        return Exchanged(event)
    octets = yield from association.send(response)
    return Exchanged(event, (octets,), response)
