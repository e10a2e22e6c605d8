"""The client's end of an association.

``open``, ``authenticate``, ``request``, ``release`` make the octets to send; ``receive`` takes what
comes back. All are steps (see :mod:`dlms.security.ops`). A server that breaks a rule causes
:class:`RemoteProtocolError`; the association is then to be abandoned.

This file is longer than the rule of this package has it, for the reason of its counterpart: every
change of the association's state is in here.
"""

from __future__ import annotations

import datetime as dt

from dlms.acse.aare import TAG as AARE_TAG
from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, ReleaseRequestReason
from dlms.acse.release import RLRE_TAG, Rlre, Rlrq
from dlms.association import authenticating, proposal
from dlms.association.answered import take
from dlms.association.carrying import Carrier
from dlms.association.config import AssociationKeys, ClientConfig
from dlms.association.contexts import Freshness, general_context, take_keys
from dlms.association.events import (
    AssociationOpened,
    AssociationReleased,
    AuthenticationFailed,
    AuthenticationPending,
    Event,
    ExceptionReceived,
    NotificationReceived,
    ResponseReceived,
    ServiceErrorReceived,
)
from dlms.association.knobs import KeyInForce
from dlms.association.naming import (
    ServedResponse,
    invoke_id,
    is_confirmed,
)
from dlms.association.shapes import plain_room, request_shape
from dlms.association.state import TRANSITIONS, IllegalInput, Input, State, after, after_ours
from dlms.errors import CodecError, LocalProtocolError, RemoteProtocolError
from dlms.security import hls
from dlms.security.counters import CounterRefused, InvocationCounters
from dlms.security.layers import (
    Ciphering,
    has_header,
    in_transaction,
    protect_layers,
)
from dlms.security.ops import Discard, Step, Use, VerificationFailed
from dlms.security.protect import Shape
from dlms.security.spent_keys import SpentKeys
from dlms.xdlms import registry
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification, DataNotificationConfirm
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.registry import AnyRequest

_NOTHING = proposal.Proposed(b"", b"", b"")
_EXCEPTION, _SERVICE_ERROR = 0xD8, 0x0E
_GET = 0xC0


class ClientAssociation:
    """One association with one logical device.

    ``counters``, and ``spent``, the keys of single messages that the server has used, belong to the
    client and outlive the association. ``label`` is unique among the associations that share a
    module: keys of single messages are named by it.
    """

    def __init__(
        self,
        config: ClientConfig,
        keys: AssociationKeys,
        counters: InvocationCounters,
        *,
        spent: SpentKeys | None = None,
        label: str = "",
    ) -> None:
        config.check()
        self.config = config
        self.state = State.IDLE
        self.conformance = Conformance(0)
        self.server_max_pdu = 0
        self.server_title = config.server_title if config.needs_title else None
        """The server's system title: registered, or as its AARE has said it."""
        self._keys = keys
        self._counters = counters
        freshness = Freshness(counters, SpentKeys() if spent is None else spent)
        titles = config.own_title, self.server_title
        self._general = general_context(config, keys, freshness, titles, label)
        self._security = None if self._general is None else self._general.security
        self._proposed = _NOTHING
        self._accepted = proposal.Accepted()
        self._waiting_for: tuple[int, int] | None = None
        self._transaction_id = b""
        self.carrier = Carrier(
            config.block_window, always=config.always_in_blocks, most=config.max_pdu_size
        )
        """General blocks, for whoever sends and awaits octets."""
        if config.pre_established:
            self.state = State.PRE_ESTABLISHED
            self._begin(config.conformance)

    @property
    def keys(self) -> AssociationKeys:
        """The keys in force: those it was made with, or that have been adopted since."""
        return self._keys

    @property
    def answered(self) -> bool:
        """Whether confirmed services can be used: the server answers (GB Ed. 8, 9.4.4)."""
        return self.state is not State.UNCONFIRMED and not self.config.broadcast

    def adopt(self, keys: AssociationKeys) -> None:
        """Use ``keys`` from the next APDU on, or by the configuration's knob from the next
        association on. To be called once the response to their change has come, which is still
        under the old ones (R-KEY-3). An encryption key that is new starts its counters (R-IC-2).
        """
        for old, new in ((self._keys.guek, keys.guek), (self._keys.gbek, keys.gbek)):
            if new is not None and new != old:
                self._counters.establish(new)
        self._keys = keys
        waits = self.config.knobs.key_in_force is KeyInForce.NEXT_ASSOCIATION
        if self._general is not None and (self.config.pre_established or not waits):
            take_keys(self._general, self.config, keys)

    def close(self) -> Step[None]:
        """The lower layer is gone, or we give up: so is the association."""
        self.state = after(self.state, Input.CLOSED)
        yield from self._forget()

    # Sending ------------------------------------------------------------------------------------

    def open(self) -> Step[bytes]:
        """Make the AARQ. An association without responses stands from here on."""
        state = after_ours(self.state, Input.AARQ)
        proposed = yield from proposal.make_aarq(self.config, self._keys, self._general)
        self._proposed = proposed
        self._waiting_for = None
        self.state = state
        if not self.config.confirmed:
            # Nothing will say so, but there is nothing else to go by.
            self.state = after(state, Input.AARE_WITHHELD)
            self._begin(self.config.conformance)
        return proposed.aarq

    def authenticate(self) -> Step[bytes]:
        """Make pass 3 of HLS, after :class:`AuthenticationPending`."""
        state = after_ours(self.state, Input.HLS_PASS_3)
        f = yield from hls.answer(self._exchange())
        request = authenticating.pass_3(f, short_names=self.config.short_names)
        octets = yield from self._protected(request.encode(), Use.ASSOCIATION)
        self.state = state
        return octets

    @property
    def room(self) -> int | None:
        """How many octets a plain request may have for the server to take it protected; ``None``
        for any number.
        """
        return self.room_for(_GET)

    def room_for(self, tag: int) -> int | None:
        """The same for an APDU of that ``tag``: those that have no ciphered form of their own take
        more octets.
        """
        if self.carrier.unbounded:
            return None
        return plain_room(self.server_max_pdu, self._shape(tag), self.config.suite)

    def request(self, request: AnyRequest) -> Step[bytes]:
        """Make a service request. One confirmed request may wait for its response at a time."""
        state = after_ours(self.state, Input.REQUEST)
        if self._waiting_for is not None:
            raise LocalProtocolError("the response to the last request is still awaited")
        apdu = request.encode()
        confirmed = is_confirmed(request)
        if confirmed and not self.answered:
            raise LocalProtocolError("there is no response to a confirmed service here")
        needs, shape = int(request.needs), self._shape(apdu[0])
        if shape is not None and shape.form is not self.config.form:
            needs |= Conformance.GENERAL_PROTECTION  # it has no form of its own
        if needs & ~int(self.conformance):
            raise LocalProtocolError("the service was not negotiated")
        octets = yield from self._protected(apdu, Use.PROTECT_REQUEST)
        if not self.carrier.takes(len(octets)):
            raise LocalProtocolError(
                f"request of {len(octets)} octets exceeds the server's {self.server_max_pdu}"
            )
        if confirmed:
            self._waiting_for = registry.ANSWERS[apdu[0]], invoke_id(request)
        self.state = state
        return octets

    def confirm(self, notification: DataNotification, date_time: bytes = b"") -> Step[bytes]:
        """Say that a notification has been taken; nobody answers that. ``date_time`` is 12 octets
        or none. :class:`LocalProtocolError` if it was not negotiated.
        """
        state = after_ours(self.state, Input.CONFIRMATION)
        if not self.can_confirm:
            raise LocalProtocolError("there are no confirmations of notifications here")
        confirmation = DataNotificationConfirm(notification.long_invoke, date_time)
        octets = yield from self._protected(confirmation.encode(), Use.PROTECT_REQUEST)
        self.state = state
        return octets

    @property
    def can_confirm(self) -> bool:
        """Whether the server would take the confirmation of a notification: there is one in the
        general ciphered forms only.
        """
        needs = Conformance.DATA_NOTIFICATION
        if self.config.context.ciphered:
            needs |= Conformance.GENERAL_PROTECTION
        stands = (self.state, Input.CONFIRMATION) in TRANSITIONS
        return stands and not self.config.broadcast and not needs & ~self.conformance

    def release(self) -> Step[bytes]:
        """Make the RLRQ; in a ciphered context it repeats the InitiateRequest, protected."""
        state = after_ours(self.state, Input.RLRQ)
        user = yield from proposal.release_information(self._general, self.config)
        self.state = state
        if state is State.IDLE:  # nobody will say so
            yield from self._forget()
        return Rlrq(reason=ReleaseRequestReason.NORMAL, user_information=user).encode()

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, octets: bytes, now: dt.datetime | None = None) -> Step[Event]:
        """Take one APDU from the server.

        ``now`` (aware) is what a certificate in an AARE is checked against.
        """
        try:
            tag = octets[0] if octets else -1
            if tag == AARE_TAG:
                return (yield from self._receive_aare(Aare.decode(octets), now))
            if tag == RLRE_TAG:
                state = after(self.state, Input.RLRE)
                Rlre.decode(octets)
                self.state = state
                yield from self._forget()
                return AssociationReleased(None)
            if tag in (_EXCEPTION, _SERVICE_ERROR):
                return (yield from self._receive_error(octets))
            return (yield from self._receive_service(octets))
        except (CodecError, CounterRefused, VerificationFailed, IllegalInput) as error:
            raise RemoteProtocolError(str(error), reason="unacceptable-response") from error

    def _receive_error(self, octets: bytes) -> Step[Event]:
        """The server refuses a request as a whole, in the words of its way of naming."""
        event: Event
        if self.config.short_names:
            event = ServiceErrorReceived(ConfirmedServiceError.decode(octets))
        else:
            event = ExceptionReceived(ExceptionResponse.decode(octets))
        self.state = after(self.state, Input.EXCEPTION)
        self._waiting_for = None
        if self.state is State.IDLE:
            yield from self._forget()
        return event

    def _receive_aare(self, aare: Aare, now: dt.datetime | None) -> Step[Event]:
        if self.state is not State.ASSOCIATING:
            raise IllegalInput(self.state, Input.AARE_ACCEPTED)
        if aare.result is not AssociationResult.ACCEPTED:
            self.state = after(self.state, Input.AARE_REFUSED)
            yield from self._forget()
            return proposal.refusal(aare)
        self._accepted = accepted = yield from proposal.judge_acceptance(
            aare, self.config, self._keys, self._general, self._proposed, now
        )
        self.server_title = accepted.title
        self.server_max_pdu = accepted.server_max_pdu
        self._begin(accepted.conformance)
        if self.config.mechanism.is_hls:
            self.state = after(self.state, Input.AARE_AUTHENTICATION_REQUIRED)
            return AuthenticationPending(None)
        self.state = after(self.state, Input.AARE_ACCEPTED)
        return AssociationOpened(None, self.conformance)

    def _receive_service(self, octets: bytes) -> Step[Event]:
        verifying = self.state is State.VERIFYING
        use = Use.ASSOCIATION if verifying else Use.OPEN_RESPONSE
        response, told, tag, ciphering = yield from take(
            octets, self._general, self.config, use, self._transaction_id
        )
        if told is not None:
            state = after(self.state, Input.NOTIFICATION)
            if int(told.needs) & ~int(self.conformance):
                raise RemoteProtocolError("it was not negotiated", reason="service-not-negotiated")
            self.state = state
            return NotificationReceived(told)
        assert response is not None  # one of both
        if verifying:
            return (yield from self._receive_pass_4(response, ciphering))
        state = after(self.state, Input.RESPONSE)
        if self._waiting_for != (tag, invoke_id(response)):
            raise RemoteProtocolError("response to no request of ours", reason="invoke-id")
        self.state = state
        self._waiting_for = None
        return ResponseReceived(response)

    def _receive_pass_4(self, response: ServedResponse, carrier: Ciphering | None) -> Step[Event]:
        """KL-HL-13: without a right f(CtoS) there is no association."""
        problem = yield from authenticating.judge_pass_4(
            response, carrier, self._exchange(), self.config.knobs.inner_counter
        )
        if not problem:
            self.state = after(self.state, Input.HLS_PASS_4)
            return AssociationOpened(None, self.conformance)
        self.state = after(self.state, Input.HLS_REFUSED)
        yield from self._forget()
        return AuthenticationFailed(None, problem)

    # Helpers ------------------------------------------------------------------------------------

    def _begin(self, conformance: Conformance) -> None:
        self.conformance = conformance
        self.carrier.begin(conformance, self.server_max_pdu)

    def _exchange(self) -> hls.Exchange:
        return authenticating.exchange(
            self.config,
            self._keys,
            titles=(self.config.own_title, self.server_title),
            challenges=(self._proposed.challenge, self._accepted.challenge),
            context=self._security,
            peer_public=self._accepted.public,
        )

    def _protected(self, apdu: bytes, use: Use) -> Step[bytes]:
        shape = self._shape(apdu[0])
        if shape is None or self._general is None:
            return apdu
        if has_header(shape):
            shape = yield from in_transaction(shape, use)
            self._transaction_id = shape.transaction_id
        return (yield from protect_layers(self._general, apdu, shape, use))

    def _shape(self, tag: int) -> Shape | None:
        """How requests of that ``tag`` are protected; ``None`` is plain."""
        return request_shape(self._general, self.config, tag)

    def _forget(self) -> Step[None]:
        self._waiting_for = None
        self._transaction_id = b""
        if self.state is State.PRE_ESTABLISHED:
            return
        self._proposed, self._accepted = _NOTHING, proposal.Accepted()
        self.conformance = Conformance(0)
        self.carrier.end()
        if self._security is not None and self._security.dedicated is not None:
            dedicated, self._security.dedicated = self._security.dedicated, None
            self._counters.forget(dedicated)
            yield Discard(Use.ASSOCIATION, dedicated)
