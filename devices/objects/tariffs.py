"""Which tariff rate is in force: Script table and Register activation, classes 9 and 6.

The scripts of the tariffication table stand for the rates by their identifiers; the activity
calendar says which is in force (Blue Book 4.5.5), and the mask of that name is active (4.3.5).
"""

from __future__ import annotations

from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome, computed
from devices.registers import registers
from devices.timekeeping import reached
from dlms.axdr.data import Data, octet_string
from dlms.cosem.fitting import elements_of
from dlms.xdlms.codes import ActionResult


def rate_in_force(call: Call) -> int:
    """The selector of the activity calendar at the time of the call; 0 if there is none."""
    counted = registers(call.device)
    calendar = counted.calendar(counted.segment(call.now).calendar)
    return calendar.selector(reached(call.device, call.now))


def _active_mask(call: Call) -> Data:
    """The mask of the rate in force: that whose place in mask_list it is."""
    value = call.device.value(call.row, 3)
    masks = () if value is None else elements_of(value) or ()
    rate = rate_in_force(call)
    if not 0 < rate <= len(masks):
        return call.device.value(call.row, 4) or octet_string(b"")
    return (elements_of(masks[rate - 1]) or (octet_string(b""),))[0]


def _execute(call: Call, parameter: Data) -> Outcome:
    """The script runs when the request has been carried out."""
    value = call.device.value(call.row, 2)
    known = [(elements_of(script) or ())[0] for script in elements_of(value) or ()] if value else []
    if parameter not in known or not isinstance(parameter.value, int):
        return Outcome(ActionResult.OTHER_REASON)
    if not call.device.agenda.call_for(call.row.instance, parameter.value):
        return Outcome(ActionResult.TEMPORARY_FAILURE)
    return SUCCESS


REGISTER_ACTIVATION = Behaviour(read={4: computed(_active_mask)})
SCRIPT_TABLE = Behaviour(invoke={1: _execute})
