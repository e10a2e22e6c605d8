"""How a client and a meter take turns: one APDU out, the event that answers it in.

:class:`Conversation` is what all dialogues on one association have in common.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import TypeVar

from dlms.association import events
from dlms.association.client import ClientAssociation
from dlms.association.naming import ServedResponse
from dlms.client.carried import awaited, carried, glanced
from dlms.client.effects import Compute, Dialogue, Post
from dlms.client.notices import Notices
from dlms.client.refusals import AssociationRejected, ServiceException, ServiceFailed
from dlms.errors import RemoteProtocolError
from dlms.security.ops import Step
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import CONFIRMED, INVOKE_ID
from dlms.xdlms.long_invoke import LONG_INVOKE_ID
from dlms.xdlms.registry import AnyRequest, AnyResponse, Notification

Asked = TypeVar("Asked", bound=AnyRequest)
Answered = TypeVar("Answered", bound=AnyResponse)


class Conversation:
    """The turns of one association, one dialogue at a time."""

    def __init__(self, association: ClientAssociation) -> None:
        self.association = association
        self.notices = Notices()
        self._invoke = self._long_invoke = 0

    def invoke(self, *, confirmed: bool = True) -> int:
        """The invoke-id-and-priority octet of the next request."""
        self._invoke = (self._invoke + 1) & INVOKE_ID
        return CONFIRMED | self._invoke if confirmed else self._invoke

    def long_invoke(self, options: int) -> int:
        """The long-invoke-id-and-priority of the next ACCESS, with the bits of its ``options``."""
        self._long_invoke = (self._long_invoke + 1) & LONG_INVOKE_ID
        return options | self._long_invoke

    def request(self, request: AnyRequest) -> Dialogue[ServedResponse]:
        """A confirmed service and its response."""
        event = yield from self.exchange(self.association.request(request))
        if not isinstance(event, events.ResponseReceived):
            raise AssociationRejected(f"unexpected {type(event).__name__}")
        return event.response

    def carry(
        self, transfer: Generator[Asked, Answered, Answered], forms: tuple[type[Answered], ...]
    ) -> Dialogue[Answered]:
        """The steps of a ``transfer`` and their responses, which are of one of these ``forms``;
        gives the response that it comes to.
        """
        step = next(transfer)
        try:
            while True:
                response = yield from self.request(step)
                assert isinstance(response, forms)  # the one that was awaited
                step = transfer.send(response)
        except StopIteration as stop:
            whole: Answered = stop.value
            return whole

    def exchange(self, step: Step[bytes]) -> Dialogue[events.Event]:
        """Send what ``step`` makes, and give what the meter's answer means. What it says unasked
        before is set aside.

        :class:`ServiceException`, or by short names :class:`ServiceFailed`, if the meter cannot;
        :class:`RemoteProtocolError` if there is no end of what it says unasked.
        """
        carrier = self.association.carrier
        apdu: bytes = yield Compute(step)
        self.notices.begin()
        answer = yield from carried(carrier, apdu)
        event: events.Event = yield Compute(self.notices.hear(self.association.receive(answer)))
        while isinstance(event, events.NotificationReceived):
            answer = yield from awaited(carrier)
            event = yield Compute(self.notices.hear(self.association.receive(answer)))
        if isinstance(event, events.ExceptionReceived):
            raise ServiceException(event.exception)
        if isinstance(event, events.ServiceErrorReceived):
            raise ServiceFailed(event.error)
        return event

    def post(self, request: AnyRequest) -> Dialogue[None]:
        """A service that nobody answers."""
        yield from self.tell(self.association.request(request))

    def tell(self, step: Step[bytes]) -> Dialogue[None]:
        """Send what ``step`` makes; nobody answers it."""
        apdu: bytes = yield Compute(step)
        yield Post(self.association.carrier.tell(apdu))

    def overheard(self) -> Dialogue[Notification | None]:
        """What the meter has said unasked, the oldest first; ``None`` if nothing is here. It is
        taken then, and confirmed if that is asked for.

        :class:`RemoteProtocolError` if something else is, for nothing was asked.
        """
        kept = self.notices.next()
        if kept is not None:
            yield from self._confirm(kept)
            return kept
        apdu = yield from glanced(self.association.carrier)
        if apdu is None:
            return None
        event: events.Event = yield Compute(self.association.receive(apdu))
        if not isinstance(event, events.NotificationReceived):
            raise RemoteProtocolError("an answer to nothing", reason="unasked")
        yield from self._confirm(event.notification)
        return event.notification

    def _confirm(self, told: Notification) -> Dialogue[None]:
        """A server that would not take a confirmation gets none. One that is gone has told what
        it has told all the same.
        """
        if isinstance(told, DataNotification) and told.confirmed and self.association.can_confirm:
            with suppress(OSError):
                yield from self.tell(self.association.confirm(told))
