"""Activity calendar and Special days table, classes 20 and 11 (Blue Book 4.5.4, 4.5.5).

Readings of the past go by the calendar that was in force then. So a calendar gets a running number,
and what it says is kept as a row of the calendar object, for as long as the history may need it.
"""

from __future__ import annotations

from devices import supply
from devices.meter import Meter
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome, Write
from devices.registers import ACTIVITY_CALENDAR, SPECIAL_DAYS, calendar_values
from devices.supply import calendar_number
from dlms.axdr.data import NULL, Data, array, structure
from dlms.cosem.fitting import elements_of
from dlms.xdlms.codes import ActionResult, DataAccessResult

MAX_SPECIAL_DAYS = 128
MAX_CALENDARS = 2 * MAX_SPECIAL_DAYS
"""Calendars that are kept; a special day more or less makes another one, too. Of the time of those
that are not kept there is one sum."""

_PASSIVE_TO_ACTIVE = {6: 2, 7: 3, 8: 4, 9: 5}


def activate(call: Call) -> None:
    """The passive calendar is in force from now on."""
    meter, row = call.device, call.row
    for passive, active in _PASSIVE_TO_ACTIVE.items():
        value = meter.value(row, passive)
        if value is not None:
            meter.store(row, active, value)
    if row.instance == ACTIVITY_CALENDAR:
        _renumber(call)


def _renumber(call: Call) -> None:
    """Put down what is in force, before and from now on."""
    meter = call.device
    before = calendar_number(meter)
    rows = meter.state.rows
    if not before and (ACTIVITY_CALENDAR, 0) not in rows:
        rows[ACTIVITY_CALENDAR, 0] = _row(calendar_values(meter, 0))
    rows[ACTIVITY_CALENDAR, before + 1] = _row(_present(meter))
    supply.note_conditions(meter, call.now)
    gone = before + 1 - MAX_CALENDARS
    if (ACTIVITY_CALENDAR, gone) in rows:
        supply.forget_calendar(meter, gone)
        del rows[ACTIVITY_CALENDAR, gone]


def _present(meter: Meter) -> tuple[Data | None, ...]:
    """What the objects say now."""
    row = meter.profile.objects[ACTIVITY_CALENDAR]
    special = meter.profile.objects.get(SPECIAL_DAYS)
    return (
        *(meter.value(row, attribute) for attribute in (3, 4, 5)),
        None if special is None else meter.value(special, 2),
    )


def _row(values: tuple[Data | None, ...]) -> Data:
    return structure(*(NULL if value is None else value for value in values))


def _activate(call: Call, parameter: Data) -> Outcome:
    activate(call)
    return SUCCESS


def _write_active(number: int) -> Write:
    def write(call: Call, value: Data) -> DataAccessResult:
        call.device.store(call.row, number, value)
        if call.row.instance == ACTIVITY_CALENDAR:
            _renumber(call)
        return DataAccessResult.SUCCESS

    return write


CALENDAR = Behaviour(
    write={number: _write_active(number) for number in (3, 4, 5)}, invoke={1: _activate}
)


# Special days -------------------------------------------------------------------------------------


def _insert(call: Call, parameter: Data) -> Outcome:
    """An entry of the same index gives way."""
    new = elements_of(parameter) or ()
    others = [entry for entry in _entries(call) if (elements_of(entry) or ())[0] != new[0]]
    if len(others) >= MAX_SPECIAL_DAYS:
        return Outcome(ActionResult.OTHER_REASON)
    entries = sorted((*others, parameter), key=_index)
    _put(call, array(*entries))
    return SUCCESS


def _delete(call: Call, parameter: Data) -> Outcome:
    kept = [entry for entry in _entries(call) if _index(entry) != parameter.value]
    if len(kept) == len(_entries(call)):
        return Outcome(ActionResult.OTHER_REASON)
    _put(call, array(*kept))
    return SUCCESS


def _write_entries(call: Call, value: Data) -> DataAccessResult:
    if len(elements_of(value) or ()) > MAX_SPECIAL_DAYS:
        return DataAccessResult.OTHER_REASON
    _put(call, value)
    return DataAccessResult.SUCCESS


def _put(call: Call, entries: Data) -> None:
    call.device.store(call.row, 2, entries)
    if call.row.instance == SPECIAL_DAYS and ACTIVITY_CALENDAR in call.device.profile.objects:
        _renumber(call)


def _entries(call: Call) -> tuple[Data, ...]:
    value = call.device.value(call.row, 2)
    return () if value is None else elements_of(value) or ()


def _index(entry: Data) -> int:
    number = (elements_of(entry) or (NULL,))[0].value
    return number if isinstance(number, int) else 0


SPECIAL = Behaviour(write={2: _write_entries}, invoke={1: _insert, 2: _delete})
