"""Verification and activation of a firmware image take their time (Blue Book 4.4.6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from devices.life.schedules import Appointment
from devices.meter import Meter
from devices.objects.image_transfer import over, settle
from devices.profile.model import ObjectRow
from dlms.cosem import classes


def images(meter: Meter, after: dt.datetime) -> Iterator[Appointment]:
    """When what is under way is over."""
    moment = over(meter)
    if moment is None:
        return
    for row in meter.profile.of_class(classes.IMAGE_TRANSFER):
        # One that is past, say for want of mains, is due at once.
        yield Appointment(max(moment, after), _settling(row))


def _settling(row: ObjectRow) -> Callable[[Meter, dt.datetime], None]:
    return lambda meter, now: settle(meter, row, now)
