"""One row per xDLMS APDU: its tag, its name, its decoder.

Ciphered forms are not here: they are a layer of their own (:mod:`dlms.security.ciphered`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from dlms.errors import CodecError
from dlms.xdlms import (
    access,
    action,
    data_notification,
    event_notification,
    general_block,
    get,
    information_report,
    read,
    set,
    write,
)
from dlms.xdlms.access import AccessRequest, AccessResponse
from dlms.xdlms.action import ActionRequest, ActionRequestWithList
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification, DataNotificationConfirm
from dlms.xdlms.errors import ConfirmedServiceError, ExceptionResponse
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.general_block import GeneralBlock
from dlms.xdlms.get import GetRequest, GetRequestWithList
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from dlms.xdlms.read import ReadRequest, ReadResponse
from dlms.xdlms.set import SetRequest, SetRequestWithList
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

CompleteRequest: TypeAlias = (
    GetRequest
    | GetRequestWithList
    | SetRequest
    | SetRequestWithList
    | ActionRequest
    | ActionRequestWithList
)
"""What can be carried out at once; the other forms are steps of a block transfer."""

Request: TypeAlias = get.Request | set.Request | action.Request
Response: TypeAlias = get.Response | set.Response | action.Response

AnyRequest: TypeAlias = (
    Request | AccessRequest | ReadRequest | WriteRequest | UnconfirmedWriteRequest
)
AnyResponse: TypeAlias = Response | AccessResponse | ReadResponse | WriteResponse
Notification: TypeAlias = DataNotification | EventNotification | InformationReport
Apdu: TypeAlias = (
    AnyRequest
    | AnyResponse
    | Notification
    | DataNotificationConfirm
    | GeneralBlock
    | InitiateRequest
    | InitiateResponse
    | ConfirmedServiceError
    | ExceptionResponse
)


A = TypeVar("A", bound=Apdu, covariant=True)


class Row(NamedTuple, Generic[A]):
    """``needs`` is the conformance bit under which the service may be used.

    What one particular request needs besides is its own ``needs``.
    """

    tag: int
    name: str
    decode: Callable[[bytes], A]
    needs: Conformance = Conformance(0)


REQUESTS: dict[int, Row[AnyRequest]] = {
    0x05: Row(0x05, "read-request", read.decode_request, Conformance.READ),
    0x06: Row(0x06, "write-request", write.decode_request, Conformance.WRITE),
    0x16: Row(
        0x16, "unconfirmed-write-request", write.decode_unconfirmed, Conformance.UNCONFIRMED_WRITE
    ),
    0xC0: Row(0xC0, "get-request", get.decode_request, Conformance.GET),
    0xC1: Row(0xC1, "set-request", set.decode_request, Conformance.SET),
    0xC3: Row(0xC3, "action-request", action.decode_request, Conformance.ACTION),
    0xD9: Row(0xD9, "access-request", access.decode_request, Conformance.ACCESS),
}

RESPONSES: dict[int, Row[AnyResponse]] = {
    0x0C: Row(0x0C, "read-response", read.decode_response, Conformance.READ),
    0x0D: Row(0x0D, "write-response", write.decode_response, Conformance.WRITE),
    0xC4: Row(0xC4, "get-response", get.decode_response, Conformance.GET),
    0xC5: Row(0xC5, "set-response", set.decode_response, Conformance.SET),
    0xC7: Row(0xC7, "action-response", action.decode_response, Conformance.ACTION),
    0xDA: Row(0xDA, "access-response", access.decode_response, Conformance.ACCESS),
}

ANSWERS = {0x05: 0x0C, 0x06: 0x0D, 0xC0: 0xC4, 0xC1: 0xC5, 0xC3: 0xC7, 0xD9: 0xDA}
"""The tag of the response to each request. UnconfirmedWrite has none."""

NOTIFICATIONS: dict[int, Row[Notification]] = {
    0x0F: Row(0x0F, "data-notification", data_notification.decode, Conformance.DATA_NOTIFICATION),
    0x18: Row(
        0x18,
        "information-report-request",
        information_report.decode,
        Conformance.INFORMATION_REPORT,
    ),
    0xC2: Row(
        0xC2,
        "event-notification-request",
        event_notification.decode,
        Conformance.EVENT_NOTIFICATION,
    ),
}
"""What a server may send unasked."""

CONFIRMATIONS: dict[int, Row[DataNotificationConfirm]] = {
    0x10: Row(
        0x10,
        "data-notification-confirm",
        data_notification.decode_confirm,
        Conformance.DATA_NOTIFICATION,
    ),
}
"""What a client says to a notification that asks for it. Neither a request nor a response."""

BLOCKS: dict[int, Row[GeneralBlock]] = {
    0xE0: Row(
        0xE0, "general-block-transfer", general_block.decode, Conformance.GENERAL_BLOCK_TRANSFER
    ),
}
"""What carries any of the others in pieces, ciphered or not."""

CONTEXT: dict[int, Row[Apdu]] = {
    0x01: Row(0x01, "initiate-request", InitiateRequest.decode),
    0x08: Row(0x08, "initiate-response", InitiateResponse.decode),
    0x0E: Row(0x0E, "confirmed-service-error", ConfirmedServiceError.decode),
    0xD8: Row(0xD8, "exception-response", ExceptionResponse.decode),
}

BY_TAG: dict[int, Row[Apdu]] = {
    **CONTEXT,
    **REQUESTS,
    **RESPONSES,
    **NOTIFICATIONS,
    **CONFIRMATIONS,
    **BLOCKS,
}


def decode(octets: bytes) -> Apdu:
    """Decode any plain xDLMS APDU. :class:`CodecError` if :data:`BY_TAG` has no row for it."""
    if not octets:
        raise CodecError("1 octet needed, none left", offset=0, field="APDU")
    row = BY_TAG.get(octets[0])
    if row is None:
        raise CodecError(f"unknown APDU tag {octets[0]:02X}", offset=0, field="APDU")
    return row.decode(octets)
