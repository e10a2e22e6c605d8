"""The alerts of a meter, as what its Push setup makes of them.

An alert is told as it was: repeated later, the notification is the same. Its long-invoke-id is the
running number of the alert, its time that of the meter's clock when it happened.
"""

from __future__ import annotations

import datetime as dt

from devices.meter import Meter
from devices.objects import push_setup
from devices.objects.behaviour import Call
from devices.objects.push_plan import LAST_CONFIRMATION, PushPlan, push_plan
from devices.registers import registers
from devices.timekeeping import clock_octets
from dlms.axdr.data import octet_string
from dlms.xdlms.data_notification import DataNotification


def plan(meter: Meter) -> PushPlan | None:
    """How alerts go out now; ``None`` if the profile has none go out, or the Push setup names a
    client whose association protects nothing.
    """
    pushed = meter.profile.alert_push
    if pushed is None:
        return None
    found = push_plan(meter, meter.profile.objects[pushed.setup], pushed.association)
    if found is None or not found.association.config.context.ciphered:
        return None
    return found


def notification(meter: Meter, number: int, by: PushPlan) -> DataNotification | None:
    """What tells the alert of that running number; ``None`` if there is no such alert, or the
    association of the plan has no DataNotification.
    """
    alert = meter.state.alerts.get(number)
    if alert is None:
        return None
    # When the clock has been set since, it shows what it showed then.
    since = registers(meter).segment(alert.moment).offset - meter.state.clock_offset
    meter.telling = alert
    try:
        call = Call(meter, by.setup, by.association, alert.moment + since)
        composed = push_setup.compose(call, number)
    finally:
        meter.telling = None
    return composed if isinstance(composed, DataNotification) else None


def taken(meter: Meter, number: int, by: PushPlan, now: dt.datetime) -> None:
    """The alert of that running number has arrived at the true time ``now``: it is forgotten."""
    if meter.state.alerts.pop(number, None) is None:
        return
    if by.confirmed and by.setup.interface_class.attribute(LAST_CONFIRMATION) is not None:
        meter.store(by.setup, LAST_CONFIRMATION, octet_string(clock_octets(meter, now)))
