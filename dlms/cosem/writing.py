"""Values as Python writes them: the other way of :mod:`dlms.cosem.typed`.

A type that the class leaves open (CHOICE) cannot be guessed: give a ``Data`` there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from dlms.axdr.data import Data, DataType
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import catalogue
from dlms.cosem.fitting import misfit
from dlms.cosem.shape import ArrayOf, Choice, Meaning, Shape, Simple, StructureOf
from dlms.errors import CodecError

_PARTS = {Meaning.DATE_TIME: slice(0, 12), Meaning.DATE: slice(0, 5), Meaning.TIME: slice(5, 9)}
_ACCEPTS: dict[DataType, tuple[type, ...]] = {
    DataType.BOOLEAN: (bool,),
    DataType.BIT_STRING: (str,),
    DataType.OCTET_STRING: (bytes,),
    DataType.VISIBLE_STRING: (str,),
    DataType.UTF8_STRING: (str,),
    DataType.FLOAT32: (int, float),
    DataType.FLOAT64: (int, float),
    DataType.NULL_DATA: (type(None),),
    DataType.DATE_TIME: (bytes,),
    DataType.DATE: (bytes,),
    DataType.TIME: (bytes,),
}
"""What Python types a value may have; for all others, the integers, ``int``."""


def data_of(shape: Shape, value: Any) -> Data:
    """``value`` as ``Data`` of ``shape``; a ``Data`` is taken as it is.

    Structures are given as mappings or sequences, arrays as sequences, date-times as ``datetime``
    or :class:`CosemDateTime`, logical names as text or names of the catalogue, enums as numbers or
    as their names. ``ValueError`` says which part does not fit.
    """
    data = value if isinstance(value, Data) else _data_of(shape, value, "")
    problem = misfit(shape, data)
    if problem is not None:
        raise ValueError(problem)
    return data


def _data_of(shape: Shape, value: Any, path: str) -> Data:
    if isinstance(value, Data):
        return value
    if isinstance(shape, Simple):
        return _simple(shape, value, path)
    if isinstance(shape, ArrayOf):
        if not isinstance(value, list | tuple):
            raise _wrong(path, "a list is needed")
        elements = [
            _data_of(shape.element, element, f"{path}[{number}]")
            for number, element in enumerate(value)
        ]
        return Data(DataType.ARRAY, tuple(elements))
    if isinstance(shape, StructureOf):
        return _structure(shape, value, path)
    if isinstance(shape, Choice):
        return _choice(shape, value, path)
    raise _wrong(path, "the class leaves the type open: give a Data")


def _choice(shape: Choice, value: Any, path: str) -> Data:
    """The first shape that can hold the value."""
    problem = None
    for one in shape.shapes:
        try:
            data = _data_of(one, value, path)
        except ValueError as error:
            problem = error
            continue
        if misfit(one, data) is None:
            return data
    raise problem or _wrong(path, "fits none of the possible shapes")


def _structure(shape: StructureOf, value: Any, path: str) -> Data:
    names = [field.name for field in shape.fields]
    if isinstance(value, Mapping):
        if set(value) != set(names):
            raise _wrong(path, f"fields {', '.join(names)} are needed")
        value = [value[name] for name in names]
    if not isinstance(value, list | tuple) or len(value) != len(names):
        raise _wrong(path, f"fields {', '.join(names)} are needed")
    return Data(
        DataType.STRUCTURE,
        tuple(
            _data_of(field.shape, part, f"{path}.{field.name}" if path else field.name)
            for field, part in zip(shape.fields, value, strict=True)
        ),
    )


def _simple(shape: Simple, value: Any, path: str) -> Data:
    if shape.meaning is not Meaning.PLAIN and not isinstance(value, bytes):
        return _meant(shape, value, path)
    if DataType.ENUM in shape.types and isinstance(value, str):
        for number, name in shape.names:
            if name == value:
                return Data(DataType.ENUM, number)
        raise _wrong(path, f"{value!r} is none of {', '.join(name for _, name in shape.names)}")
    for kind in shape.types:
        if _may_be(kind, value):
            # An enum of ours, as Unit, is an int with more to it; the codec wants the number.
            return Data(kind, int(value) if kind not in _ACCEPTS else value)
    kinds = " or ".join(kind.label for kind in shape.types)
    raise _wrong(path, f"{kinds} cannot be made of {type(value).__name__}")


def _may_be(kind: DataType, value: Any) -> bool:
    """Whether Python's type is right; a bool is an int to Python, but none to the standard."""
    wanted = _ACCEPTS.get(kind, (int,))
    return isinstance(value, wanted) and isinstance(value, bool) is (kind is DataType.BOOLEAN)


def _meant(shape: Simple, value: Any, path: str) -> Data:
    """An octet-string that stands for a logical name or a moment."""
    if shape.meaning is Meaning.LOGICAL_NAME:
        if not isinstance(value, str):
            raise _wrong(path, "an OBIS code is needed")
        try:
            return Data(DataType.OCTET_STRING, catalogue.lookup(value))
        except KeyError as error:
            raise _wrong(path, str(error.args[0])) from None
    if isinstance(value, dt.datetime):
        value = CosemDateTime.from_datetime(value)
    if not isinstance(value, CosemDateTime):
        raise _wrong(path, f"a {shape.meaning.value} is needed")
    try:
        octets = value.to_octets()[_PARTS[shape.meaning]]
    except CodecError as error:
        raise _wrong(path, str(error)) from None
    return Data(shape.types[-1], octets)


def _wrong(path: str, problem: str) -> ValueError:
    return ValueError(f"{path}: {problem}" if path else problem)
