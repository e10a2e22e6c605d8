"""ConfirmedServiceError and ExceptionResponse (GB Ed. 8, 9.5)."""

from __future__ import annotations

from dataclasses import dataclass

from dlms.errors import CodecError
from dlms.octets import Reader
from dlms.xdlms.codes import ErrorClass, ErrorService, ServiceErrorCode, StateError


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedServiceError:
    """Why a confirmed service of the application layer failed; ``value`` belongs to the class."""

    service: ErrorService
    error_class: ErrorClass
    value: int

    def encode(self) -> bytes:
        return bytes((0x0E, self.service, self.error_class, self.value))

    @classmethod
    def decode(cls, octets: bytes) -> ConfirmedServiceError:
        reader = Reader(octets)
        if reader.u8("ConfirmedServiceError") != 0x0E:
            raise CodecError("tag 0E expected", offset=0, field="ConfirmedServiceError")
        try:
            error = cls(
                service=ErrorService(reader.u8("service")),
                error_class=ErrorClass(reader.u8("ServiceError")),
                value=reader.u8("ServiceError"),
            )
        except ValueError as problem:
            raise CodecError(
                str(problem), offset=reader.position - 1, field="ConfirmedServiceError"
            ) from None
        reader.finish("ConfirmedServiceError")
        return error


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionResponse:
    """The answer to an APDU that could not be processed at all.

    ``invocation_counter`` goes with INVOCATION_COUNTER_ERROR: the lowest value that the server
    would accept. The APDU is not protected, so a client may take it as a hint to move forward only.
    """

    state_error: StateError
    service_error: ServiceErrorCode
    invocation_counter: int | None = None

    def encode(self) -> bytes:
        counter = self.invocation_counter
        return bytes((0xD8, self.state_error, self.service_error)) + (
            b"" if counter is None else counter.to_bytes(4, "big")
        )

    @classmethod
    def decode(cls, octets: bytes) -> ExceptionResponse:
        reader = Reader(octets)
        if reader.u8("ExceptionResponse") != 0xD8:
            raise CodecError("tag D8 expected", offset=0, field="ExceptionResponse")
        try:
            state = StateError(reader.u8("state-error"))
            service = ServiceErrorCode(reader.u8("service-error"))
        except ValueError as problem:
            raise CodecError(
                str(problem), offset=reader.position - 1, field="ExceptionResponse"
            ) from None
        counter = None
        if service is ServiceErrorCode.INVOCATION_COUNTER_ERROR:
            counter = reader.u32("invocation-counter-error")
        reader.finish("ExceptionResponse")
        return cls(state_error=state, service_error=service, invocation_counter=counter)


NOT_ASSOCIATED = ExceptionResponse(
    state_error=StateError.SERVICE_NOT_ALLOWED, service_error=ServiceErrorCode.SERVICE_NOT_SUPPORTED
)
"""Answer to a service without an association that allows it (conformance APPL_IDLE_N1)."""
