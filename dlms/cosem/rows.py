"""The buffer of a profile generic as rows with names (Blue Book 4.3.6).

To save octets, meters send null-data for a cell that is as the one before it, and for the time of a
row that is one capture period after the row before. :func:`rows` fills both in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from dlms.axdr.data import Data, DataType
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import catalogue, classes, obis
from dlms.cosem.fitting import elements_of, fits, shape_within
from dlms.cosem.interface_class import InterfaceClass
from dlms.cosem.quantity import Quantity, ScalerUnit
from dlms.cosem.shape import ANY, Shape
from dlms.cosem.tables.common import CAPTURE_OBJECT
from dlms.cosem.typed import typed

MAX_COLUMNS = 255
"""Columns of a profile. Meters have some tens; a row's names are made for each of them."""

_CLOCK = 8
SCALED = {3: (2,), 4: (2,), 5: (2, 3), 61: (2,)}
"""Attributes that the scaler_unit of their class belongs to."""

Row: TypeAlias = dict[str, Any]
ClassOf: TypeAlias = Callable[[int, bytes], InterfaceClass | None]


class Column(NamedTuple):
    """A capture object, with the name of its column and the shape of its cells.

    ``attribute`` 0 means all attributes, ``data_index`` 0 the whole attribute.
    """

    class_id: int
    instance: bytes
    attribute: int
    data_index: int
    name: str
    shape: Shape

    @property
    def is_time(self) -> bool:
        return self.class_id == _CLOCK and self.attribute == 2 and self.data_index == 0


def _default_class(class_id: int, _instance: bytes) -> InterfaceClass | None:
    return classes.BY_ID.get(class_id)


def columns(capture_objects: Data, class_of: ClassOf = _default_class) -> tuple[Column, ...]:
    """The columns that ``capture_objects`` says, each with a name of its own.

    A name is that of the catalogue, or the code; the attribute's name follows unless it is the
    value (attribute 2), then the data_index. ``class_of`` gives the class of an object, where its
    version is known. ``ValueError`` if it is no list of capture objects, or too long.
    """
    elements = elements_of(capture_objects) if capture_objects.type is DataType.ARRAY else None
    if elements is None or not all(fits(CAPTURE_OBJECT, element) for element in elements):
        raise ValueError("no array of capture objects")
    if len(elements) > MAX_COLUMNS:
        raise ValueError(f"{len(elements)} columns, more than {MAX_COLUMNS}")
    found: list[Column] = []
    taken: set[str] = set()
    for element in elements:
        assert isinstance(element.value, tuple)
        class_id, instance, attribute, data_index = (part.value for part in element.value)
        assert isinstance(class_id, int)
        assert isinstance(instance, bytes)
        assert isinstance(attribute, int)
        assert isinstance(data_index, int)
        column = _column(class_id, instance, attribute, data_index, class_of)
        name, count = column.name, 1
        while name in taken:
            count += 1
            name = f"{column.name} ({count})"
        taken.add(name)
        found.append(column._replace(name=name))
    return tuple(found)


def _column(
    class_id: int, instance: bytes, attribute: int, data_index: int, class_of: ClassOf
) -> Column:
    name = catalogue.name(instance) or obis.text(instance)
    interface_class = class_of(class_id, instance)
    row = None if interface_class is None else interface_class.attribute(attribute)
    if attribute != 2:
        name += f".{row.name if row is not None else attribute}"
    if data_index:
        name += f"[{data_index}]"
    shape = ANY if row is None else shape_within(row.shape, data_index)
    return Column(class_id, instance, attribute, data_index, name, shape)


def rows(
    buffer: Data,
    columns: tuple[Column, ...],
    *,
    capture_period: int = 0,
    newest_first: bool = False,
    scalers: Mapping[bytes, ScalerUnit] | None = None,
) -> list[Row]:
    """The entries of ``buffer``, as dictionaries of column name to value.

    ``capture_period`` is in seconds, 0 where rows are not periodic; ``newest_first`` for buffers
    that are sorted so. ``scalers``, by logical name, make register values
    :class:`~dlms.cosem.quantity.Quantity`. ``ValueError`` if the buffer is no array of rows with a
    cell for each column: then its capture objects are others, or a selection left columns out.
    """
    kinds = (DataType.ARRAY, DataType.COMPACT_ARRAY)
    entries = elements_of(buffer) if buffer.type in kinds else None
    if entries is None:
        raise ValueError(f"a buffer is an array, not {buffer.type.label}")
    step = dt.timedelta(seconds=-capture_period if newest_first else capture_period)
    found: list[Row] = []
    previous: Row = {}
    for number, entry in enumerate(entries):
        cells = _cells(entry, len(columns))
        if cells is None or len(cells) != len(columns):
            count = "no" if cells is None else str(len(cells))
            raise ValueError(f"row {number} has {count} cells for {len(columns)} columns")
        row: Row = {}
        for column, cell in zip(columns, cells, strict=True):
            if cell.type is DataType.NULL_DATA:
                before = previous.get(column.name)
                row[column.name] = _next(before, step) if column.is_time else before
            else:
                row[column.name] = _value(column, cell, scalers)
        found.append(row)
        previous = row
    return found


def _cells(entry: Data, count: int) -> tuple[Data, ...] | None:
    """The cells of a row. Of a single column, some meters leave the structure out."""
    if entry.type is DataType.STRUCTURE:
        return elements_of(entry)
    return (entry,) if count == 1 else None


def _value(column: Column, cell: Data, scalers: Mapping[bytes, ScalerUnit] | None) -> Any:
    scaler = None if scalers is None else scalers.get(column.instance)
    if scaler is not None and column.attribute in SCALED.get(column.class_id, ()):
        quantity = Quantity.of_data(cell, scaler)
        if quantity is not None:
            return quantity
    return typed(column.shape, cell)


def _next(before: Any, step: dt.timedelta) -> CosemDateTime | None:
    """One step after ``before``; ``None`` where that is not a moment, or rows are not periodic."""
    if not isinstance(before, CosemDateTime) or not step:
        return None
    try:
        moment = before.to_datetime() + step
    except (ValueError, OverflowError):
        return None
    # The deviation is taken over: whether daylight savings began meanwhile cannot be known.
    after = CosemDateTime.from_datetime(moment)
    return CosemDateTime(
        year=after.year,
        month=after.month,
        day=after.day,
        day_of_week=None if before.day_of_week is None else after.day_of_week,
        hour=after.hour,
        minute=after.minute,
        second=None if before.second is None else after.second,
        hundredths=before.hundredths,
        deviation=before.deviation,
        status=before.status,
    )
