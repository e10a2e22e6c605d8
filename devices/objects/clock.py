"""Clock, class 8 (Blue Book 4.5.1). The device clock is true time plus a remembered offset."""

from __future__ import annotations

import datetime as dt

from devices.objects.behaviour import SUCCESS, Behaviour, Call, Invoke, Outcome, computed, number
from dlms.axdr.data import Data, octet_string, unsigned
from dlms.axdr.datetimes import CosemDateTime, octets_of
from dlms.errors import CodecError
from dlms.xdlms.codes import ActionResult, DataAccessResult

MAX_SHIFT = 900
"""shift_time moves by at most 900 s either way."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_YEARS = range(2000, 3000)
"""A clock set to the edge of the calendar could not go on from there."""


def device_time(call: Call) -> dt.datetime:
    """The meter's own idea of the time, in its zone."""
    zone = dt.timezone(dt.timedelta(minutes=-number(call, 3)))
    return (call.now + call.device.state.clock_offset).astimezone(zone)


def clock_octets(call: Call) -> bytes:
    """Device time as 12 octets, in UTC unless the object called is the clock itself."""
    return octets_of(device_time(call))


def aware(call: Call, moment: dt.datetime) -> dt.datetime:
    """A moment whose deviation was not specified is one of the meter's own time."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=device_time(call).tzinfo)


def _time(call: Call) -> Data:
    return octet_string(clock_octets(call))


def _write_time(call: Call, value: Data) -> DataAccessResult:
    assert isinstance(value.value, bytes)  # the class table admits octet-string only
    try:
        moment = CosemDateTime.from_octets(value.value).to_datetime()
    except (CodecError, ValueError):
        return DataAccessResult.TYPE_UNMATCHED
    if moment.year not in _YEARS:
        return DataAccessResult.OTHER_REASON
    call.device.state.clock_offset = aware(call, moment) - call.now
    return DataAccessResult.SUCCESS


def _shift(call: Call, parameter: Data) -> Outcome:
    assert isinstance(parameter.value, int)
    if abs(parameter.value) > MAX_SHIFT:
        return Outcome(ActionResult.OTHER_REASON)
    call.device.state.clock_offset += dt.timedelta(seconds=parameter.value)
    return SUCCESS


def _adjust_to(step: int) -> Invoke:
    """A method that sets the clock to the nearest multiple of ``step`` seconds."""
    whole = dt.timedelta(seconds=step)

    def adjust(call: Call, parameter: Data) -> Outcome:
        after = (device_time(call) - _EPOCH) % whole
        call.device.state.clock_offset += -after if 2 * after < whole else whole - after
        return SUCCESS

    return adjust


BEHAVIOUR = Behaviour(
    read={2: computed(_time), 4: computed(lambda call: unsigned(0))},
    write={2: _write_time},
    invoke={1: _adjust_to(900), 3: _adjust_to(60), 6: _shift},
)
