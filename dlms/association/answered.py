"""From the octets a server sent to what it says, verified: the client's counterpart of
:mod:`dlms.association.incoming`."""

from __future__ import annotations

from typing import NamedTuple

from dlms.association import proposal
from dlms.association.config import ClientConfig
from dlms.association.naming import ServedResponse, awaited
from dlms.errors import CodecError
from dlms.security.general_context import GeneralContext
from dlms.security.layers import Ciphering, Peeled
from dlms.security.ops import Step, Use
from dlms.xdlms import registry
from dlms.xdlms.registry import Notification


class Answered(NamedTuple):
    """``tag`` is that of the plain APDU, ``ciphering`` what carried it, if it was ciphered."""

    message: ServedResponse | None
    notification: Notification | None
    tag: int
    ciphering: Ciphering | None


def take(
    octets: bytes,
    general: GeneralContext | None,
    config: ClientConfig,
    use: Use,
    transaction_id: bytes,
) -> Step[Answered]:
    """Open and decode a response, or a notification. ``transaction_id`` is that of the request, if
    it had one.

    :class:`~dlms.errors.RemoteProtocolError`, :class:`CodecError` or what opening raises if it is
    neither, or protected less than it must be.
    """
    peeled: Peeled | None = None
    ciphering: Ciphering | None = None
    apdu = octets
    if config.context.ciphered:
        peeled = yield from proposal.open_due(octets, general, use, config.protection)
        ciphering, apdu = peeled.ciphering, peeled.apdu
    tag = apdu[0] if apdu else -1
    unasked = registry.NOTIFICATIONS.get(tag)
    if unasked is not None:
        return Answered(None, unasked.decode(apdu), tag, ciphering)
    if peeled is not None and transaction_id:
        proposal.check_transaction(peeled, transaction_id)
    row = registry.RESPONSES.get(tag)
    if row is None:
        raise CodecError(f"APDU {apdu[:1].hex()} is no response", offset=0, field="APDU")
    response = awaited(row.decode(apdu), short_names=config.short_names)
    if response is None:
        raise CodecError(f"{row.name} of a form that is not awaited", offset=1, field="APDU")
    return Answered(response, None, tag, ciphering)
