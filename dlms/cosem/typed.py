"""Values as Python sees them: ``Data`` given names and meanings by the shape of its attribute.

===========================  ==========================================================
shape                        Python value
===========================  ==========================================================
logical name                 ``str``, as ``1-0:1.8.0.255``
date-time, date, time        :class:`~dlms.axdr.datetimes.CosemDateTime`; fields that a date
                             or a time has not are not specified
enum with names              :class:`Named`, an ``int`` that knows its name
unit                         :class:`Named`, its name the symbol
structure                    ``dict`` of field name to value
array, compact-array         ``list``
null-data, dont-care         ``None``
anything else                the value of the ``Data``
===========================  ==========================================================

Reading is total: meters send what their class does not allow, and a client wants to see that too.
A part that does not have the shape is shown by its own type, structures as lists.
"""

from __future__ import annotations

from typing import Any

from dlms.axdr.data import CompactArray, Data, DataType
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.cosem.fitting import elements_of, fits
from dlms.cosem.shape import Anything, ArrayOf, Choice, Meaning, Shape, Simple, StructureOf
from dlms.errors import CodecError

_LENGTHS = {Meaning.DATE_TIME: 12, Meaning.DATE: 5, Meaning.TIME: 4, Meaning.LOGICAL_NAME: 6}
_OWN_MEANING = {
    DataType.DATE_TIME: Meaning.DATE_TIME,
    DataType.DATE: Meaning.DATE,
    DataType.TIME: Meaning.TIME,
}
_OCTET_TYPES = frozenset({DataType.OCTET_STRING, *_OWN_MEANING})
_NO_DATE = b"\xff" * 5
_NO_TIME = b"\xff" * 4
_NO_DEVIATION_NO_STATUS = b"\x80\x00\xff"


class Named(int):
    """A number of an enumeration; ``label`` is its name, empty where it has none."""

    label: str

    def __new__(cls, number: int, label: str = "") -> Named:
        self = super().__new__(cls, number)
        self.label = label
        return self

    def __str__(self) -> str:
        return self.label or str(int(self))

    def __repr__(self) -> str:
        return f"{int(self)} ({self.label})" if self.label else str(int(self))


def typed(shape: Shape, value: Data) -> Any:
    """``value`` as the table above says. Whatever it is, it does not fail."""
    if isinstance(shape, Choice):
        chosen = next((one for one in shape.shapes if fits(one, value)), None)
        return plain(value) if chosen is None else typed(chosen, value)
    if isinstance(shape, Simple):
        return _simple(shape, value)
    elements = elements_of(value)
    if elements is None or isinstance(shape, Anything):
        return plain(value)
    if isinstance(shape, ArrayOf):
        if value.type is DataType.STRUCTURE:
            return plain(value)
        return [typed(shape.element, element) for element in elements]
    return _structure(shape, value, elements)


def _structure(shape: StructureOf, value: Data, elements: tuple[Data, ...]) -> Any:
    if value.type is not DataType.STRUCTURE or len(elements) != len(shape.fields):
        return plain(value)
    return {
        field.name: typed(field.shape, element)
        for field, element in zip(shape.fields, elements, strict=True)
    }


def plain(value: Data) -> Any:
    """``value`` by its own type alone: sequences as lists, date-times decoded."""
    content = value.value
    if isinstance(content, CompactArray):
        return [plain(element) for element in content.elements]
    if isinstance(content, tuple):
        return [plain(element) for element in content]
    meaning = _OWN_MEANING.get(value.type)
    if meaning is not None and isinstance(content, bytes):
        return _meant(meaning, content)
    return content


def _simple(shape: Simple, value: Data) -> Any:
    content = value.value
    if value.type is DataType.ENUM and isinstance(content, int) and DataType.ENUM in shape.types:
        return Named(content, shape.name_of(content))
    if value.type in _OCTET_TYPES and isinstance(content, bytes):
        return _meant(_OWN_MEANING.get(value.type, shape.meaning), content)
    return plain(value)


def _meant(meaning: Meaning, octets: bytes) -> Any:
    """What the octets stand for; the octets themselves if they cannot stand for that."""
    if len(octets) != _LENGTHS.get(meaning):
        return octets
    if meaning is Meaning.LOGICAL_NAME:
        return obis.text(octets)
    if meaning is Meaning.DATE:
        octets = octets + _NO_TIME + _NO_DEVIATION_NO_STATUS
    elif meaning is Meaning.TIME:
        octets = _NO_DATE + octets + _NO_DEVIATION_NO_STATUS
    try:
        return CosemDateTime.from_octets(octets)
    except CodecError:
        return octets
