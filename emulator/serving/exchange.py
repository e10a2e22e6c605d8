"""The way of one APDU through a meter: the one file that knows the order of the rooms.

octets -> association -> COSEM objects -> association -> octets.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple, get_args

from devices.answering.asking import Answerable
from devices.device import Device
from devices.profile.model import AssociationRow
from dlms.association import events
from dlms.association.server import ServerAssociation
from dlms.errors import LocalProtocolError
from dlms.security.ops import Step
from dlms.xdlms.registry import AnyResponse
from emulator.serving.taps import Instead
from emulator.serving.telling import tell

ANSWERABLE = get_args(Answerable)
_BEGUN = (events.AssociationOpened, events.AuthenticationPending)
_new = tuple.__new__  # NamedTuple without its Python-level __new__: twice as fast


class Exchanged(NamedTuple):
    """What became of one APDU: what happened, the replies in their order, and the response.
    ``untold`` says why a notification did not go out behind it.
    """

    event: events.Event
    replies: tuple[bytes, ...] = ()
    response: AnyResponse | None = None
    untold: tuple[str, ...] = ()


def exchange(
    association: ServerAssociation,
    device: Device,
    row: AssociationRow,
    apdu: bytes,
    now: dt.datetime,
    instead: tuple[Instead, ...] = (),
) -> Step[Exchanged]:
    """Take one APDU through all rooms at the true time ``now`` (aware). Those ``instead`` are asked
    before the device.

    :class:`~dlms.errors.RemoteProtocolError` with its reply if the peer broke the rules,
    :class:`~dlms.errors.LocalProtocolError` or :class:`~dlms.security.ops.CryptoFailure` if the
    meter cannot go on.
    """
    event = yield from association.receive(apdu, now)
    if row.single_key and not isinstance(event, events.RequestReceived):
        event = yield from _under_either_key(event, association, device, row, apdu, now)
    if not isinstance(event, events.RequestReceived):
        if isinstance(event, events.BlocksCarried):
            return Exchanged(event, event.replies)
        return Exchanged(event, association.carry(getattr(event, "reply", None)))
    if not isinstance(event.request, ANSWERABLE):
        raise LocalProtocolError(f"{type(event.request).__name__} is for no device of ours")
    try:
        response = _first(instead, event.request, row) if instead else None
        if response is None:
            response = yield from device.handle(
                event.request, row, now, event.protection, association.user
            )
    finally:
        unasked = device.outbox.take_replies()
    octets: bytes | None = None
    if response is not None and event.confirmed:
        required = device.response_protection(event.request, row)
        octets = yield from association.send(response, required)
    if device.state.doomed:
        yield from device.settle()
    replies = association.carry(octets)
    if octets is None:
        response = None
    if not unasked:
        return _new(Exchanged, (event, replies, response, ()))
    told = yield from tell(association, unasked)
    return Exchanged(event, (*replies, *told.apdus), response, told.untold)


def _under_either_key(
    event: events.Event,
    association: ServerAssociation,
    device: Device,
    row: AssociationRow,
    apdu: bytes,
    now: dt.datetime,
) -> Step[events.Event]:
    """Where an authentication key waits that was handed over, the long-lived one is good as well:
    a client that has lost the former could never hand over another.
    """
    fallback = device.fallback(row)
    if isinstance(event, events.AssociationRefused) and fallback is not None:
        association.adopt(device.config(row), fallback)
        event = yield from association.receive(apdu, now)
    if isinstance(event, _BEGUN):
        admitted = association.admitted
        security = None if admitted is None else admitted.security
        device.association_begun(row, None if security is None else security.gak)
    association.adopt(device.config(row), device.keys(row))
    return event


def _first(
    instead: tuple[Instead, ...], request: Answerable, row: AssociationRow
) -> AnyResponse | None:
    """What the first of them answers that answers anything."""
    answers = (answer(request, row.name) for answer in instead)
    return next((answer for answer in answers if answer is not None), None)
