"""Profile generic, class 7 (Blue Book 4.3.6): rows computed for each capture time, none stored.

Each capture object is read as it was at the row's time. That is exact for readings, which are
functions of time; anything else shows its present value. Attribute 0 of a capture object is all its
attributes, a data_index one element of the attribute.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from devices.objects.behaviour import Behaviour, Call, computed, number
from dlms.axdr.data import NULL, Data, DataType, array, double_long_unsigned, structure
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem.fitting import elements_of
from dlms.errors import CodecError
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess

RANGE = 1
ENTRY = 2
_CLOCK, _TIME, _PROFILE = 8, 2, 7
MAX_ROWS = 10_000
"""More rows are not kept, whatever profile_entries says: each costs a reading of every column."""

_FIFO, _LIFO, _LARGEST, _SMALLEST, _NEAREST, _FARTHEST = range(1, 7)
_BY_VALUE: dict[int, Callable[[int], int]] = {
    _LARGEST: lambda value: -value,
    _SMALLEST: lambda value: value,
    _NEAREST: abs,
    _FARTHEST: lambda value: -abs(value),
}
"""What rows are sorted by, for the sort methods that sort by the value of a column."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _columns(call: Call) -> tuple[Data, ...]:
    value = call.device.value(call.row, 3)
    return value.value if value is not None and isinstance(value.value, tuple) else ()


def _times(call: Call) -> list[dt.datetime]:
    """Capture times of the rows in the buffer, in true time and as sort_method orders them.

    A sort object that is no column with numbers leaves them in the order they were captured.
    """
    times = _captured(call)
    method = number(call, 5)
    if method == _LIFO:
        return times[::-1]
    key = _BY_VALUE.get(method)
    sort_object = call.device.value(call.row, 6)
    if key is None or sort_object is None or sort_object not in _columns(call):
        return times
    values = [_cell(call._replace(now=moment), sort_object).value for moment in times]
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) < len(times):
        return times
    return [times[place] for place in sorted(range(len(times)), key=lambda n: key(numbers[n]))]


def _captured(call: Call) -> list[dt.datetime]:
    """Oldest first."""
    period = number(call, 4)
    if period == 0:
        return []
    step = dt.timedelta(seconds=period)
    since = call.now + call.device.state.clock_offset - _EPOCH
    last = call.now - since % step
    return [last - step * back for back in range(min(number(call, 8), MAX_ROWS) - 1, -1, -1)]


def _cell(call: Call, column: Data) -> Data:
    parts = column.value
    assert isinstance(parts, tuple)
    class_id, instance, attribute, index = (part.value for part in parts)
    assert isinstance(instance, bytes)
    assert isinstance(attribute, int)
    assert isinstance(index, int)
    row = call.device.profile.objects.get(instance)
    # A buffer in a buffer would have no end, if it were the same.
    if row is None or row.interface_class.class_id != class_id or class_id == _PROFILE:
        return NULL
    value = call.device.attribute(row, attribute, call.association, call.now)
    if not isinstance(value, Data):
        return NULL
    return value if index == 0 else _element(value, index)


def _element(value: Data, index: int) -> Data:
    """One element of a structure or array, counted from 1 (data_index)."""
    elements = elements_of(value)
    return NULL if elements is None or index > len(elements) else elements[index - 1]


def _rows(call: Call, times: list[dt.datetime], columns: tuple[Data, ...]) -> Data:
    return array(
        *(
            structure(*(_cell(call._replace(now=moment), column) for column in columns))
            for moment in times
        )
    )


def _buffer(call: Call, selection: SelectiveAccess | None) -> Data | DataAccessResult:
    times = _times(call)
    columns = _columns(call)
    if selection is None:
        return _rows(call, times, columns)
    parameters = selection.parameters.value
    if not isinstance(parameters, tuple) or len(parameters) != 4:
        return DataAccessResult.TYPE_UNMATCHED
    try:
        if selection.selector == RANGE:
            times, columns = _by_range(call, times, columns, parameters)
        elif selection.selector == ENTRY:
            times, columns = _by_entry(times, columns, parameters)
        else:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    except (CodecError, ValueError):
        return DataAccessResult.TYPE_UNMATCHED
    return _rows(call, times, columns)


def _by_range(
    call: Call,
    times: list[dt.datetime],
    columns: tuple[Data, ...],
    parameters: tuple[Data, ...],
) -> tuple[list[dt.datetime], tuple[Data, ...]]:
    """range_descriptor: restricting object (a clock or a number), from, to, selected values."""
    begin, end, selected = (part.value for part in parameters[1:])
    restricting = _attribute(parameters[0])
    column = next((one for one in columns if _attribute(one) == restricting), None)
    if column is None:
        raise ValueError("rows are restricted by a column that they have")
    if (restricting[0], restricting[2]) == (_CLOCK, _TIME):
        low, high = _moment(begin), _moment(end)
        # Rows carry the device's clock, so that is what the limits are compared with.
        offset = call.device.state.clock_offset
        kept = [moment for moment in times if low <= moment + offset <= high]
    else:
        least, most = _number(begin), _number(end)
        cells = ((moment, _cell(call._replace(now=moment), column).value) for moment in times)
        kept = [moment for moment, cell in cells if least <= _number(cell) <= most]
    if isinstance(selected, tuple) and selected:
        columns = tuple(column for column in columns if column in selected)
    return kept, columns


def _attribute(definition: Data) -> tuple[object, ...]:
    """Class, instance and attribute number of a capture object; empty if it is none."""
    if definition.type is not DataType.STRUCTURE or not isinstance(definition.value, tuple):
        return ()
    return tuple(part.value for part in definition.value[:3])


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("number needed")
    return value


def _moment(value: object) -> dt.datetime:
    if not isinstance(value, bytes):
        raise ValueError("date-time needed")
    moment = CosemDateTime.from_octets(value).to_datetime()
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _by_entry(
    times: list[dt.datetime], columns: tuple[Data, ...], parameters: tuple[Data, ...]
) -> tuple[list[dt.datetime], tuple[Data, ...]]:
    """entry_descriptor: from and to entry, from and to column; counted from 1, 0 is the last."""
    first, last, left, right = (part.value for part in parameters)
    if not all(isinstance(part, int) and part >= 0 for part in (first, last, left, right)):
        raise ValueError("numbers needed")
    assert isinstance(first, int)
    assert isinstance(last, int)
    assert isinstance(left, int)
    assert isinstance(right, int)
    return (
        times[max(first, 1) - 1 : last or None],
        columns[max(left, 1) - 1 : right or None],
    )


BEHAVIOUR = Behaviour(
    read={
        2: _buffer,
        7: computed(lambda call: double_long_unsigned(len(_captured(call)))),
    }
)
