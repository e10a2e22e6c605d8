"""The server's end of an association.

``receive``, ``send`` and ``notify`` are steps: they yield the cryptographic operations they need
(see :mod:`dlms.security.ops`). Whatever octets come in, ``receive`` gives an event or raises
:class:`RemoteProtocolError`, whose ``reply`` is what the standard answers.

This file is longer than the rule of this package has it: every change of the association's state is
in here, so that what is verified first and committed last can be read in one place.
"""

from __future__ import annotations

import datetime as dt

from dlms.acse.aarq import TAG as AARQ_TAG
from dlms.acse.aarq import Aarq
from dlms.acse.release import RLRQ_TAG
from dlms.association import authenticating
from dlms.association.admission import Refusal, busy_refusal
from dlms.association.admit import admit, no_aarq, refused, unreadable_aarq
from dlms.association.carrying import Carrier, is_acknowledgement, is_general_block
from dlms.association.config import AssociationKeys, ServerConfig
from dlms.association.contexts import take_keys
from dlms.association.events import (
    AssociationOpened,
    AssociationReleased,
    AuthenticationFailed,
    AuthenticationPending,
    BlocksCarried,
    Event,
)
from dlms.association.incoming import Incoming
from dlms.association.knobs import KeyInForce, SecondAarq
from dlms.association.offer import Admitted, Offer, dedicated_ref, pre_established
from dlms.association.refusing import ServiceRefused, answer, too_long
from dlms.association.releasing import judge_release, rlre
from dlms.association.services import Services
from dlms.association.shapes import respond
from dlms.association.state import Input, State, after, after_ours
from dlms.errors import CodecError, DlmsError, RemoteProtocolError
from dlms.security.control import Protection
from dlms.security.keys import KeyLifetime
from dlms.security.ops import Discard, Step, Use
from dlms.security.spent_keys import SpentKeys
from dlms.xdlms.registry import AnyResponse, Notification

# Asked for with every request. In Python 3.11 a member costs a tenth of a microsecond where it is
# named by its class.
_AUTHENTICATING, _UNCONFIRMED, _RESPONSE = State.AUTHENTICATING, State.UNCONFIRMED, Input.RESPONSE


class ServerAssociation:
    """One (client SAP, server SAP) pair on one connection.

    The counters of ``offer`` belong to the device and outlive the association. ``label`` is unique
    among the associations open on the device; dedicated keys are named by it. ``ordered`` says
    whether the lower layer keeps the order of APDUs, and ``most`` how many octets of one it
    carries, whatever the client takes; 0 for any number.
    """

    def __init__(
        self, offer: Offer, label: str = "", *, ordered: bool = True, most: int = 0
    ) -> None:
        offer.config.check()
        self.config = offer.config
        self.state = State.IDLE
        self._offer = offer
        self._label = label
        self._most = most
        self._services: Services | None = None
        self._carrier = Carrier(self.config.block_window, answers=True, ordered=ordered)
        self._dedicated_count = 0
        if self.config.pre_established:
            self.state = State.PRE_ESTABLISHED
            self._begin(pre_established(offer, label))

    @property
    def admitted(self) -> Admitted | None:
        """What was agreed on; ``None`` without an association."""
        return None if self._services is None else self._services.aa

    @property
    def pending(self) -> int:
        """Octets kept of what is on its way in blocks of a service."""
        return 0 if self._services is None else self._services.pending

    @property
    def user(self) -> int | None:
        """Who uses the client, where users are identified (current_user)."""
        return None if self._services is None else self._services.aa.user

    def adopt(
        self, config: ServerConfig, keys: AssociationKeys, spent: SpentKeys | None = None
    ) -> None:
        """Use what a key transfer or security_activate left, from the next APDU on.

        To be called after the response has been made: that one still goes under the old keys
        (R-KEY-3). By the configuration's knob new keys wait for the next association; a new policy
        does not wait (KL-KT-31), nor do keys where there will be no next association. ``spent``
        goes with the keys, and is as before if it is left out.
        """
        self.config = config
        self._offer = self._offer._replace(
            config=config, keys=keys, spent=self._offer.spent if spent is None else spent
        )
        if self._services is None:
            return
        self._services.config = config
        waits = config.knobs.key_in_force is KeyInForce.NEXT_ASSOCIATION
        general = self._services.aa.general
        if general is not None and (config.pre_established or not waits):
            take_keys(general, config, keys, spent)

    def close(self) -> Step[None]:
        """The lower layer is gone: so is the association, unless it was there before (R-AA-8)."""
        self.state = after(self.state, Input.CLOSED)
        yield from self._forget()

    # Receiving ----------------------------------------------------------------------------------

    def receive(
        self, apdu: bytes, now: dt.datetime | None = None, *, busy: bool = False
    ) -> Step[Event]:
        """Take one APDU from the client, or a general block of one.

        ``now`` (aware) is what certificates in an AARQ are checked against; without it there is no
        way to. A ``busy`` server turns an AARQ away for the time being (rejected-transient).
        """
        if is_general_block(apdu) and (self._services is not None or is_acknowledgement(apdu)):
            return (yield from self._receive_block(apdu))
        self._carrier.passed_plain()
        try:
            tag = apdu[0] if apdu else -1
            if tag == AARQ_TAG:
                return (yield from self._receive_aarq(apdu, now, busy))
            services = self._services
            if services is None:
                raise ServiceRefused("service without an association", "not-associated")
            if not apdu:
                raise ServiceRefused("empty APDU", "malformed-request")
            if tag == RLRQ_TAG:
                return (yield from self._receive_rlrq(apdu, services.aa))
            if 0 < self.config.max_pdu_size < len(apdu):
                raise too_long("request")
            return (yield from self._receive_service(apdu, services))
        except ServiceRefused as no:
            raise self._refusal(no, apdu) from no

    def _refusal(self, no: ServiceRefused, apdu: bytes) -> RemoteProtocolError:
        reply = None if self._silent else answer(no, apdu, self.config)
        return RemoteProtocolError(str(no), reply=reply, reason=no.reason)

    def _receive_block(self, octets: bytes) -> Step[Event]:
        """A general block. What its blocks make whole is a service, and never blocks itself.

        Behind the end of an association it may acknowledge what ended it.
        """
        apdu, services = octets, self._services
        try:
            if services is not None and not self._carrier.negotiated:
                raise ServiceRefused("blocks were not negotiated", "service-not-negotiated")
            if 0 < self.config.max_pdu_size < len(octets):
                raise too_long("block")
            taken = self._carrier.receive(octets)
            if taken.apdu is None or services is None:
                return BlocksCarried(() if self._silent else taken.replies)
            apdu = taken.apdu
            return (yield from self._receive_service(apdu, services))
        except ServiceRefused as no:
            raise self._refusal(no, apdu) from no
        except RemoteProtocolError as error:
            if self._silent:
                raise RemoteProtocolError(str(error), reason=error.reason) from error
            raise

    @property
    def _silent(self) -> bool:
        return self.state is _UNCONFIRMED or self.config.broadcast

    def _receive_aarq(self, apdu: bytes, now: dt.datetime | None, busy: bool) -> Step[Event]:
        try:
            aarq = Aarq.decode(apdu)
        except CodecError as error:
            # Unreadable: not even this much can be said about the association it wanted.
            raise unreadable_aarq(error, self.config, silent=self._silent) from error
        standing = self.state is State.PRE_ESTABLISHED
        keeps = self.config.knobs.aarq_in_association is SecondAarq.REJECT
        if standing or (keeps and self.state is not State.IDLE):
            raise no_aarq("AARQ in an open association", self.config, silent=self._silent)
        self.state = after(self.state, Input.AARQ)
        yield from self._forget()
        self._dedicated_count += 1
        dedicated = dedicated_ref(self._offer, self._label, self._dedicated_count)
        try:
            if busy:
                raise busy_refusal()
            admitted = yield from admit(aarq, self._offer, dedicated, self._label, now)
        except Refusal as no:
            self.state = after(self.state, Input.AARE_REFUSED)
            if self.config.context.ciphered:
                yield Discard(Use.ASSOCIATION, dedicated)
            return refused(no, aarq, self.config)
        except DlmsError:
            # Our own side failed, say a module without the key: nothing stays half open.
            self.state = after(self.state, Input.CLOSED)
            self._offer.counters.forget(dedicated)
            yield Discard(Use.ASSOCIATION, dedicated)
            raise
        return self._commit(admitted)

    def _begin(self, admitted: Admitted) -> None:
        most = self._most
        if most and not 0 < admitted.client_max_pdu <= most:
            admitted = admitted._replace(client_max_pdu=most)
        self._services = Services(admitted, self.config, self._carrier)
        self._carrier.begin(admitted.conformance, admitted.client_max_pdu)

    def _commit(self, admitted: Admitted) -> Event:
        self._begin(admitted)
        if not admitted.confirmed:
            self.state = after(self.state, Input.AARE_WITHHELD)
        elif self.config.mechanism.is_hls:
            self.state = after(self.state, Input.AARE_AUTHENTICATION_REQUIRED)
            return AuthenticationPending(admitted.reply)
        else:
            self.state = after(self.state, Input.AARE_ACCEPTED)
        return AssociationOpened(admitted.reply, admitted.conformance)

    def _receive_rlrq(self, apdu: bytes, aa: Admitted) -> Step[Event]:
        if self.state is State.PRE_ESTABLISHED:
            raise ServiceRefused("RLRQ for what is never released", "release-not-supported")
        release = yield from judge_release(apdu, aa, self.config)
        reply: bytes | None = None
        state = after(self.state, Input.RLRQ)
        if not self._silent:
            reply = yield from rlre(release, aa, self.config)
            state = after(state, Input.RLRE)
        self.state = state
        yield from self._forget()
        return AssociationReleased(reply)

    def _receive_service(self, octets: bytes, services: Services) -> Step[Event]:
        pending = self.state is _AUTHENTICATING
        exempt = pending and not self.config.knobs.pass_3_needs_action
        taken = yield from services.take(octets, exempt=exempt)
        if pending:
            return (yield from self._receive_pass_3(taken, services))
        if taken.confirmed and self._silent:
            raise ServiceRefused("confirmed service without responses", "no-response-allowed")
        return (yield from services.serve(taken))

    def _receive_pass_3(self, taken: Incoming, services: Services) -> Step[Event]:
        """R-HLS-2: nothing but f(StoC), and one try at it (R-HLS-5)."""
        if not taken.confirmed or not authenticating.is_pass_3(taken.request):
            raise ServiceRefused("only reply_to_HLS_authentication is allowed", "hls-pending")
        aa = services.aa
        self.state = after(self.state, Input.HLS_PASS_3)
        try:
            judged = yield from authenticating.judge_pass_3(taken, aa, self._offer)
            apdu = judged.response.encode()
            reply = yield from respond(apdu, taken.shape, aa.general, self.config)
        except DlmsError:
            # We cannot answer, say for want of counters: nothing stays half open.
            self.state = after(self.state, Input.CLOSED)
            yield from self._forget()
            raise
        if not self._carrier.takes(len(reply)):
            # No answer is longer than the client takes, and without pass 4 there is nothing.
            self.state = after(self.state, Input.HLS_REFUSED)
            yield from self._forget()
            raise too_long("pass 4")
        if judged.failure:
            self.state = after(self.state, Input.HLS_REFUSED)
            yield from self._forget()
            return AuthenticationFailed(reply, judged.failure)
        self.state = after(self.state, Input.HLS_PASS_4)
        services.aa = aa._replace(client_challenge=b"", server_challenge=b"")  # used once
        return AssociationOpened(reply, aa.conformance)

    # Sending ------------------------------------------------------------------------------------

    def send(self, response: AnyResponse, required: Protection = Protection.NONE) -> Step[bytes]:
        """Protect and encode the response to the request that was received last.

        How it is protected is the configuration's (R-PROT-5), and at least ``required`` by the
        access rights. If it does not fit the client's PDU size its first block goes out, where
        block transfer was negotiated, or else an error (X_PDU_MAX).
        """
        return (yield from self._passing(_RESPONSE).respond(response, required))

    def carry(self, reply: bytes | None) -> tuple[bytes, ...]:
        """How ``reply`` goes out: as it is, or in general blocks, of which this is the first
        stream. Without one, what there is to say all the same: that blocks were received.

        To be called once after every :meth:`receive` but those that gave :class:`BlocksCarried`.
        """
        if reply is None:
            return () if self._silent else self._carrier.acknowledge()
        return (reply,) if is_general_block(reply) else self._carrier.send(reply)

    def notify(self, notification: Notification) -> Step[bytes]:
        """Protect and encode what the server says unasked; as the policy asks of responses.

        :class:`LocalProtocolError` if it was not negotiated or does not fit the client's PDU size.
        Hand it to :meth:`carry_unasked`.
        """
        return (yield from self._passing(Input.NOTIFICATION).notify(notification))

    def carry_unasked(self, notification: bytes) -> tuple[bytes, ...]:
        """How it goes out: as it is, or in general blocks that nobody acknowledges."""
        return self._carrier.tell(notification)

    def _passing(self, event: Input) -> Services:
        self.state = after_ours(self.state, event)
        assert self._services is not None  # no state that allows it is without
        return self._services

    # Helpers ------------------------------------------------------------------------------------

    def _forget(self) -> Step[None]:
        """Drop all that belongs to an association that has ended."""
        if self.state is State.PRE_ESTABLISHED:
            return
        services, self._services = self._services, None
        self._carrier.end()
        security = None if services is None else services.aa.security
        if security is None:
            return
        if security.dedicated is not None:
            self._offer.counters.forget(security.dedicated)
            yield Discard(Use.ASSOCIATION, security.dedicated)
        if security.gak is not None and security.gak.lifetime is KeyLifetime.SINGLE_ASSOCIATION:
            yield Discard(Use.ASSOCIATION, security.gak)
