"""Clock, class 8 (Blue Book 4.5.1). The device clock is true time plus a remembered offset.

Whoever sets it makes a segment of the meter's history: tariffs go by this clock.
"""

from __future__ import annotations

import datetime as dt

from devices import supply
from devices.happenings import Happening, happened
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Invoke, Outcome, computed
from devices.timekeeping import EPOCH, INVALID, aware, clock_octets, clock_status, device_time
from dlms.axdr.data import Data, octet_string, unsigned
from dlms.axdr.datetimes import CosemDateTime
from dlms.errors import CodecError
from dlms.xdlms.codes import ActionResult, DataAccessResult

MAX_SHIFT = 900
"""shift_time moves by at most 900 s either way."""

_YEARS = range(2000, 3000)
"""A clock set to the edge of the calendar could not go on from there."""


def _time(call: Call) -> Data:
    return octet_string(clock_octets(call.device, call.now))


def _status(call: Call) -> Data:
    return unsigned(clock_status(call.device, call.now))


def _write_time(call: Call, value: Data) -> DataAccessResult:
    assert isinstance(value.value, bytes)  # the class table admits octet-string only
    try:
        moment = CosemDateTime.from_octets(value.value).to_datetime()
    except (CodecError, ValueError):
        return DataAccessResult.TYPE_UNMATCHED
    if moment.year not in _YEARS:
        return DataAccessResult.OTHER_REASON
    _set(call, aware(call.device, moment) - call.now)
    call.device.state.figures.pop(INVALID, None)
    return DataAccessResult.SUCCESS


def _set(call: Call, offset: dt.timedelta) -> None:
    call.device.state.clock_offset = offset
    supply.note_conditions(call.device, call.now)
    happened(call.device, Happening.CLOCK_ADJUSTED, call.now)


def _shift(call: Call, parameter: Data) -> Outcome:
    assert isinstance(parameter.value, int)
    if abs(parameter.value) > MAX_SHIFT:
        return Outcome(ActionResult.OTHER_REASON)
    _set(call, call.device.state.clock_offset + dt.timedelta(seconds=parameter.value))
    return SUCCESS


def _adjust_to(step: int) -> Invoke:
    """A method that sets the clock to the nearest multiple of ``step`` seconds."""
    whole = dt.timedelta(seconds=step)

    def adjust(call: Call, parameter: Data) -> Outcome:
        after = (device_time(call.device, call.now) - EPOCH) % whole
        change = -after if 2 * after < whole else whole - after
        _set(call, call.device.state.clock_offset + change)
        return SUCCESS

    return adjust


BEHAVIOUR = Behaviour(
    read={2: computed(_time), 4: computed(_status)},
    write={2: _write_time},
    invoke={1: _adjust_to(900), 3: _adjust_to(60), 6: _shift},
)
