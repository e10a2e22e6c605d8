"""ACCESS, and what a server says unasked (GB Ed. 8, 9.3.9 to 9.3.11 and 9.5)."""

from __future__ import annotations

from scapy.fields import ByteField

from dlms.xdlms import access, data_notification, event_notification
from dlms.xdlms.codes import ActionResult, DataAccessResult
from emulator.scapy_layers.apdu import Service, apdu
from emulator.scapy_layers.descriptors import attribute, data, long_invoke, method, values
from emulator.scapy_layers.parts import (
    CodeField,
    Part,
    chosen,
    optional,
    several,
    string,
    tag_of,
)


class AccessSpecification(Part):
    name = "Access-Request-Specification"
    fields_desc = [
        CodeField(
            "choice",
            1,
            {
                1: "access-request-get",
                2: "access-request-set",
                3: "access-request-action",
                4: "access-request-get-with-selection",
                5: "access-request-set-with-selection",
            },
        ),
        *chosen(
            "choice",
            {
                (1, 2, 4, 5): attribute(),
                3: method(),
                # Without the flag that a selection has elsewhere.
                (4, 5): [ByteField("access_selector", 1), data("access_parameters")],
            },
        ),
    ]


class AccessResponseItem(Part):
    name = "Access-Response-Specification"
    fields_desc = [
        CodeField(
            "choice",
            1,
            {1: "access-response-get", 2: "access-response-set", 3: "access-response-action"},
        ),
        *chosen(
            "choice",
            {
                (1, 2): CodeField("result", 0, DataAccessResult),
                3: CodeField("action_result", 0, ActionResult),
            },
        ),
    ]


@apdu(access.REQUEST_TAG)
class AccessRequest(Service):
    name = "Access-Request"
    fields_desc = [
        tag_of(access.REQUEST_TAG),
        *long_invoke(),
        *several("specifications", AccessSpecification),
        *values(),
    ]


@apdu(access.RESPONSE_TAG)
class AccessResponse(Service):
    name = "Access-Response"
    fields_desc = [
        tag_of(access.RESPONSE_TAG),
        *long_invoke(),
        *optional("specifications", *several("specifications", AccessSpecification)),
        *values(),
        *several("results", AccessResponseItem),
    ]


@apdu(data_notification.TAG)
class DataNotification(Service):
    name = "Data-Notification"
    fields_desc = [tag_of(data_notification.TAG), *long_invoke(), data("body")]


@apdu(data_notification.CONFIRM_TAG)
class DataNotificationConfirm(Service):
    name = "Data-Notification-Confirm"
    fields_desc = [tag_of(data_notification.CONFIRM_TAG), *long_invoke()]


@apdu(event_notification.TAG)
class EventNotification(Service):
    name = "Event-Notification-Request"
    fields_desc = [
        tag_of(event_notification.TAG),
        *optional("event_time", *string("event_time", None)),
        attribute(),
        data(),
    ]
