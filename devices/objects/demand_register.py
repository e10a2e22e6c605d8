"""Demand register, class 5 (Blue Book 4.3.4), and the maximum demand in an Extended register
(4.3.3): computed where the role says so, else what is stored. Neither is reset from outside.

The running period is measured against the whole length of the window, as the book has it: the
current average grows from the start of the window to the last average at its end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from devices import metering
from devices.metering import Demand
from devices.metrology import Quantity
from devices.objects.behaviour import Behaviour, Call, Read, number
from dlms.axdr.data import Data, double_long_unsigned, octet_string
from dlms.axdr.datetimes import CosemDateTime, octets_of
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess

DEMAND = "import-demand"
MAXIMUM = "max-import-demand"
_NEVER = octet_string(CosemDateTime().to_octets())
_MAX_VALUE = 0xFFFF_FFFF
_LONGEST = 395 * 86_400
"""Seconds of the longest window."""


def _current(call: Call) -> Demand | None:
    """The window that is not over."""
    period, window = _window(call)
    if not window:
        return None
    begin = metering.turn(call.device, call.now, period) - (window - period)
    return metering.demand(call.device, Quantity.IMPORT, begin, call.now, window)


def _last(call: Call) -> Demand | None:
    """The window that ended with the last period."""
    period, window = _window(call)
    if not window:
        return None
    end = metering.turn(call.device, call.now, period)
    return metering.demand(call.device, Quantity.IMPORT, end - window, end, window)


def _window(call: Call) -> tuple[dt.timedelta, dt.timedelta]:
    """One period, and the window of all of them; no window where there is none that makes sense."""
    period, count = number(call, 8), max(1, number(call, 9))
    if period * count > _LONGEST:
        return dt.timedelta(), dt.timedelta()
    return dt.timedelta(seconds=period), dt.timedelta(seconds=period * count)


def _maximum(call: Call) -> Demand | None:
    return metering.greatest_demand(call.device, Quantity.IMPORT, call.now)


def _value(demand: Demand, call: Call) -> Data:
    return double_long_unsigned(min(demand.value, _MAX_VALUE))


def _begin(demand: Demand, call: Call) -> Data:
    return _time(call, demand.begin)


def _end(demand: Demand, call: Call) -> Data:
    return _time(call, demand.end)


def _time(call: Call, moment: dt.datetime) -> Data:
    """As the device's clock showed it, in UTC."""
    shown = moment + call.device.state.clock_offset
    return octet_string(octets_of(shown.astimezone(dt.UTC)))


def _computed(
    role: str,
    attribute: int,
    find: Callable[[Call], Demand | None],
    show: Callable[[Demand, Call], Data],
    nothing: Data,
) -> Read:
    def read(call: Call, selection: SelectiveAccess | None) -> Data | DataAccessResult:
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        if call.row.role == role:
            demand = find(call)
            return nothing if demand is None else show(demand, call)
        value = call.device.value(call.row, attribute)
        return DataAccessResult.OBJECT_UNAVAILABLE if value is None else value

    return read


_ZERO = double_long_unsigned(0)

DEMAND_REGISTER = Behaviour(
    read={
        2: _computed(DEMAND, 2, _current, _value, _ZERO),
        3: _computed(DEMAND, 3, _last, _value, _ZERO),
        6: _computed(DEMAND, 6, _last, _end, _NEVER),
        7: _computed(DEMAND, 7, _current, _begin, _NEVER),
    }
)
EXTENDED_REGISTER = Behaviour(
    read={
        2: _computed(MAXIMUM, 2, _maximum, _value, _ZERO),
        5: _computed(MAXIMUM, 5, _maximum, _end, _NEVER),
    },
)
