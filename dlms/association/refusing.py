"""A request that is refused, and the APDU that says so.

Which code answers what is in GB Ed. 8, 9.5; where it leaves a choice, the codes are those that
conformance tests accept. With logical names the answer is an ExceptionResponse (APPL_IDLE_N1,
APPL_DATA_LN_N1), with short names a ConfirmedServiceError (APPL_DATA_SN_N1 to N3).
"""

from __future__ import annotations

from dlms.association.config import ServerConfig
from dlms.association.knobs import ExceptionCodes
from dlms.errors import ProtocolError
from dlms.security.ciphered import TAGS
from dlms.xdlms.codes import (
    ApplicationReferenceError,
    ErrorClass,
    ErrorService,
    ServiceErrorCode,
    StateError,
)
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse


class ServiceRefused(ProtocolError):
    """Why a request is refused, in the codes of an ExceptionResponse.

    ``counter`` is the lowest invocation counter that would be accepted.
    """

    def __init__(
        self,
        why: str,
        reason: str,
        code: ServiceErrorCode = ServiceErrorCode.SERVICE_NOT_SUPPORTED,
        *,
        state: StateError = StateError.SERVICE_NOT_ALLOWED,
        counter: int | None = None,
    ) -> None:
        super().__init__(why)
        self.reason = reason
        self.code = code
        self.state = state
        self.counter = counter


def too_weak(what: str) -> ServiceRefused:
    """Protected less than the policy demands (R-PROT-1)."""
    return ServiceRefused(
        f"{what} is not protected as the policy demands",
        "insufficient-protection",
        ServiceErrorCode.OPERATION_NOT_POSSIBLE,
    )


def too_long(what: str) -> ServiceRefused:
    """Longer than the size that was negotiated (X_PDU_MAX)."""
    return ServiceRefused(f"{what} is too long", "pdu-too-long", ServiceErrorCode.PDU_TOO_LONG)


def answer(refused: ServiceRefused, apdu: bytes, config: ServerConfig) -> bytes:
    """The APDU that refuses ``apdu``."""
    if config.short_names:
        return _service_error(refused.code, apdu).encode()
    code, counter = refused.code, refused.counter
    codes = config.knobs.exception_codes
    if codes is not ExceptionCodes.ALL and counter is not None:
        code, counter = ServiceErrorCode.DECIPHERING_ERROR, None
    if codes is ExceptionCodes.FIRST_EDITION and code > _LAST_OF_FIRST:
        code = ServiceErrorCode.OTHER_REASON
    return ExceptionResponse(
        state_error=refused.state, service_error=code, invocation_counter=counter
    ).encode()


_LAST_OF_FIRST = ServiceErrorCode.OTHER_REASON
_SERVICES = {
    0x05: ErrorService.READ,
    0x0C: ErrorService.READ,
    0x06: ErrorService.WRITE,
    0x0D: ErrorService.WRITE,
}
"""By the tag of the request, or of a response that is too long."""
_SCOPE_OF_ACCESS_VIOLATED = 1
_PDU_SIZE = 1
_SERVICE_UNSUPPORTED = 2
_OTHER = 0

_ERRORS: dict[ServiceErrorCode, tuple[ErrorClass, int]] = {
    ServiceErrorCode.OPERATION_NOT_POSSIBLE: (ErrorClass.ACCESS, _SCOPE_OF_ACCESS_VIOLATED),
    ServiceErrorCode.SERVICE_NOT_SUPPORTED: (ErrorClass.SERVICE, _SERVICE_UNSUPPORTED),
    ServiceErrorCode.OTHER_REASON: (ErrorClass.SERVICE, _OTHER),
    ServiceErrorCode.PDU_TOO_LONG: (ErrorClass.SERVICE, _PDU_SIZE),
    ServiceErrorCode.DECIPHERING_ERROR: (
        ErrorClass.APPLICATION_REFERENCE,
        ApplicationReferenceError.DECIPHERING_ERROR,
    ),
    # The ConfirmedServiceError has no place for a counter.
    ServiceErrorCode.INVOCATION_COUNTER_ERROR: (
        ErrorClass.APPLICATION_REFERENCE,
        ApplicationReferenceError.DECIPHERING_ERROR,
    ),
}


def _service_error(code: ServiceErrorCode, apdu: bytes) -> ConfirmedServiceError:
    """``initiateError`` stands for every service that has no choice of its own."""
    tag = apdu[0] if apdu else -1
    plain = TAGS[tag][1] if tag in TAGS else tag
    service = _SERVICES.get(plain, ErrorService.INITIATE)
    error_class, value = _ERRORS[code]
    return ConfirmedServiceError(service=service, error_class=error_class, value=value)
