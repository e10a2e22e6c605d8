"""One row per xDLMS APDU: its tag, its name, its decoder.

Ciphered forms are not here: they are a layer of their own (:mod:`dlms.security.ciphered`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from dlms.errors import CodecError
from dlms.xdlms import action, get, set
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.get import GetRequest, GetResponse
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.set import SetRequest, SetResponse

Request: TypeAlias = GetRequest | SetRequest | ActionRequest
Response: TypeAlias = GetResponse | SetResponse | ActionResponse
Apdu: TypeAlias = (
    Request
    | Response
    | InitiateRequest
    | InitiateResponse
    | ConfirmedServiceError
    | ExceptionResponse
)


A = TypeVar("A", bound=Apdu, covariant=True)


class Row(NamedTuple, Generic[A]):
    """``needs`` is the conformance bit under which the service may be used."""

    tag: int
    name: str
    decode: Callable[[bytes], A]
    needs: Conformance = Conformance(0)


REQUESTS: dict[int, Row[Request]] = {
    0xC0: Row(0xC0, "get-request", get.decode_request, Conformance.GET),
    0xC1: Row(0xC1, "set-request", set.decode_request, Conformance.SET),
    0xC3: Row(0xC3, "action-request", action.decode_request, Conformance.ACTION),
}

RESPONSES: dict[int, Row[Response]] = {
    0xC4: Row(0xC4, "get-response", get.decode_response, Conformance.GET),
    0xC5: Row(0xC5, "set-response", set.decode_response, Conformance.SET),
    0xC7: Row(0xC7, "action-response", action.decode_response, Conformance.ACTION),
}

ANSWERS = {0xC0: 0xC4, 0xC1: 0xC5, 0xC3: 0xC7}
"""The tag of the response to each request."""

CONTEXT: dict[int, Row[Apdu]] = {
    0x01: Row(0x01, "initiate-request", InitiateRequest.decode),
    0x08: Row(0x08, "initiate-response", InitiateResponse.decode),
    0x0E: Row(0x0E, "confirmed-service-error", ConfirmedServiceError.decode),
    0xD8: Row(0xD8, "exception-response", ExceptionResponse.decode),
}

BY_TAG: dict[int, Row[Apdu]] = {**CONTEXT, **REQUESTS, **RESPONSES}


def decode(octets: bytes) -> Apdu:
    """Decode any plain xDLMS APDU. :class:`CodecError` if :data:`BY_TAG` has no row for it."""
    if not octets:
        raise CodecError("1 octet needed, none left", offset=0, field="APDU")
    row = BY_TAG.get(octets[0])
    if row is None:
        raise CodecError(f"unknown APDU tag {octets[0]:02X}", offset=0, field="APDU")
    return row.decode(octets)
