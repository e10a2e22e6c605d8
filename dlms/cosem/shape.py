"""The shape of a value: which types it has, down to the last field of the last structure.

The Blue Book describes structured attributes in a notation of its own (``array of structure
{class_id: long-unsigned, ...}``). A shape is that description as a value, so that one walk can
check a value (:mod:`dlms.cosem.fitting`) and another can give it names (:mod:`dlms.cosem.typed`).

Shapes are finite trees: the one definition of the books that contains itself, the columns of a
capture object, is cut after its first level. That bounds every walk along a shape.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias

from dlms.axdr.data import DataType


class Meaning(Enum):
    """What an octet-string stands for."""

    PLAIN = "plain"
    LOGICAL_NAME = "logical name"
    DATE_TIME = "date-time"
    DATE = "date"
    TIME = "time"

    __hash__ = object.__hash__


class Simple(NamedTuple):
    """One value of one of ``types``.

    ``sizes`` are the lengths it may have, in octets (in bits for a bit-string), where the book
    fixes them; none: any. ``names`` are those of the values of an enum, or of the bits of a
    bit-string. They are not checked: books extend them, and manufacturers have ranges of their own.
    """

    types: tuple[DataType, ...]
    sizes: tuple[int, ...] = ()
    meaning: Meaning = Meaning.PLAIN
    names: tuple[tuple[int, str], ...] = ()

    def name_of(self, number: int) -> str:
        """The name of an enum's value or of a bit; empty if it has none."""
        return next((name for known, name in self.names if known == number), "")


class ArrayOf(NamedTuple):
    """Any number of elements, all of the shape ``element``. ``compact``: may be a compact-array."""

    element: Shape
    compact: bool = False


class Field(NamedTuple):
    """One field of a structure."""

    name: str
    shape: Shape


class StructureOf(NamedTuple):
    """As many elements as there are fields, in their order."""

    fields: tuple[Field, ...]


class Choice(NamedTuple):
    """A value that has one of several shapes."""

    shapes: tuple[Shape, ...]


class Anything(NamedTuple):
    """CHOICE: the object says which type, not the class. Any type but the ``excluded``."""

    excluded: tuple[DataType, ...] = ()


Shape: TypeAlias = "Simple | ArrayOf | StructureOf | Choice | Anything"

ANY = Anything()


def types_of(shape: Shape) -> tuple[DataType, ...]:
    """The types that a value of ``shape`` has at its top; none where it may have any."""
    if isinstance(shape, Simple):
        return shape.types
    if isinstance(shape, ArrayOf):
        return (DataType.ARRAY, DataType.COMPACT_ARRAY) if shape.compact else (DataType.ARRAY,)
    if isinstance(shape, StructureOf):
        return (DataType.STRUCTURE,)
    if isinstance(shape, Choice):
        every = [types_of(one) for one in shape.shapes]
        return tuple(dict.fromkeys(kind for kinds in every for kind in kinds)) if all(every) else ()
    return ()


def structure(**fields: Shape) -> StructureOf:
    """A structure of these fields, in the order they are given."""
    return StructureOf(tuple(Field(name, shape) for name, shape in fields.items()))


def array(element: Shape) -> ArrayOf:
    return ArrayOf(element)


def choice(*shapes: Shape) -> Choice:
    return Choice(shapes)


def named_enum(*names: str, first: int = 0, **others: str) -> Simple:
    """An enum whose values from ``first`` on have these names; an empty name is none.

    ``others`` are those beyond a gap, as ``v128="manufacturer specific"``.
    """
    table = [(number, name) for number, name in enumerate(names, first) if name]
    table += [(int(key[1:]), name) for key, name in others.items()]
    return Simple((DataType.ENUM,), names=tuple(table))


def bits(*names: str, size: int | None = None) -> Simple:
    """A bit-string whose bits from the first on have these names."""
    table = tuple((number, name) for number, name in enumerate(names) if name)
    sizes = () if size is None else (size,)
    return Simple((DataType.BIT_STRING,), sizes, names=table)


def octets(*sizes: int) -> Simple:
    """An octet-string of one of these lengths."""
    return Simple((DataType.OCTET_STRING,), sizes)


BOOLEAN = Simple((DataType.BOOLEAN,))
INTEGER = Simple((DataType.INTEGER,))
LONG = Simple((DataType.LONG,))
DOUBLE_LONG = Simple((DataType.DOUBLE_LONG,))
LONG64 = Simple((DataType.LONG64,))
UNSIGNED = Simple((DataType.UNSIGNED,))
LONG_UNSIGNED = Simple((DataType.LONG_UNSIGNED,))
DOUBLE_LONG_UNSIGNED = Simple((DataType.DOUBLE_LONG_UNSIGNED,))
LONG64_UNSIGNED = Simple((DataType.LONG64_UNSIGNED,))
ENUM = Simple((DataType.ENUM,))
BITS = Simple((DataType.BIT_STRING,))
OCTETS = Simple((DataType.OCTET_STRING,))
VISIBLE = Simple((DataType.VISIBLE_STRING,))
UTF8 = Simple((DataType.UTF8_STRING,))
NULL = Simple((DataType.NULL_DATA,))

LOGICAL_NAME = Simple((DataType.OCTET_STRING,), (6,), Meaning.LOGICAL_NAME)
MOMENT = Simple((DataType.OCTET_STRING,), (12,), Meaning.DATE_TIME)
"""An octet-string formatted as date-time (Blue Book 4.1.6.1)."""
DATE_TIME = Simple((DataType.DATE_TIME, DataType.OCTET_STRING), (12,), Meaning.DATE_TIME)
"""The type date-time; the books write it where meters send an octet-string, so both are taken."""
DATE = Simple((DataType.OCTET_STRING,), (5,), Meaning.DATE)
TIME = Simple((DataType.OCTET_STRING,), (4,), Meaning.TIME)
SYSTEM_TITLE = octets(8, 0)
"""Eight octets; empty where none is known."""
