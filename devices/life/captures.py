"""Profile generic objects whose rows are stored are captured at their period (Blue Book 4.3.6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from devices.captures import STORED, capture
from devices.life.schedules import Appointment
from devices.meter import Meter
from devices.profile.model import ObjectRow
from devices.timekeeping import next_turn


def captures(meter: Meter, after: dt.datetime) -> Iterator[Appointment]:
    """The next one of each."""
    for row in meter.profile.of_role(STORED):
        if period := meter.number(row, 4):
            yield Appointment(next_turn(meter, after, period).moment, _capturing(row))


def _capturing(row: ObjectRow) -> Callable[[Meter, dt.datetime], None]:
    return lambda meter, now: capture(meter, row, now)
