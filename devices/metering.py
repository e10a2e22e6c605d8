"""What a meter has metered: the one way from its objects to the load model.

Means and maxima are made of the same readings, so they agree with the registers.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import NamedTuple

from devices import metrology
from devices.meter import Meter
from devices.metrology import Quantity
from devices.registers import registers
from devices.timekeeping import EPOCH, moment_of

BILLING_RESET = "billing-reset"
"""The figure that says when the billing period began, as a stamp."""

_HALF_HOUR = dt.timedelta(minutes=30)
_HOUR = dt.timedelta(hours=1)
_LONGEST = dt.timedelta(days=395)
"""A billing period that nobody ends is looked back on for 13 months."""


class Demand(NamedTuple):
    """The mean power of a stretch of true time, in the unit of the quantity per hour."""

    value: int
    begin: dt.datetime
    end: dt.datetime


def total(device: Meter, quantity: Quantity, moment: dt.datetime) -> int:
    """What the register shows at a true time, in the unit of the quantity."""
    return registers(device).total(quantity, moment)


def rate(device: Meter, quantity: Quantity, moment: dt.datetime) -> int:
    """The power at a true time; none while nothing can flow."""
    if not registers(device).segment(moment).flowing:
        return 0
    return metrology.power(device.seed, quantity, moment)


def turn(device: Meter, now: dt.datetime, period: dt.timedelta) -> dt.datetime:
    """The true time at which the device's clock last showed a multiple of ``period``."""
    return now - (now + device.state.clock_offset - EPOCH) % period


def demand(
    device: Meter, quantity: Quantity, begin: dt.datetime, end: dt.datetime, over: dt.timedelta
) -> Demand:
    """What was used from ``begin`` to ``end``, as the mean of the time ``over``."""
    used = total(device, quantity, end) - total(device, quantity, begin)
    return Demand(used * _HOUR // over, begin, end)


def greatest_demand(device: Meter, quantity: Quantity, now: dt.datetime) -> Demand | None:
    """The half-hour of the running billing period in which most was used, the first of equals;
    ``None`` as long as none is over.

    Without a reset the billing period began with the month (UTC).
    """
    reset = device.state.figures.get(BILLING_RESET)
    if reset is None:
        began = now.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    else:
        began = moment_of(reset)
    last = turn(device, now, _HALF_HOUR)
    count = (last - max(began, now - _LONGEST)) // _HALF_HOUR
    if count < 1:
        return None
    turns = [last - back * _HALF_HOUR for back in range(count, -1, -1)]
    readings = [total(device, quantity, moment) for moment in turns]
    used = [after - before for before, after in pairwise(readings)]
    most = max(range(count), key=used.__getitem__)
    return Demand(used[most] * _HOUR // _HALF_HOUR, turns[most], turns[most + 1])
