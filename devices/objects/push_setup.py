"""Push setup, class 40 (Blue Book 4.4.8): collects what is to be pushed and says it.

What method push and announcements make is for an association: that which invokes, or those to which
the meter announces. It goes out once, at once, and asks for confirmation where the Push setup does.
What is pushed to a destination of the meter's own are alerts (:mod:`devices.answering.alerting`),
and there the rest counts, too (:mod:`devices.objects.push_plan`). port_reference,
push_protection_parameters and confirmation_parameters are kept and shown, and change nothing: the
association protects, as its policy asks of responses.
"""

from __future__ import annotations

from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome
from devices.objects.push_plan import is_confirmed
from devices.objects.push_selection import Element, element, selected
from dlms.association.shapes import response_policy
from dlms.axdr.data import NULL, Data, structure
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem.fitting import elements_of
from dlms.security.control import Protection
from dlms.xdlms.codes import ActionResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.long_invoke import CONFIRMED, LONG_INVOKE_ID
from dlms.xdlms.registry import Notification
from dlms.xdlms.variable_access import VariableName

PUSH = 1
"""Method push."""

MAX_OBJECTS = 64
"""Elements that are pushed; more would not fit in any PDU of ours, and each may be a buffer."""


def moment(call: Call) -> bytes:
    """The meter's own time, UTC, as 12 octets."""
    return CosemDateTime.from_datetime(call.now + call.device.state.clock_offset).to_octets()


def tellable(call: Call, instance: bytes, class_id: int, attribute: int) -> bool:
    """Whether the association may be told this attribute: it could read it, and what is said
    unasked is as much protected as the right asks of requests and responses (GB Ed. 8, 9.2.7.2.2).
    """
    row = call.device.profile.objects_of(call.association).get(instance)
    rights = None if row is None else row.rights.get(call.association.name)
    if row is None or rights is None or row.interface_class.class_id != class_id:
        return False
    access = rights.attribute(attribute)
    config = call.device.config(call.association)
    given = response_policy(config) if config.context.ciphered else Protection.NONE
    return access.readable and access.satisfied_by(given) and not access.response & ~given


def compose(call: Call, invoke: int | None = None) -> Notification | None:
    """What the Push setup of ``call`` pushes to the association of ``call``; ``invoke`` is the
    long-invoke-id, by default the next of the meter's.

    A DataNotification, whose body is a structure with one element for each of push_object_list, and
    null-data for what the association may not be told; or an InformationReport of the attributes
    that have a short name, where the association offers that only. ``None`` if it offers neither,
    or there is nothing to say.
    """
    config = call.association.config
    value = call.device.value(call.row, 2)
    listed = () if value is None else elements_of(value) or ()
    elements = [one for one in map(element, listed) if one is not None]
    if config.broadcast or not 0 < len(elements) <= MAX_OBJECTS:
        return None
    if Conformance.DATA_NOTIFICATION in config.conformance:
        body = structure(*(_value(call, one) for one in elements))
        number = call.device.outbox.invoke() if invoke is None else invoke & LONG_INVOKE_ID
        if is_confirmed(call.device, call.row):
            number |= CONFIRMED
        return DataNotification(number, body, moment(call))
    if config.short_names and Conformance.INFORMATION_REPORT in config.conformance:
        return _report(call, elements)
    return None


def _value(call: Call, what: Element) -> Data:
    row = call.device.profile.objects_of(call.association).get(what.instance)
    if row is None or not tellable(call, what.instance, what.class_id, what.attribute):
        return NULL
    return selected(call, row, what)


def _report(call: Call, elements: list[Element]) -> Notification | None:
    """Whole attributes only: a name stands for no part of one."""
    short_names = call.device.profile.short_names
    whole = [
        one
        for one in elements
        if one.instance in short_names.bases
        and one.attribute > 0
        and not (one.data_index or one.restriction or one.columns)
        and tellable(call, one.instance, one.class_id, one.attribute)
    ]
    if not whole:
        return None
    return InformationReport(
        tuple(
            VariableName(name=short_names.attribute(one.instance, one.attribute)) for one in whole
        ),
        tuple(_value(call, one) for one in whole),
    )


def _push(call: Call, parameter: Data) -> Outcome:
    """The notification goes out behind the response, if the client has negotiated it."""
    notification = compose(call)
    if notification is None:
        return Outcome(ActionResult.OTHER_REASON)
    if not call.device.outbox.reply(notification):
        return Outcome(ActionResult.TEMPORARY_FAILURE)
    return SUCCESS


BEHAVIOUR = Behaviour(invoke={PUSH: _push})
