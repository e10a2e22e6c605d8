"""Which part of an attribute an element of push_object_list means (Blue Book 4.4.8.2).

Versions 0 to 3 of Push setup differ in how much an element can say: a data_index, then a
restriction of the rows of a buffer, then its columns.
"""

from __future__ import annotations

from typing import NamedTuple

from devices.objects.behaviour import Call
from devices.profile.model import ObjectRow
from dlms.axdr.data import NULL, Data, DataType, array, long_unsigned, structure
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.xdlms.descriptors import SelectiveAccess

_BUFFER, _CAPTURE_OBJECTS = 2, 3
_BY_DATE, _BY_ENTRY = 1, 2
_MAX_INDEX = 0x0FFF
"""Above it a data_index selects rows by their age, which no meter of ours does."""


class Element(NamedTuple):
    """One element of push_object_list. ``columns`` are capture objects; none means all."""

    class_id: int
    instance: bytes
    attribute: int
    data_index: int
    restriction: int = 0
    limits: tuple[Data, ...] = ()
    columns: tuple[Data, ...] = ()


def element(value: Data) -> Element | None:
    """Take over an element, of any version; ``None`` if it is none."""
    parts = elements_of(value) or ()
    head = tuple(part.value for part in parts[:4])
    match head:
        case (int() as class_id, bytes() as instance, int() as attribute, int() as index):
            found = Element(class_id, instance, attribute, index)
        case _:
            return None
    if len(parts) > 4:
        restriction, *limits = elements_of(parts[4]) or (NULL,)
        kind = restriction.value if isinstance(restriction.value, int) else 0
        inner = tuple((limits and elements_of(limits[0])) or ())
        found = found._replace(restriction=kind, limits=inner)
    if len(parts) > 5:
        found = found._replace(columns=elements_of(parts[5]) or ())
    return found


def selected(call: Call, row: ObjectRow, what: Element) -> Data:
    """The part that is meant; null-data where there is none."""
    selection: SelectiveAccess | None = None
    is_buffer = (row.interface_class.class_id, what.attribute) == (
        classes.PROFILE_GENERIC.class_id,
        _BUFFER,
    )
    if what.restriction:
        selection = _selection(call, row, what) if is_buffer else None
        if selection is None:
            return NULL
    value = call.device.attribute(row, what.attribute, call.association, call.now, selection)
    if not isinstance(value, Data):
        return NULL
    if what.columns and is_buffer:
        value = _columns(call, row, what, value)
    if not what.data_index:
        return value
    elements = elements_of(value)
    if elements is None or what.data_index > min(len(elements), _MAX_INDEX):
        return NULL
    return elements[what.data_index - 1]


def _selection(call: Call, row: ObjectRow, what: Element) -> SelectiveAccess | None:
    """The restriction as selective access to a buffer (Blue Book 4.3.6.2.3)."""
    if len(what.limits) != 2:
        return None
    if what.restriction == _BY_ENTRY:
        everything = long_unsigned(1), long_unsigned(0)
        return SelectiveAccess(_BY_ENTRY, structure(*what.limits, *everything))
    clock = next((one for one in _captured(call, row) if _is_time(one)), None)
    if what.restriction != _BY_DATE or clock is None:
        return None
    return SelectiveAccess(_BY_DATE, structure(clock, *what.limits, array()))


def _columns(call: Call, row: ObjectRow, what: Element, buffer: Data) -> Data:
    places = [at for at, one in enumerate(_captured(call, row)) if one in what.columns]
    lines = [elements_of(line) or () for line in elements_of(buffer) or ()]
    return array(*(structure(*(line[at] for at in places)) for line in lines))


def _captured(call: Call, row: ObjectRow) -> tuple[Data, ...]:
    value = call.device.value(row, _CAPTURE_OBJECTS)
    return () if value is None else elements_of(value) or ()


def _is_time(captured: Data) -> bool:
    parts = elements_of(captured) or ()
    return captured.type is DataType.STRUCTURE and [part.value for part in parts[::2]] == [
        classes.CLOCK.class_id,
        2,
    ]
