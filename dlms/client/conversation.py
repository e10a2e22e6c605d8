"""How a client and a meter take turns: one APDU out, the event that answers it in.

:class:`Conversation` is what all dialogues on one association have in common.
"""

from __future__ import annotations

from dlms.association import events
from dlms.association.client import ClientAssociation
from dlms.association.naming import ServedResponse
from dlms.client.carried import carried
from dlms.client.effects import Compute, Dialogue
from dlms.client.refusals import AssociationRejected, ServiceException
from dlms.security.ops import Step
from dlms.xdlms.descriptors import CONFIRMED, INVOKE_ID
from dlms.xdlms.registry import AnyRequest


class Conversation:
    """The turns of one association, one dialogue at a time."""

    def __init__(self, association: ClientAssociation) -> None:
        self.association = association
        self._invoke = 0

    def invoke(self) -> int:
        """The invoke-id-and-priority octet of the next confirmed request."""
        self._invoke = (self._invoke + 1) & INVOKE_ID
        return CONFIRMED | self._invoke

    def request(self, request: AnyRequest) -> Dialogue[ServedResponse]:
        """A confirmed service and its response. :class:`ServiceException` if the meter cannot."""
        event = yield from self.exchange(self.association.request(request))
        if isinstance(event, events.ExceptionReceived):
            raise ServiceException(event.exception)
        if not isinstance(event, events.ResponseReceived):
            raise AssociationRejected(f"unexpected {type(event).__name__}")
        return event.response

    def exchange(self, step: Step[bytes]) -> Dialogue[events.Event]:
        """Send what ``step`` makes, and give what the meter's answer means."""
        apdu: bytes = yield Compute(step)
        answer = yield from carried(self.association.carrier, apdu)
        event: events.Event = yield Compute(self.association.receive(answer))
        return event
