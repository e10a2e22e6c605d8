"""What happens to a meter: it goes into the logs that the profile names, and out as an alert.

That a meter shows the very codes of GBCS alerts is assumed: which they are made of on a SMETS1
meter is not public.
"""

from __future__ import annotations

import datetime as dt

from devices.alert_codes import Happening
from devices.captures import append
from devices.history import Alert
from devices.meter import Meter
from devices.timekeeping import clock_octets
from dlms.axdr.data import double_long, long_unsigned, octet_string

__all__ = ["LOST", "MAX_ALERTS", "Happening", "happened"]

MAX_ALERTS = 100
"""Alerts that are kept while nobody takes them; then the oldest gives way, and is counted."""

LOST = "alerts lost"
"""Figure: alerts that gave way."""

_LAST_ALERT = "last alert"


def happened(meter: Meter, what: Happening, now: dt.datetime, argument: int = 0) -> None:
    """It has happened at the true time ``now``; ``argument`` is a number that goes with it."""
    for instance, logged in meter.profile.logs.items():
        if what in logged:
            append(
                meter,
                meter.profile.objects[instance],
                octet_string(clock_octets(meter, now)),
                long_unsigned(what),
                double_long(argument),
            )
    if what in meter.profile.alerts:
        _alert(meter, Alert(what, now, argument))
    meter.outbox.note(what)


def _alert(meter: Meter, alert: Alert) -> None:
    state = meter.state
    while len(state.alerts) >= MAX_ALERTS:
        del state.alerts[min(state.alerts)]
        state.figures[LOST] = state.figures.get(LOST, 0) + 1
    # Not from those that are there: a number that was taken must not come again.
    number = state.figures[_LAST_ALERT] = state.figures.get(_LAST_ALERT, 0) + 1
    state.alerts[number] = alert
