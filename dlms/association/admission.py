"""How a server judges an AARQ: nothing here changes anything (GB Ed. 8, 9.4.4; R-INIT-4).

Each judgement either passes or raises :class:`Refusal` with the codes of the AARE that says so.
"""

from __future__ import annotations

from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import TITLE_LENGTH, ServerConfig
from dlms.errors import ProtocolError
from dlms.security.hls import MAX_CHALLENGE, MIN_CHALLENGE
from dlms.xdlms.codes import (
    ApplicationReferenceError,
    ErrorClass,
    ErrorService,
    InitiateError,
)
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.errors import ConfirmedServiceError
from dlms.xdlms.initiate import DLMS_VERSION, MIN_PDU_SIZE, InitiateRequest


class Refusal(ProtocolError):
    """Why there will be no association."""

    def __init__(
        self,
        why: str,
        diagnostic: UserDiagnostic | ProviderDiagnostic,
        error: ConfirmedServiceError | None = None,
        result: AssociationResult = AssociationResult.REJECTED_PERMANENT,
    ) -> None:
        super().__init__(why)
        self.diagnostic = diagnostic
        self.error = error
        self.result = result


def initiate_refusal(why: str, error: InitiateError) -> Refusal:
    """A refusal of the xDLMS context: the AARE carries a ConfirmedServiceError."""
    return Refusal(
        why,
        UserDiagnostic.NO_REASON_GIVEN,
        ConfirmedServiceError(
            service=ErrorService.INITIATE, error_class=ErrorClass.INITIATE, value=error
        ),
    )


def deciphering_refusal(why: str) -> Refusal:
    """The InitiateRequest could not be deciphered."""
    return Refusal(
        why,
        UserDiagnostic.NO_REASON_GIVEN,
        ConfirmedServiceError(
            service=ErrorService.INITIATE,
            error_class=ErrorClass.APPLICATION_REFERENCE,
            value=ApplicationReferenceError.DECIPHERING_ERROR,
        ),
    )


def judge_context(aarq: Aarq, config: ServerConfig) -> None:
    """ACSE version and application context name (APPL_OPEN_4, APPL_OPEN_5)."""
    if not aarq.supports_version1:
        raise Refusal("no common ACSE version", ProviderDiagnostic.NO_COMMON_ACSE_VERSION)
    if ApplicationContext.from_oid(aarq.application_context_name) is not config.context:
        raise Refusal(
            "application context is not the one of this association",
            UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
        )


def judge_title(
    aarq: Aarq, config: ServerConfig, own_title: bytes, channel_title: bytes | None
) -> None:
    """The client's system title (R-AA-6, KL-HL-17, KL-TL-05).

    ``channel_title`` is who the secure channel says the client is.
    """
    title = aarq.calling_ap_title
    unrecognized = UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED
    if config.needs_title:
        if title is None or len(title) != TITLE_LENGTH:
            raise Refusal("calling-AP-title of 8 octets needed", unrecognized)
        if title == own_title:
            raise Refusal("calling-AP-title is the server's own", unrecognized)
        if config.client_title is not None and title != config.client_title:
            raise Refusal("calling-AP-title is not the registered one", unrecognized)
    # An unused title is ignored (R-AA-5), unless it claims to be someone else than the channel.
    if channel_title is not None and title is not None and title != channel_title:
        raise Refusal("calling-AP-title is not that of the peer's certificate", unrecognized)


def judge_mechanism(aarq: Aarq, config: ServerConfig) -> None:
    """The authentication functional unit (R-AA-2, APPL_OPEN_7, KL-HL-03, KL-HL-11)."""
    if config.mechanism is Mechanism.NONE:
        return
    if not aarq.sender_acse_requirements:
        raise Refusal("authentication is required", UserDiagnostic.AUTHENTICATION_REQUIRED)
    if aarq.mechanism_name is None:
        raise Refusal(
            "mechanism-name is required",
            UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED,
        )
    if Mechanism.from_oid(aarq.mechanism_name) is not config.mechanism:
        raise Refusal(
            "mechanism is not the one of this association",
            UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
        )
    value = aarq.calling_authentication_value
    if value is None:
        raise Refusal("no authentication value", UserDiagnostic.AUTHENTICATION_FAILURE)
    if config.mechanism.is_hls and not MIN_CHALLENGE <= len(value.octets) <= MAX_CHALLENGE:
        raise Refusal(
            f"challenge of {len(value.octets)} octets", UserDiagnostic.AUTHENTICATION_FAILURE
        )


def judge_initiate(request: InitiateRequest, config: ServerConfig) -> Conformance:
    """The proposed xDLMS context; returns the negotiated conformance (R-INIT-1, 2, R-CONF-1)."""
    if request.dlms_version < DLMS_VERSION:
        raise initiate_refusal("DLMS version too low", InitiateError.DLMS_VERSION_TOO_LOW)
    negotiated = request.conformance & config.conformance
    if not negotiated:
        raise initiate_refusal("no service in common", InitiateError.INCOMPATIBLE_CONFORMANCE)
    if 0 < request.client_max_receive_pdu_size < MIN_PDU_SIZE:
        raise initiate_refusal("PDU size too short", InitiateError.PDU_SIZE_TOO_SHORT)
    return negotiated
