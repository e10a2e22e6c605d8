"""Profile generic objects whose rows are stored are captured at their period (Blue Book 4.3.6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from devices.life.schedules import Appointment
from devices.meter import Meter


def captures(meter: Meter, after: dt.datetime) -> Iterator[Appointment]:
    """The next one of each."""
    yield from ()
