"""What passes through an association of the server's while it stands: requests in, responses and
notifications out, long ones in the blocks of their service.

Whether anything may pass is the business of :mod:`dlms.association.server`, which has the state.
"""

from __future__ import annotations

from dlms.association.carrying import Carrier
from dlms.association.config import ServerConfig
from dlms.association.events import BlockExchanged, Event, NotificationConfirmed, RequestReceived
from dlms.association.incoming import Incoming, take
from dlms.association.offer import Admitted
from dlms.association.refusing import ServiceRefused, answer, too_long
from dlms.association.shapes import having_form, plain_room, respond, response_shape, tell
from dlms.association.transfers import Answer, Transfers
from dlms.errors import LocalProtocolError
from dlms.security.control import Protection
from dlms.security.layers import protect_layers
from dlms.security.ops import Step, Use
from dlms.security.protect import Shape
from dlms.transfer.pieces import TooLong
from dlms.xdlms.data_notification import DataNotificationConfirm
from dlms.xdlms.registry import AnyResponse, Notification

_new = tuple.__new__  # NamedTuple without its Python-level __new__: twice as fast


class Services:
    """Those of the association ``aa``, from its acceptance to its end.

    ``carrier`` takes what is too long for the client in general blocks, where it may.
    """

    __slots__ = ("_carrier", "_required", "_shape", "_transfers", "aa", "config")

    def __init__(self, aa: Admitted, config: ServerConfig, carrier: Carrier) -> None:
        self.aa = aa
        self.config = config
        self._carrier = carrier
        self._transfers = Transfers()
        self._shape: Shape | None = None
        self._required = Protection.NONE

    @property
    def pending(self) -> int:
        """Octets kept of values that are on their way in blocks."""
        return self._transfers.pending

    def take(self, octets: bytes, *, exempt: bool = False) -> Step[Incoming]:
        """Open and decode a request. :class:`ServiceRefused` if it is not to be served, or was not
        negotiated, unless it is ``exempt`` from that.
        """
        taken = yield from take(octets, self.aa, self.config)
        # As integers: & of an IntFlag takes as long as to decode a GET.
        if not exempt and int(taken.needs) & ~int(self.aa.conformance):
            raise ServiceRefused("service was not negotiated", "service-not-negotiated")
        return taken

    def serve(self, taken: Incoming) -> Step[Event]:
        """What is to be carried out; or the step of a block transfer, which is answered here, or
        the confirmation of a notification, which is not answered.
        """
        request = taken.request
        if isinstance(request, DataNotificationConfirm):
            return NotificationConfirmed(request)
        self._shape = taken.shape
        step = self._transfers.receive(request, self.aa.conformance)
        if isinstance(step, Answer):
            return (yield from self._answer_block(step, taken.confirmed))
        return _new(RequestReceived, (step.request, taken.confirmed, taken.protection))

    def _answer_block(self, step: Answer, confirmed: bool) -> Step[Event]:
        """A block goes out as protected as the response that it is a part of."""
        if not confirmed:
            return BlockExchanged(None)
        apdu = step.response.encode()
        return BlockExchanged(
            (yield from respond(apdu, self._shape, self.aa.general, self.config, self._required))
        )

    def respond(self, response: AnyResponse, required: Protection) -> Step[bytes]:
        """Protect and encode the response to the request that was served last.

        If it does not fit the client's PDU size, that is its first block, where block transfer was
        negotiated, or all of it, where general blocks were, or else an error (X_PDU_MAX).
        """
        self._required = required
        aa, config, carrier = self.aa, self.config, self._carrier
        try:
            shape = response_shape(self._shape, aa.general, config, required)
            room = None
            if not carrier.unbounded:
                room = plain_room(aa.client_max_pdu, shape, config.suite)
            octets = self._transfers.send(response, room, aa.conformance, whole=carrier.negotiated)
            if shape is not None and aa.general is not None:
                if shape is not self._shape:  # a dialect of the meter's own
                    shape = having_form(shape, octets[0])
                octets = yield from protect_layers(aa.general, octets, shape, Use.PROTECT_RESPONSE)
            if not carrier.takes(len(octets)):
                raise TooLong(f"response of {len(octets)} octets")
        except TooLong:
            return answer(too_long("response"), response.encode(), config)
        return octets

    def notify(self, notification: Notification) -> Step[bytes]:
        """Protect and encode what the server says unasked; as the policy asks of responses.

        :class:`LocalProtocolError` if it was not negotiated or does not fit the client's PDU size.
        """
        if notification.needs & ~self.aa.conformance:
            raise LocalProtocolError("this notification was not negotiated")
        octets = yield from tell(notification, self.aa.general, self.config)
        if not self._carrier.takes(len(octets)):
            raise LocalProtocolError(f"notification of {len(octets)} octets is too long")
        return octets
