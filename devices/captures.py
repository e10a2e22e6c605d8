"""Rows that a meter has captured: the buffers of Profile generic that are not computed.

Rows of load profiles are functions of time, and nothing of them is kept. Other buffers (event
logs, snapshots at billing) hold stored rows: those without a capture period, and those whose role
is "stored". They are kept by running number, which goes on when the oldest are dropped.
"""

from __future__ import annotations

import datetime as dt

from devices.meter import Meter
from devices.profile.model import ObjectRow
from dlms.axdr.data import NULL, Data, structure
from dlms.cosem import classes, obis
from dlms.cosem.fitting import elements_of

MAX_ROWS = 20_000
"""More rows are not kept, whatever profile_entries says; 13 months of half-hours are 18960."""

STORED = "stored"
_COLUMNS, _PERIOD, _ENTRIES = 3, 4, 8


def is_stored(device: Meter, row: ObjectRow) -> bool:
    """Whether the buffer holds captured rows; else they are computed."""
    return row.role == STORED or device.number(row, _PERIOD) == 0


def entries(device: Meter, row: ObjectRow) -> int:
    """How many rows the buffer has room for: profile_entries, within :data:`MAX_ROWS`."""
    return min(device.number(row, _ENTRIES), MAX_ROWS)


def columns(device: Meter, row: ObjectRow) -> tuple[Data, ...]:
    """The capture objects."""
    value = device.value(row, _COLUMNS)
    return () if value is None else elements_of(value) or ()


def stored(device: Meter, instance: bytes) -> list[Data]:
    """The captured rows of a buffer, oldest first."""
    found = []
    number = device.state.figures.get(_next(instance), 0) - 1
    while (row := device.state.rows.get((instance, number))) is not None:
        found.append(row)
        number -= 1
    return found[::-1]


def capture(device: Meter, row: ObjectRow, now: dt.datetime) -> None:
    """Read the capture objects at the true time ``now`` and append what they show."""
    append(device, row, *(cell(device, column, now) for column in columns(device, row)))


def append(device: Meter, row: ObjectRow, *values: Data) -> None:
    """Append a row, one value for each column; the oldest give way. ``ValueError`` if the columns
    are not as many.
    """
    if len(values) != len(columns(device, row)):
        raise ValueError(f"{len(columns(device, row))} columns, not {len(values)}")
    state, instance = device.state, row.instance
    number = state.figures.get(_next(instance), 0)
    state.rows[instance, number] = structure(*values)
    state.figures[_next(instance)] = number + 1
    oldest = number - entries(device, row)
    while (instance, oldest) in state.rows:
        del state.rows[instance, oldest]
        oldest -= 1


def clear(device: Meter, instance: bytes) -> None:
    """Drop all captured rows of a buffer."""
    number = device.state.figures.get(_next(instance), 0) - 1
    while (instance, number) in device.state.rows:
        del device.state.rows[instance, number]
        number -= 1


def captured(device: Meter, column: Data) -> tuple[ObjectRow, int, int] | None:
    """The object, the attribute and the data_index that a capture object names; ``None`` if it is
    not there. A buffer in a buffer would have no end if it were the same, and is not there either.
    """
    parts = tuple(part.value for part in elements_of(column) or ())
    match parts:
        case (int() as class_id, bytes() as instance, int() as attribute, int() as index):
            row = device.profile.objects.get(instance)
        case _:
            return None
    if row is None or row.interface_class.class_id != class_id:
        return None
    if class_id == classes.PROFILE_GENERIC.class_id:
        return None
    return row, attribute, index


def cell(device: Meter, column: Data, now: dt.datetime) -> Data:
    """What a capture object shows at the true time ``now``; null-data where it shows nothing.

    Attribute 0 is all attributes, a data_index one element of the attribute, counted from 1.
    """
    found = captured(device, column)
    if found is None:
        return NULL
    row, attribute, index = found
    # What is captured is no matter of rights, but some objects show each association its own.
    association = next(iter(device.profile.associations.values()))
    value = device.attribute(row, attribute, association, now)
    if not isinstance(value, Data) or index == 0:
        return value if isinstance(value, Data) else NULL
    elements = elements_of(value)
    return NULL if elements is None or index > len(elements) else elements[index - 1]


def _next(instance: bytes) -> str:
    """The figure that is the running number of the next row."""
    return f"captured {obis.text(instance)}"
