"""How an interface class is described: one row per attribute and method (Blue Book 4.2)."""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr.data import Data, DataType

ANY: tuple[DataType, ...] = ()
"""CHOICE: the object says which type, not the class."""


class Attribute(NamedTuple):
    """``types`` are the types its value may have; ``dynamic`` values the server changes itself."""

    number: int
    name: str
    types: tuple[DataType, ...]
    dynamic: bool = False


class Method(NamedTuple):
    """``parameter`` is the type of its invocation parameter."""

    number: int
    name: str
    parameter: tuple[DataType, ...]


class InterfaceClass(NamedTuple):
    """An interface class. Attribute 1, the logical name, is common to all and not repeated."""

    class_id: int
    version: int
    name: str
    attributes: tuple[Attribute, ...]
    methods: tuple[Method, ...] = ()

    def attribute(self, number: int) -> Attribute | None:
        if number == 1:
            return LOGICAL_NAME
        return next((row for row in self.attributes if row.number == number), None)

    def method(self, number: int) -> Method | None:
        return next((row for row in self.methods if row.number == number), None)


LOGICAL_NAME = Attribute(1, "logical_name", (DataType.OCTET_STRING,))


def fits(types: tuple[DataType, ...], value: Data | None) -> bool:
    """Whether ``value`` has one of ``types``; no types admit any value."""
    return value is not None and (not types or value.type in types)
