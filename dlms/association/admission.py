"""How a server judges an AARQ: nothing here changes anything (GB Ed. 8, 9.4.4; R-INIT-4).

Each judgement either passes or raises :class:`Refusal` with the codes of the AARE that says so.
"""

from __future__ import annotations

from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.config import MAX_USER, TITLE_LENGTH, AssociationKeys, ServerConfig
from dlms.association.knobs import Unasked
from dlms.errors import ProtocolError
from dlms.security import hls
from dlms.security.control import Protection
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
        self.silent = False
        """Whether the AARQ is known to allow no response, so that not even this is said."""
        self.diagnostic = diagnostic
        self.error = error
        self.result = result


def busy_refusal() -> Refusal:
    """Not now; the same AARQ may be accepted later."""
    return Refusal(
        "busy", UserDiagnostic.NO_REASON_GIVEN, result=AssociationResult.REJECTED_TRANSIENT
    )


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
    if config.knobs.channel_title is Unasked.IGNORE:
        return
    if channel_title is not None and title is not None and title != channel_title:
        raise Refusal("calling-AP-title is not that of the peer's certificate", unrecognized)


def judge_mechanism(aarq: Aarq, config: ServerConfig, keys: AssociationKeys) -> None:
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
    unknown = UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
    if Mechanism.from_oid(aarq.mechanism_name) is not config.mechanism:
        raise Refusal("mechanism is not the one of this association", unknown)
    if config.mechanism is Mechanism.HLS and config.manufacturer is None:
        raise Refusal("nobody has said what mechanism 2 is here", unknown)
    value = aarq.calling_authentication_value
    failure = UserDiagnostic.AUTHENTICATION_FAILURE
    if value is None:
        raise Refusal("no authentication value", failure)
    challenged = config.mechanism.is_hls
    if challenged and not hls.challenge_fits(config.mechanism.value, value.octets):
        raise Refusal(f"challenge of {len(value.octets)} octets", failure)
    lacking = keys.lacks_for(config.mechanism)
    if lacking:
        raise Refusal(f"no {lacking} is set", failure)


def judge_user(aarq: Aarq, config: ServerConfig) -> int | None:
    """User identification by calling-AE-invocation-id (APPL_OPEN_2, APPL_OPEN_6 4).

    Returns the user, if users are identified. A plain INTEGER of one octet is negative from 128 on.
    """
    user = aarq.calling_ae_invocation_id
    unrecognized = UserDiagnostic.CALLING_AE_INVOCATION_ID_NOT_RECOGNIZED
    if config.users is None:
        if user is not None and config.knobs.unknown_user is Unasked.REJECT:
            raise Refusal("no users are identified here", unrecognized)
        return None
    if user is None or not -(MAX_USER + 1) // 2 <= user <= MAX_USER:
        raise Refusal("a user id is needed", unrecognized)
    user &= MAX_USER
    if user not in config.users:
        raise Refusal(f"user {user} is not in the list", unrecognized)
    return user


def judge_dedicated(
    initiate: InitiateRequest, protection: Protection, key_length: int, config: ServerConfig
) -> bool:
    """Whether there will be a dedicated key (R-INIT-3).

    It travels authenticated and encrypted, and fits the suite. In a context without ciphering it
    cannot be used (APPL_OPEN_9).
    """
    key = initiate.dedicated_key
    if key is None:
        return False
    ignored = config.knobs.dedicated_key_in_plain_context is Unasked.IGNORE
    if ignored and not config.context.ciphered:
        return False
    if protection != Protection.BOTH:
        raise initiate_refusal(
            "dedicated key in an InitiateRequest without full protection", InitiateError.OTHER
        )
    if len(key) != key_length:
        raise initiate_refusal(f"dedicated key of {len(key)} octets", InitiateError.OTHER)
    return True


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


def judge_response_allowed(request: InitiateRequest, config: ServerConfig) -> None:
    """Unconfirmed associations are offered, and without HLS, whose passes are answers (R-AA-7)."""
    if request.response_allowed:
        if config.broadcast:
            raise Refusal("a broadcast has no answer", UserDiagnostic.NO_REASON_GIVEN)
        return
    if not config.unconfirmed:
        raise Refusal("unconfirmed associations are not offered", UserDiagnostic.NO_REASON_GIVEN)
    if config.mechanism.is_hls:
        raise Refusal("HLS takes answers", UserDiagnostic.NO_REASON_GIVEN)
