"""The client's end of an association.

``open``, ``authenticate``, ``request``, ``release`` make the octets to send; ``receive`` takes what
comes back. All are steps (see :mod:`dlms.security.ops`). A server that breaks a rule causes
:class:`RemoteProtocolError`; the association is then to be abandoned.
"""

from __future__ import annotations

from dlms.acse.aare import Aare
from dlms.acse.codes import AssociationResult, ReleaseRequestReason, UserDiagnostic
from dlms.acse.names import Mechanism
from dlms.acse.release import Rlre, Rlrq
from dlms.association import proposal
from dlms.association.config import (
    PASS_3,
    TITLE_LENGTH,
    AssociationKeys,
    ClientConfig,
)
from dlms.association.events import (
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    AuthenticationFailed,
    AuthenticationPending,
    Event,
    ExceptionReceived,
    ResponseReceived,
)
from dlms.association.state import IllegalInput, Input, State, after
from dlms.axdr.data import DataType, octet_string
from dlms.errors import CodecError, LocalProtocolError, RemoteProtocolError
from dlms.security import hls
from dlms.security.ciphered import Family, is_ciphered
from dlms.security.control import Protection
from dlms.security.counters import CounterTooLow, InvocationCounters
from dlms.security.ops import Discard, Step, Use, VerificationFailed
from dlms.security.protect import Opened, SecurityContext, Shape, open_ciphered, protect
from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import CONFIRMED, INVOKE_ID
from dlms.xdlms.errors import ExceptionResponse
from dlms.xdlms.initiate import InitiateResponse
from dlms.xdlms.registry import Request


class ClientAssociation:
    """One association with one logical device.

    ``counters`` belong to the client and outlive the association.
    """

    def __init__(
        self, config: ClientConfig, keys: AssociationKeys, counters: InvocationCounters
    ) -> None:
        self.config = config
        self.state = State.IDLE
        self.conformance = Conformance(0)
        self.server_max_pdu = 0
        self._keys = keys
        self._counters = counters
        self._security = proposal.security_context(config, keys, counters)
        self._challenge = b""
        self._server_challenge = b""
        self._waiting_for: tuple[int, int] | None = None

    @property
    def server_title(self) -> bytes | None:
        """The server's system title, once its AARE has said it."""
        return None if self._security is None else self._security.peer_title

    def close(self) -> Step[None]:
        """The lower layer is gone, or we give up: so is the association."""
        self.state = after(self.state, Input.CLOSED)
        yield from self._forget()

    # Sending ------------------------------------------------------------------------------------

    def open(self) -> Step[bytes]:
        """Make the AARQ."""
        state = self._next(Input.AARQ)
        octets, challenge = yield from proposal.make_aarq(
            self.config, self._keys, self._security, self._counters
        )
        self._challenge = challenge
        self._waiting_for = None
        self.state = state
        return octets

    def authenticate(self) -> Step[bytes]:
        """Make pass 3 of HLS, after :class:`AuthenticationPending`."""
        state = self._next(Input.HLS_PASS_3)
        security = self._secured()
        answer = yield from hls.answer(security, self._server_challenge)
        request = ActionRequest(CONFIRMED | 1, PASS_3, octet_string(answer))
        octets = yield from self._protected(request.encode(), Use.ASSOCIATION)
        self.state = state
        return octets

    def request(self, request: Request) -> Step[bytes]:
        """Make a service request. One confirmed request may wait for its response at a time."""
        state = self._next(Input.REQUEST)
        if self._waiting_for is not None:
            raise LocalProtocolError("the response to the last request is still awaited")
        apdu = request.encode()
        if registry.REQUESTS[apdu[0]].needs & ~self.conformance:
            raise LocalProtocolError("the service was not negotiated")
        octets = yield from self._protected(apdu, Use.PROTECT_REQUEST)
        if 0 < self.server_max_pdu < len(octets):
            raise LocalProtocolError(
                f"request of {len(octets)} octets exceeds the server's {self.server_max_pdu}"
            )
        if request.invoke & CONFIRMED:
            self._waiting_for = registry.ANSWERS[apdu[0]], request.invoke & INVOKE_ID
        self.state = state
        return octets

    def release(self) -> Step[bytes]:
        """Make the RLRQ; in a ciphered context it repeats the InitiateRequest, protected."""
        state = self._next(Input.RLRQ)
        user: bytes | None = None
        if self._security is not None and self.config.context.ciphered:
            initiate = proposal.initiate_request(self.config).encode()
            user = yield from protect(
                self._security, initiate, proposal.initiate_shape(self.config), Use.ASSOCIATION
            )
        self.state = state
        return Rlrq(reason=ReleaseRequestReason.NORMAL, user_information=user).encode()

    # Receiving ----------------------------------------------------------------------------------

    def receive(self, octets: bytes) -> Step[Event]:
        """Take one APDU from the server."""
        try:
            return (yield from self._receive(octets))
        except (CodecError, CounterTooLow, VerificationFailed, IllegalInput) as error:
            raise RemoteProtocolError(str(error), reason="unacceptable-response") from error

    def _receive(self, octets: bytes) -> Step[Event]:
        tag = octets[0] if octets else -1
        if tag == 0x61:
            return (yield from self._receive_aare(Aare.decode(octets)))
        if tag == 0x63:
            state = after(self.state, Input.RLRE)
            Rlre.decode(octets)
            self.state = state
            yield from self._forget()
            return AssociationReleased(None)
        if tag == 0xD8:
            exception = ExceptionResponse.decode(octets)
            self.state = after(self.state, Input.EXCEPTION)
            self._waiting_for = None
            if self.state is State.IDLE:
                yield from self._forget()
            return ExceptionReceived(exception)
        return (yield from self._receive_service(octets))

    def _receive_aare(self, aare: Aare) -> Step[Event]:
        if self.state is not State.ASSOCIATING:
            raise IllegalInput(self.state, Input.AARE_ACCEPTED)
        if aare.result is not AssociationResult.ACCEPTED:
            self.state = after(self.state, Input.AARE_REFUSED)
            yield from self._forget()
            error = proposal.refusal_error(aare)
            why = f"{aare.result.name} {aare.diagnostic.name}".lower().replace("_", "-")
            return AssociationRefused(None, aare.result, aare.diagnostic, error, why)
        proposal.check_acceptance(aare, self.config)
        title = aare.responding_ap_title
        if self._security is not None:
            self._security.peer_title = self._judge_title(title)
        initiate = yield from self._open_initiate(aare.user_information or b"")
        # Not with "& ~": the complement of an IntFlag lacks the bits that have no name.
        if initiate.conformance | self.config.conformance != self.config.conformance:
            raise RemoteProtocolError("negotiated conformance exceeds the proposed")
        self.conformance = initiate.conformance
        self.server_max_pdu = initiate.server_max_receive_pdu_size
        if not self.config.mechanism.is_hls:
            self.state = after(self.state, Input.AARE_ACCEPTED)
            return AssociationOpened(None, self.conformance)
        self._server_challenge = self._judge_challenge(aare)
        self.state = after(self.state, Input.AARE_AUTHENTICATION_REQUIRED)
        return AuthenticationPending(None)

    def _judge_title(self, title: bytes | None) -> bytes:
        known = self.config.server_title
        if title is None and known is not None:
            return known
        if title is None or len(title) != TITLE_LENGTH:
            raise RemoteProtocolError("responding-AP-title of 8 octets needed")
        if known is not None and title != known:
            raise RemoteProtocolError("responding-AP-title is not the meter's")
        if title == self.config.own_title:
            raise RemoteProtocolError("responding-AP-title is our own")
        return title

    def _judge_challenge(self, aare: Aare) -> bytes:
        """R-HLS-3, R-HLS-4; and no way to a weaker mechanism than the one asked for."""
        if aare.diagnostic is not UserDiagnostic.AUTHENTICATION_REQUIRED:
            raise RemoteProtocolError("server skips HLS authentication")
        if Mechanism.from_oid(aare.mechanism_name or b"") is not self.config.mechanism:
            raise RemoteProtocolError("AARE names another mechanism")
        value = aare.responding_authentication_value
        if value is None or not hls.MIN_CHALLENGE <= len(value.octets) <= hls.MAX_CHALLENGE:
            raise RemoteProtocolError("no challenge of 8 to 64 octets")
        if value.octets == self._challenge:
            raise RemoteProtocolError("server's challenge equals ours", reason="stoc-equals-ctos")
        return value.octets

    def _open_initiate(self, octets: bytes) -> Step[InitiateResponse]:
        if self.config.context.ciphered:
            opened = yield from self._open(octets, Use.ASSOCIATION, Protection.BOTH)
            if opened.family is not Family.GLOBAL:
                raise RemoteProtocolError("InitiateResponse is not protected like the request")
            octets = opened.apdu
        return InitiateResponse.decode(octets)

    def _receive_service(self, octets: bytes) -> Step[Event]:
        verifying = self.state is State.VERIFYING
        carrier: Opened | None = None
        apdu = octets
        if self.config.context.ciphered:
            use = Use.ASSOCIATION if verifying else Use.OPEN_RESPONSE
            carrier = yield from self._open(octets, use, self.config.protection)
            apdu = carrier.apdu
        row = registry.RESPONSES.get(apdu[0]) if apdu else None
        if row is None:
            raise CodecError(f"APDU {apdu[:1].hex()} is no response", offset=0, field="APDU")
        response = row.decode(apdu)
        if verifying:
            return (yield from self._receive_pass_4(response, carrier))
        state = after(self.state, Input.RESPONSE)
        if self._waiting_for != (apdu[0], response.invoke & INVOKE_ID):
            raise RemoteProtocolError("response to no request of ours", reason="invoke-id")
        self.state = state
        self._waiting_for = None
        return ResponseReceived(response)

    def _receive_pass_4(self, response: registry.Response, carrier: Opened | None) -> Step[Event]:
        """KL-HL-13: without a right f(CtoS) there is no association."""
        problem = "server refuses our authentication"
        if isinstance(response, ActionResponse) and response.result is ActionResult.SUCCESS:
            returned = response.returned
            if isinstance(returned, tuple) and returned.type is DataType.OCTET_STRING:
                assert isinstance(returned.value, bytes)
                try:
                    yield from hls.verify(self._secured(), self._challenge, returned.value, carrier)
                except (CodecError, CounterTooLow, VerificationFailed) as error:
                    problem = f"server's authentication is wrong: {error}"
                else:
                    self.state = after(self.state, Input.HLS_PASS_4)
                    return AssociationOpened(None, self.conformance)
            else:
                problem = "server does not authenticate itself"
        self.state = after(self.state, Input.HLS_REFUSED)
        yield from self._forget()
        return AuthenticationFailed(None, problem)

    # Helpers ------------------------------------------------------------------------------------

    def _next(self, event: Input) -> State:
        try:
            return after(self.state, event)
        except IllegalInput as error:
            raise LocalProtocolError(str(error)) from error

    def _secured(self) -> SecurityContext:
        if self._security is None:
            raise LocalProtocolError("this association has no keys")
        return self._security

    def _protected(self, apdu: bytes, use: Use) -> Step[bytes]:
        if not self.config.context.ciphered:
            return apdu
        security = self._secured()
        family = Family.GLOBAL if security.dedicated is None else Family.DEDICATED
        shape = Shape(family, self.config.form, self.config.protection)
        return (yield from protect(security, apdu, shape, use))

    def _open(self, octets: bytes, use: Use, required: Protection) -> Step[Opened]:
        if not octets or not is_ciphered(octets[0]):
            raise RemoteProtocolError("plain APDU where a ciphered one is due", reason="plain")
        return (yield from open_ciphered(self._secured(), octets, use, required=required))

    def _forget(self) -> Step[None]:
        self._challenge = self._server_challenge = b""
        self._waiting_for = None
        self.conformance = Conformance(0)
        if self._security is not None and self._security.dedicated is not None:
            dedicated, self._security.dedicated = self._security.dedicated, None
            self._counters.forget(dedicated)
            yield Discard(Use.ASSOCIATION, dedicated)
