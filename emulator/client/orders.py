"""What is to be written or invoked, as a caller says it, fitted to the class of the object."""

from __future__ import annotations

from typing import Any, NamedTuple

from dlms.axdr.data import Data, integer
from dlms.cosem.shape import ANY, INTEGER, Shape
from dlms.cosem.typed import typed
from dlms.cosem.writing import data_of
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.client.targets import Target, attribute_subject, method_subject


class Writing(NamedTuple):
    """An attribute and the value for it."""

    attribute: AttributeDescriptor
    value: Data
    subject: str


class Invoking(NamedTuple):
    """A method with its parameter, and the shape of what it returns."""

    method: MethodDescriptor
    parameter: Data | None
    subject: str
    returns: Shape

    def returned(self, value: Data | None) -> Any:
        """The Python value of what the method has returned."""
        return None if value is None else typed(self.returns, value)


def writing(target: Target, attribute: int | str, value: Any) -> Writing:
    """``ValueError`` if ``value`` does not fit, :class:`UnknownObject` if there is no such
    attribute.
    """
    descriptor = target.attribute(attribute)
    subject = attribute_subject(target, descriptor.attribute)
    data = _data(target.shape(descriptor.attribute), value, subject)
    return Writing(descriptor, data, f"write {subject}")


def invoking(target: Target, method: int | str, parameter: Any) -> Invoking:
    """``ValueError`` if ``parameter`` does not fit, :class:`UnknownObject` if there is no such
    method.
    """
    descriptor = target.method(method)
    table = target.interface_class
    row = None if table is None else table.method(descriptor.method)
    subject = method_subject(target, descriptor.method)
    data: Data | None = None
    if parameter is not None:
        data = _data(ANY if row is None else row.parameter, parameter, subject)
    elif row is not None and row.parameter == INTEGER:
        data = integer(0)  # "says nothing" (Blue Book 4.1.2)
    shape = None if row is None else row.returns
    return Invoking(descriptor, data, f"invoke {subject}", ANY if shape is None else shape)


def _data(shape: Shape, value: Any, subject: str) -> Data:
    try:
        return data_of(shape, value)
    except ValueError as error:
        raise ValueError(f"{subject}: {error}") from None
