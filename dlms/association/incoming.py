"""From the octets a client sent to a verified request, or to the ExceptionResponse that refuses it.

Which exception answers what is in GB Ed. 8, 9.5; where it leaves a choice, the codes are those that
conformance tests accept (APPL_DATA_LN_N1).
"""

from __future__ import annotations

from dlms.errors import CodecError, RemoteProtocolError
from dlms.security.ciphered import GENERAL_TAGS
from dlms.security.control import Protection
from dlms.security.counters import CounterTooLow
from dlms.security.ops import CryptoFailure, Step, Use
from dlms.security.protect import Opened, SecurityContext, TooWeak, open_ciphered
from dlms.xdlms import registry
from dlms.xdlms.codes import ServiceErrorCode, StateError
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.errors import ExceptionResponse


def refusal(
    why: str,
    reason: str,
    code: ServiceErrorCode = ServiceErrorCode.SERVICE_NOT_SUPPORTED,
    *,
    state: StateError = StateError.SERVICE_NOT_ALLOWED,
    counter: int | None = None,
) -> RemoteProtocolError:
    """An error that carries its ExceptionResponse."""
    reply = ExceptionResponse(
        state_error=state, service_error=code, invocation_counter=counter
    ).encode()
    return RemoteProtocolError(why, reply=reply, reason=reason)


def too_weak(what: str) -> RemoteProtocolError:
    """Protected less than the policy demands (R-PROT-1)."""
    return refusal(
        f"{what} is not protected as the policy demands",
        "insufficient-protection",
        ServiceErrorCode.OPERATION_NOT_POSSIBLE,
    )


def open_or_refuse(
    octets: bytes,
    security: SecurityContext | None,
    conformance: Conformance,
    policy: Protection,
    use: Use,
) -> Step[Opened]:
    """Open a ciphered APDU. ``security`` is ``None`` where the context is not ciphered."""
    if security is None:
        raise refusal("ciphered APDU in a plain context", "ciphered-in-plain-context")
    if octets[0] in GENERAL_TAGS and not conformance & Conformance.GENERAL_PROTECTION:
        raise refusal("general protection was not negotiated", "service-not-negotiated")
    try:
        return (yield from open_ciphered(security, octets, use, required=policy))
    except TooWeak as error:
        raise too_weak("APDU") from error
    except CounterTooLow as error:
        raise refusal(
            str(error),
            "invocation-counter",
            ServiceErrorCode.INVOCATION_COUNTER_ERROR,
            counter=error.floor,
        ) from error
    except (CodecError, CryptoFailure) as error:
        raise refusal(str(error), "deciphering", ServiceErrorCode.DECIPHERING_ERROR) from error


def decode_request(apdu: bytes) -> registry.Request:
    """Decode a plain request."""
    row = registry.REQUESTS.get(apdu[0])
    if row is None:
        raise refusal(
            f"APDU {apdu[0]:02X} is no request",
            "unknown-service",
            state=StateError.SERVICE_UNKNOWN,
        )
    try:
        return row.decode(apdu)
    except CodecError as error:
        raise refusal(f"{row.name}: {error}", "malformed-request") from error
