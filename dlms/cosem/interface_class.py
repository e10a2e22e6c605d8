"""How an interface class is described: one row per attribute and method (Blue Book 4.2)."""

from __future__ import annotations

from typing import NamedTuple

from dlms.axdr.data import DataType
from dlms.cosem import shape as shapes
from dlms.cosem.fitting import fits, misfit
from dlms.cosem.shape import INTEGER, Shape, types_of

__all__ = ["LOGICAL_NAME", "Attribute", "InterfaceClass", "Method", "fits", "misfit"]


class Attribute(NamedTuple):
    """``dynamic`` values the server changes itself."""

    number: int
    name: str
    shape: Shape
    dynamic: bool = False

    @property
    def types(self) -> tuple[DataType, ...]:
        """The types its value may have at its top; none: any."""
        return types_of(self.shape)


class Method(NamedTuple):
    """``parameter`` is the shape of its invocation parameter, ``returns`` that of what it gives.

    Methods whose parameter says nothing have ``integer(0)`` for it (Blue Book 4.1.2).
    """

    number: int
    name: str
    parameter: Shape = INTEGER
    returns: Shape | None = None


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


LOGICAL_NAME = Attribute(1, "logical_name", shapes.LOGICAL_NAME)
