"""What a meter says to an association that has asked for nothing (GB Ed. 8, 9.3.10, 9.3.11)."""

from __future__ import annotations

from devices.answering.asking import Asking
from devices.objects import push_setup
from devices.outbox import Announcement, Changed, Pushed
from dlms.axdr.data import Data
from dlms.cosem import classes
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.registry import Notification
from dlms.xdlms.variable_access import VariableName


def announced(asking: Asking, what: Announcement) -> Notification | None:
    """What the association of ``asking`` is told; ``None`` if it is not for it.

    An event is for who may read the attribute, a push for who may have it pushed, each where the
    association offers a service to say it with.
    """
    if isinstance(what, Changed):
        return _event(asking, what.attribute)
    return _push(asking, what)


def _event(asking: Asking, attribute: AttributeDescriptor) -> Notification | None:
    config, profile = asking.association.config, asking.device.profile
    row = profile.objects_of(asking.association).get(attribute.instance)
    if row is None or config.broadcast:
        return None
    call = asking.call(row)
    class_id, instance, number = attribute
    if not push_setup.tellable(call, instance, class_id, number):
        return None
    value = asking.device.attribute(row, number, asking.association, asking.now)
    if not isinstance(value, Data):
        return None
    if config.short_names:
        if Conformance.INFORMATION_REPORT not in config.conformance:
            return None
        name = VariableName(name=profile.short_names.attribute(instance, number))
        return InformationReport((name,), (value,))
    if Conformance.EVENT_NOTIFICATION not in config.conformance:
        return None
    return EventNotification(attribute, value, push_setup.moment(call))


def _push(asking: Asking, what: Pushed) -> Notification | None:
    row = asking.device.profile.objects_of(asking.association).get(what.instance)
    rights = None if row is None else row.rights.get(asking.association.name)
    if row is None or rights is None or not rights.method(push_setup.PUSH):
        return None
    if row.interface_class.class_id != classes.PUSH_SETUP.class_id:
        return None
    return push_setup.compose(asking.call(row))
