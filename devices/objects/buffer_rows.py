"""The rows of a Profile generic, computed or stored, so that only those asked for are made.

A row is had by its key. The key of a computed row is its capture time, and all of them are a range:
what is selected is a slice of it, however many rows there are. Each column is looked up once for a
request. Readings are exact for each row, because they are functions of time; what is no function of
time shows its present value.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from devices import captures, metrology
from devices.metering import turn
from devices.objects import demand_register, roles
from devices.objects.behaviour import Call, number
from devices.timekeeping import MICROSECOND, aware, clock_octets, moment_of, stamp
from dlms.axdr.data import NULL, Data, octet_string, structure
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.cosem.obis import text
from dlms.errors import CodecError

Cell: TypeAlias = Callable[[int], Data]

_CLOCK = classes.CLOCK.class_id
_TIME, _VALUE = 2, 2


class Rows(NamedTuple):
    """``keys`` are the rows, oldest first; ``cells`` give what a row has in each column.

    ``shift`` is what device time is later than the keys, in microseconds; ``None`` where keys are
    no times.
    """

    keys: Sequence[int]
    cells: tuple[Cell, ...]
    shift: int | None = None

    def data(self) -> list[Data]:
        cells = self.cells
        return [structure(*[cell(key) for cell in cells]) for key in self.keys]

    def at_times(
        self, column: int, low: dt.datetime | None, high: dt.datetime | None, here: Call
    ) -> Rows:
        """Those whose clock, in a column, is from ``low`` to ``high``; ``None`` is no limit.

        ``here`` is the call of that clock, whose zone is that of times without a deviation.
        """
        least = None if low is None else stamp(low)
        most = None if high is None else stamp(high)
        if self.shift is not None:
            begin = 0 if least is None else bisect_left(self.keys, least - self.shift)
            end = len(self.keys) if most is None else bisect_right(self.keys, most - self.shift)
            return self._replace(keys=self.keys[begin:end])
        cell = self.cells[column]
        kept = []
        for key in self.keys:
            shown = _shown(cell(key), here)
            if shown is None or (least is not None and shown < least):
                continue
            if most is None or shown <= most:
                kept.append(key)
        return self._replace(keys=kept)


def rows_of(call: Call) -> Rows:
    """All rows of the buffer that is called."""
    device, columns = call.device, captures.columns(call.device, call.row)
    if captures.is_stored(device, call.row):
        found = captures.stored(device, call.row.instance)
        return Rows(range(len(found)), tuple(_kept(found, at) for at in range(len(columns))))
    shift = device.state.clock_offset // MICROSECOND
    return Rows(_times(call), tuple(_column(call, column) for column in columns), shift)


def since(call: Call) -> str:
    """The figure that says when a buffer of computed rows was last cleared, as a stamp:
    no row is older.
    """
    return f"since {text(call.row.instance)}"


def _times(call: Call) -> range:
    """The capture times of computed rows, in microseconds of true time: whenever the device's
    clock shows a multiple of the period, since the meter is there and the buffer was cleared.
    """
    period = dt.timedelta(seconds=number(call, 4))
    last = stamp(turn(call.device, call.now, period))
    step = period // MICROSECOND
    first = stamp(metrology.INSTALLED)
    cleared = call.device.state.figures.get(since(call))
    if cleared is not None:
        first = max(first, cleared + 1)
    count = min(captures.entries(call.device, call.row), (last - first) // step + 1)
    return range(last - (count - 1) * step, last + 1, step) if count > 0 else range(0)


def _column(call: Call, column: Data) -> Cell:
    """A column of computed rows."""
    device = call.device
    found = captures.captured(device, column)
    if found is None:
        return lambda key: NULL
    row, attribute, index = found
    whole = (attribute, index) == (_VALUE, 0)
    reading = roles.reading(row.role)
    if reading is not None and whole:
        return lambda key: reading(device, moment_of(key))
    if row.interface_class.class_id == _CLOCK and whole:
        return lambda key: octet_string(clock_octets(device, moment_of(key)))
    goes_on = reading is not None or row.role == demand_register.DEMAND
    if not goes_on and row.interface_class.class_id != _CLOCK:
        present = captures.cell(device, column, call.now)
        return lambda key: present
    return lambda key: captures.cell(device, column, moment_of(key))


def _kept(rows: list[Data], column: int) -> Cell:
    """A column of stored rows."""

    def cell(key: int) -> Data:
        cells = elements_of(rows[key]) or ()
        return cells[column] if column < len(cells) else NULL

    return cell


def _shown(value: Data, here: Call) -> int | None:
    """The time in a stored row, in microseconds; ``None`` if it is none."""
    if not isinstance(value.value, bytes):
        return None
    try:
        moment = aware(here.device, CosemDateTime.from_octets(value.value).to_datetime())
    except (CodecError, ValueError):
        return None
    return stamp(moment)
