"""The server's end of an association.

``receive`` and ``send`` are steps: they yield the cryptographic operations they need (see
:mod:`dlms.security.ops`). Whatever octets come in, ``receive`` gives an event or raises
:class:`RemoteProtocolError`, whose ``reply`` is what the standard answers.
"""

from __future__ import annotations

from dlms.acse.aarq import Aarq
from dlms.acse.codes import (
    ProviderDiagnostic,
    ReleaseResponseReason,
)
from dlms.acse.release import Rlre, Rlrq
from dlms.association.admission import Refusal
from dlms.association.admit import Admitted, Offer, admit, refusal_aare
from dlms.association.config import PASS_3, AssociationKeys, ServerConfig
from dlms.association.events import (
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    AuthenticationFailed,
    AuthenticationPending,
    Event,
    RequestReceived,
)
from dlms.association.incoming import decode_request, open_or_refuse, refusal, too_weak
from dlms.association.state import IllegalInput, Input, State, after
from dlms.axdr import Data
from dlms.axdr.data import DataType, octet_string
from dlms.errors import CodecError, DlmsError, LocalProtocolError, RemoteProtocolError
from dlms.security import hls
from dlms.security.ciphered import is_ciphered
from dlms.security.control import Protection
from dlms.security.counters import CounterTooLow
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.security.ops import (
    CryptoFailure,
    Discard,
    Step,
    Use,
)
from dlms.security.protect import (
    Opened,
    SecurityContext,
    Shape,
    protect,
)
from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult, ServiceErrorCode, StateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import CONFIRMED
from dlms.xdlms.errors import NOT_ASSOCIATED, ExceptionResponse
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.registry import Response

_PLAIN: Shape | None = None


class ServerAssociation:
    """One (client SAP, server SAP) pair on one connection.

    The counters of ``offer`` belong to the device and outlive the association. ``label`` is unique
    among the associations open on the device; dedicated keys are named by it.
    """

    def __init__(self, offer: Offer, label: str = "") -> None:
        self.config = offer.config
        self.state = State.IDLE
        self.conformance = Conformance(0)
        self.client_max_pdu = 0
        self._offer = offer
        self._label = label
        self._security: SecurityContext | None = None
        self._shape: Shape | None = _PLAIN
        self._client_challenge = b""
        self._server_challenge = b""
        self._dedicated_count = 0

    @property
    def client_title(self) -> bytes | None:
        """The system title of the client of the open association."""
        return None if self._security is None else self._security.peer_title

    def adopt(self, config: ServerConfig, keys: AssociationKeys) -> None:
        """Use what a key transfer or security_activate left, from the next APDU on.

        To be called after the response has been made: that one still goes under the old keys
        (R-KEY-3).
        """
        self.config = config
        self._offer = self._offer._replace(config=config, keys=keys)
        if self._security is not None and keys.guek is not None:
            self._security.guek = keys.guek
            self._security.gak = keys.gak

    def close(self) -> Step[None]:
        """The lower layer is gone: so is the association (R-AA-8)."""
        self.state = after(self.state, Input.CLOSED)
        yield from self._forget()

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, apdu: bytes) -> Step[Event]:
        """Take one APDU from the client."""
        tag = apdu[0] if apdu else -1
        if tag == 0x60:
            return (yield from self._receive_aarq(apdu))
        if self.state not in (State.ASSOCIATED, State.AUTHENTICATING):
            raise RemoteProtocolError(
                "service without an association",
                reply=NOT_ASSOCIATED.encode(),
                reason="not-associated",
            )
        if not apdu:
            raise refusal("empty APDU", "malformed-request")
        if tag == 0x62:
            return (yield from self._receive_rlrq(apdu))
        return (yield from self._receive_service(apdu))

    def _receive_aarq(self, apdu: bytes) -> Step[Event]:
        try:
            aarq = Aarq.decode(apdu)
        except CodecError as error:
            # Unreadable: not even this much can be said about the association it wanted.
            raise RemoteProtocolError(
                f"AARQ: {error}",
                reply=refusal_aare(self.config, ProviderDiagnostic.NO_REASON_GIVEN),
                reason="malformed-aarq",
            ) from error
        self.state = after(self.state, Input.AARQ)
        yield from self._forget()
        dedicated = self._next_dedicated()
        try:
            admitted = yield from admit(aarq, self._offer, dedicated)
        except Refusal as no:
            self.state = after(self.state, Input.AARE_REFUSED)
            if self.config.context.ciphered:
                yield Discard(Use.ASSOCIATION, dedicated)
            user = None if no.error is None else no.error.encode()
            reply = refusal_aare(self.config, no.diagnostic, no.result, user)
            return AssociationRefused(reply, no.result, no.diagnostic, no.error, str(no))
        except DlmsError:
            # Our own side failed, say a module without the key: nothing stays half open.
            self.state = after(self.state, Input.CLOSED)
            self._offer.counters.forget(dedicated)
            yield Discard(Use.ASSOCIATION, dedicated)
            raise
        return self._commit(admitted)

    def _commit(self, admitted: Admitted) -> Event:
        self._security = admitted.security
        self._client_challenge = admitted.client_challenge
        self._server_challenge = admitted.server_challenge
        self.conformance = admitted.conformance
        self.client_max_pdu = admitted.client_max_pdu
        if self.config.mechanism.is_hls:
            self.state = after(self.state, Input.AARE_AUTHENTICATION_REQUIRED)
            return AuthenticationPending(admitted.reply)
        self.state = after(self.state, Input.AARE_ACCEPTED)
        return AssociationOpened(admitted.reply, admitted.conformance)

    def _receive_rlrq(self, apdu: bytes) -> Step[Event]:
        try:
            rlrq = Rlrq.decode(apdu)
        except CodecError as error:
            raise refusal(f"RLRQ: {error}", "malformed-rlrq") from error
        user: bytes | None = None
        protection = Protection.NONE
        if rlrq.user_information:
            user, protection = yield from self._open_release(rlrq.user_information)
        if self.config.protected_release and self.config.policy & ~protection:
            raise too_weak("RLRQ")
        reply = Rlre(reason=ReleaseResponseReason.NORMAL, user_information=user).encode()
        self.state = after(after(self.state, Input.RLRQ), Input.RLRE)
        yield from self._forget()
        return AssociationReleased(reply)

    def _open_release(self, octets: bytes) -> Step[tuple[bytes, Protection]]:
        """An RLRQ may carry the InitiateRequest again; answer with the InitiateResponse."""
        response = InitiateResponse(
            conformance=self.conformance, server_max_receive_pdu_size=self.config.max_pdu_size
        ).encode()
        if not is_ciphered(octets[0]):
            return response, Protection.NONE
        opened = yield from self._open(octets, Use.ASSOCIATION)
        assert self._security is not None  # or it could not have been opened
        try:
            InitiateRequest.decode(opened.apdu)
        except CodecError as error:
            # A captured request in an RLRQ must not pass for a wish to release.
            raise refusal(f"RLRQ: {error}", "malformed-rlrq") from error
        shape = Shape(opened.family, opened.form, opened.protection)
        response = yield from protect(self._security, response, shape, Use.ASSOCIATION)
        return response, opened.protection

    def _receive_service(self, octets: bytes) -> Step[Event]:
        if 0 < self.config.max_pdu_size < len(octets):
            raise refusal(
                f"request of {len(octets)} octets", "pdu-too-long", ServiceErrorCode.PDU_TOO_LONG
            )
        opened: Opened | None = None
        apdu = octets
        shape: Shape | None = _PLAIN
        if is_ciphered(octets[0]):
            opened = yield from self._open(octets, Use.OPEN_REQUEST)
            apdu = opened.apdu
            shape = Shape(opened.family, opened.form, opened.protection)
        elif self.config.policy:
            raise too_weak("request")
        request = decode_request(apdu)
        if self.state is State.AUTHENTICATING:
            return (yield from self._receive_pass_3(request, opened, shape))
        needs = registry.REQUESTS[apdu[0]].needs
        if needs & ~self.conformance:
            raise refusal("service was not negotiated", "service-not-negotiated")
        self._shape = shape
        return RequestReceived(request, bool(request.invoke & CONFIRMED))

    def _receive_pass_3(
        self, request: registry.Request, carrier: Opened | None, shape: Shape | None
    ) -> Step[Event]:
        """R-HLS-2: nothing but f(StoC), and one try at it (R-HLS-5)."""
        if not isinstance(request, ActionRequest) or request.method != PASS_3:
            raise refusal("only reply_to_HLS_authentication is allowed", "hls-pending")
        self.state = after(self.state, Input.HLS_PASS_3)
        try:
            return (yield from self._judge_pass_3(request, carrier, shape))
        except DlmsError:
            # We cannot answer, say for want of counters: nothing stays half open.
            self.state = after(self.state, Input.CLOSED)
            yield from self._forget()
            raise

    def _judge_pass_3(
        self, request: ActionRequest, carrier: Opened | None, shape: Shape | None
    ) -> Step[Event]:
        assert self._security is not None  # an HLS association has one
        try:
            result = _octets(request.parameter)
            yield from hls.verify(
                self._security,
                self._server_challenge,
                result,
                carrier,
                may_repeat=self.config.hls_counter_may_repeat,
            )
        except (CodecError, CounterTooLow, CryptoFailure) as error:
            denied = ActionResponse(request.invoke, ActionResult.READ_WRITE_DENIED)
            reply = yield from self._protected(denied.encode(), shape)
            self.state = after(self.state, Input.HLS_REFUSED)
            yield from self._forget()
            return AuthenticationFailed(reply, str(error))
        answer = yield from hls.answer(self._security, self._client_challenge)
        response = ActionResponse(request.invoke, ActionResult.SUCCESS, octet_string(answer))
        reply = yield from self._protected(response.encode(), shape)
        self.state = after(self.state, Input.HLS_PASS_4)
        self._server_challenge = b""
        return AssociationOpened(reply, self.conformance)

    # Sending ------------------------------------------------------------------------------------

    def send(self, response: Response) -> Step[bytes]:
        """Protect and encode the response to the request that was received last.

        It is protected as its request was (R-PROT-5). If it does not fit the client's PDU size an
        ExceptionResponse goes out instead (X_PDU_MAX): there is no block transfer here.
        """
        try:
            self.state = after(self.state, Input.RESPONSE)
        except IllegalInput as error:
            raise LocalProtocolError(str(error)) from error
        octets = yield from self._protected(response.encode(), self._shape)
        if 0 < self.client_max_pdu < len(octets):
            return ExceptionResponse(
                state_error=StateError.SERVICE_NOT_ALLOWED,
                service_error=ServiceErrorCode.PDU_TOO_LONG,
            ).encode()
        return octets

    def _protected(self, apdu: bytes, shape: Shape | None) -> Step[bytes]:
        if shape is None or self._security is None:
            return apdu
        return (yield from protect(self._security, apdu, shape, Use.PROTECT_RESPONSE))

    # Helpers ------------------------------------------------------------------------------------

    def _open(self, octets: bytes, use: Use) -> Step[Opened]:
        ciphered = self.config.context.ciphered
        return (
            yield from open_or_refuse(
                octets,
                self._security if ciphered else None,
                self.conformance,
                self.config.policy,
                use,
            )
        )

    def _forget(self) -> Step[None]:
        """Drop all that belongs to an association that has ended."""
        security, self._security = self._security, None
        self._shape = _PLAIN
        self._client_challenge = self._server_challenge = b""
        self.conformance = Conformance(0)
        self.client_max_pdu = 0
        if security is not None and security.dedicated is not None:
            self._offer.counters.forget(security.dedicated)
            yield Discard(Use.ASSOCIATION, security.dedicated)

    def _next_dedicated(self) -> KeyRef:
        """A name no dedicated key had before on this connection."""
        self._dedicated_count += 1
        guek = self._offer.keys.guek
        scope = "" if guek is None else guek.scope
        return KeyRef(
            self._offer.own_title,
            f"{scope}#{self._label}",
            KeyKind.DEDICATED,
            KeyLifetime.SINGLE_ASSOCIATION,
            self._dedicated_count,
        )


def _octets(parameter: Data | None) -> bytes:
    if parameter is None or parameter.type is not DataType.OCTET_STRING:
        raise CodecError("octet-string needed", field="f(StoC)")
    assert isinstance(parameter.value, bytes)
    return parameter.value
