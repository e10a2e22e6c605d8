"""Profile generic, class 7 (Blue Book 4.3.6): rows of readings, computed or stored.

Selective access makes only the rows that are selected. Sort methods order what is shown; a buffer
that is full loses its oldest row, whatever the order.
"""

from __future__ import annotations

from collections.abc import Callable

from devices import captures
from devices.objects.behaviour import SUCCESS, Behaviour, Call, Outcome, Write, computed, number
from devices.objects.buffer_rows import Rows, rows_of, since
from devices.objects.range_limits import limits
from devices.timekeeping import stamp
from dlms.axdr.data import Data, DataType, array, double_long_unsigned
from dlms.cosem import classes
from dlms.errors import CodecError
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess

RANGE = 1
ENTRY = 2
_TIME = 2
_CAPTURE_OBJECTS, _CAPTURE_PERIOD, _PROFILE_ENTRIES = 3, 4, 8
MAX_COLUMNS = 32
"""More are not taken: each row costs a reading of every column."""

_FIFO, _LIFO, _LARGEST, _SMALLEST, _NEAREST, _FARTHEST = range(1, 7)
_BY_VALUE: dict[int, Callable[[int], int]] = {
    _LARGEST: lambda value: -value,
    _SMALLEST: lambda value: value,
    _NEAREST: abs,
    _FARTHEST: lambda value: -abs(value),
}
"""What rows are sorted by, for the sort methods that sort by the value of a column."""


def _buffer(call: Call, selection: SelectiveAccess | None) -> Data | DataAccessResult:
    rows = rows_of(call)
    if selection is None:
        return array(*_ordered(call, rows).data())
    parameters = selection.parameters.value
    if not isinstance(parameters, tuple) or len(parameters) != 4:
        return DataAccessResult.TYPE_UNMATCHED
    try:
        if selection.selector == RANGE:
            rows = _by_range(call, rows, parameters)
        elif selection.selector == ENTRY:
            rows = _by_entry(_ordered(call, rows), parameters)
        else:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    except (CodecError, ValueError):
        return DataAccessResult.TYPE_UNMATCHED
    return array(*rows.data())


def _ordered(call: Call, rows: Rows) -> Rows:
    """The rows as sort_method has them.

    A sort object that is no column with numbers leaves them in the order they were captured.
    """
    method = number(call, 5)
    if method == _LIFO:
        return rows._replace(keys=rows.keys[::-1])
    key = _BY_VALUE.get(method)
    columns = captures.columns(call.device, call.row)
    sort_object = call.device.value(call.row, 6)
    if key is None or sort_object is None or sort_object not in columns:
        return rows
    cell = rows.cells[columns.index(sort_object)]
    values = [cell(row).value for row in rows.keys]
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) < len(values):
        return rows
    places = sorted(range(len(numbers)), key=lambda place: key(numbers[place]))
    return rows._replace(keys=[rows.keys[place] for place in places])


def _by_range(call: Call, rows: Rows, parameters: tuple[Data, ...]) -> Rows:
    """range_descriptor: restricting object (a clock or a number), from, to, selected values."""
    begin, end, selected = (part.value for part in parameters[1:])
    restricting = _attribute(parameters[0])
    columns = captures.columns(call.device, call.row)
    place = next((at for at, one in enumerate(columns) if _attribute(one) == restricting), None)
    if place is None:
        raise ValueError("rows are restricted by a column that they have")
    class_id, instance, attribute = restricting
    if (class_id, attribute) == (classes.CLOCK.class_id, _TIME):
        assert isinstance(instance, bytes)  # it is that of a capture object
        here = call._replace(row=call.device.profile.objects.get(instance, call.row))
        rows = rows.at_times(place, *limits(here, begin, end), here)
    else:
        least, most, cell = _number(begin), _number(end), rows.cells[place]
        rows = rows._replace(
            keys=[row for row in rows.keys if least <= _number(cell(row).value) <= most]
        )
    rows = _ordered(call, rows)
    if isinstance(selected, tuple) and selected:
        shown = [cell for cell, one in zip(rows.cells, columns, strict=True) if one in selected]
        rows = rows._replace(cells=tuple(shown))
    return rows


def _attribute(definition: Data) -> tuple[object, ...]:
    """Class, instance and attribute number of a capture object; empty if it is none."""
    if definition.type is not DataType.STRUCTURE or not isinstance(definition.value, tuple):
        return ()
    return tuple(part.value for part in definition.value[:3])


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("number needed")
    return value


def _by_entry(rows: Rows, parameters: tuple[Data, ...]) -> Rows:
    """entry_descriptor: from and to entry, from and to column; counted from 1, 0 is the last."""
    first, last, left, right = (_number(part.value) for part in parameters)
    if min(first, last, left, right) < 0:
        raise ValueError("entries are counted from 1")
    return rows._replace(
        keys=rows.keys[max(first, 1) - 1 : last or None],
        cells=rows.cells[max(left, 1) - 1 : right or None],
    )


def _in_use(call: Call) -> Data:
    return double_long_unsigned(len(rows_of(call).keys))


def _clear(call: Call) -> None:
    """Rows that are stored are dropped; rows that are computed begin anew now."""
    captures.clear(call.device, call.row.instance)
    call.device.state.figures[since(call)] = stamp(call.now)


def _restructure(attribute: int) -> Write:
    """Whatever describes the structure of the buffer clears it when it is written."""

    def write(call: Call, value: Data) -> DataAccessResult:
        current = call.device.value(call.row, attribute)
        if current is not None and current.type is not value.type:
            return DataAccessResult.TYPE_UNMATCHED
        if isinstance(value.value, tuple) and len(value.value) > MAX_COLUMNS:
            return DataAccessResult.OTHER_REASON
        _clear(call)
        call.device.store(call.row, attribute, value)
        return DataAccessResult.SUCCESS

    return write


def _reset(call: Call, parameter: Data) -> Outcome:
    _clear(call)
    return SUCCESS


def _capture(call: Call, parameter: Data) -> Outcome:
    """There is nothing to capture where rows are computed: each half-hour is there already."""
    if not captures.is_stored(call.device, call.row):
        return Outcome(ActionResult.OBJECT_UNAVAILABLE)
    captures.capture(call.device, call.row, call.now)
    return SUCCESS


BEHAVIOUR = Behaviour(
    read={2: _buffer, 7: computed(_in_use)},
    write={
        attribute: _restructure(attribute)
        for attribute in (_CAPTURE_OBJECTS, _CAPTURE_PERIOD, _PROFILE_ENTRIES)
    },
    invoke={1: _reset, 2: _capture},
)
