"""Scripts are run: attributes written and methods executed from inside the meter (Blue Book 4.5.2).

Nobody asks from outside, so nobody's rights matter; what a class refuses it refuses here as well.
What needs cryptography cannot be a script: there is nobody to run the operations.
"""

from __future__ import annotations

import datetime as dt

from devices import metering
from devices.agenda import END_OF_BILLING, Script
from devices.happenings import Happening, happened
from devices.meter import Meter
from devices.objects.behaviour import Call, Outcome
from devices.objects.registry import BEHAVIOURS
from devices.profile.model import AssociationRow, ObjectRow
from devices.timekeeping import stamp
from dlms.axdr.data import Data
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.cosem.interface_class import fits
from dlms.xdlms.codes import ActionResult, DataAccessResult

_WRITE, _EXECUTE = 1, 2
_TAKES_TIME = (classes.IMAGE_TRANSFER.class_id,)
"""Classes whose methods say temporary-failure when they have begun and are not over."""


def run_agenda(meter: Meter, now: dt.datetime) -> None:
    """Run what was called for, and what that calls for."""
    while (script := meter.agenda.next()) is not None:
        run_script(meter, script, now)


def run_script(meter: Meter, script: Script, now: dt.datetime) -> bool:
    """Run one; whether all of it was done. One that is not there does nothing."""
    row = meter.profile.objects.get(script.table)
    if row is None or row.interface_class.class_id != classes.SCRIPT_TABLE.class_id:
        return False
    value = meter.value(row, 2)
    done = True
    for one in () if value is None else elements_of(value) or ():
        identifier, actions = elements_of(one) or ()
        if identifier.value == script.identifier:
            for action in elements_of(actions) or ():
                done &= _act(meter, action, now)
    if script.table == END_OF_BILLING:  # after its actions: they take the snapshot of what ends
        meter.state.figures[metering.BILLING_RESET] = stamp(now)
    if not done:
        happened(meter, Happening.FUTURE_DATED_REFUSED, now, script.identifier)
    return done


def _act(meter: Meter, action: Data, now: dt.datetime) -> bool:
    parts = elements_of(action) or ()
    service, class_id, instance, index = (part.value for part in parts[:4])
    row = meter.profile.objects.get(instance) if isinstance(instance, bytes) else None
    if row is None or row.interface_class.class_id != class_id or not isinstance(index, int):
        return False
    if service == _WRITE:
        return _write(meter, row, index, parts[4], now)
    return service == _EXECUTE and execute(meter, row, index, parts[4], now)


def execute(meter: Meter, row: ObjectRow, number: int, parameter: Data, now: dt.datetime) -> bool:
    """Invoke a method from inside; whether it was carried out."""
    method = row.interface_class.method(number)
    behaviour = BEHAVIOURS[row.interface_class.class_id].invoke.get(number)
    if method is None or behaviour is None or not fits(method.parameter, parameter):
        return False
    outcome = behaviour(_call(meter, row, now), parameter)
    if not isinstance(outcome, Outcome):
        return False
    begun = row.interface_class.class_id in _TAKES_TIME
    return outcome.result is ActionResult.SUCCESS or (
        begun and outcome.result is ActionResult.TEMPORARY_FAILURE
    )


def _write(meter: Meter, row: ObjectRow, number: int, value: Data, now: dt.datetime) -> bool:
    attribute = row.interface_class.attribute(number)
    if attribute is None or number == 1 or not fits(attribute.shape, value):
        return False
    behaviour = BEHAVIOURS[row.interface_class.class_id].write.get(number)
    if behaviour is not None:
        return behaviour(_call(meter, row, now), value) is DataAccessResult.SUCCESS
    meter.store(row, number, value)
    return True


def _call(meter: Meter, row: ObjectRow, now: dt.datetime) -> Call:
    return Call(meter, row, inner_association(meter, row), now)


def inner_association(meter: Meter, row: ObjectRow) -> AssociationRow:
    """Who the meter is to itself: whoever has the most rights on the object."""
    associations = meter.profile.associations

    def methods(name: str) -> int:
        rights = row.rights.get(name)
        return -1 if rights is None else len(rights.invocable)

    return associations[max(associations, key=methods)]
