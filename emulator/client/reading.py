"""How attributes are read together: as few requests as the association allows.

Two waves: first the values, with what does not change and is needed to understand them (scaler_unit
of registers, columns of profiles; kept for later); then the buffers, which can be selected only
once the columns are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dlms.axdr.data import Data
from dlms.client.effects import Dialogue
from dlms.cosem.quantity import Quantity, ScalerUnit
from dlms.cosem.rows import SCALED, Column, columns, rows
from dlms.cosem.typed import typed
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client.errors import MeterFault, Refused
from emulator.client.session import Session
from emulator.client.targets import (
    VALUE,
    Target,
    Wanted,
    What,
    attribute_subject,
    said_attribute,
    selection,
)

_CAPTURE_OBJECTS, _CAPTURE_PERIOD, _SORT_METHOD = 3, 4, 5
_LAST_IN_FIRST_OUT = 2


class Reading(NamedTuple):
    """One of the readings under way."""

    wanted: Wanted
    target: Target
    attribute: AttributeDescriptor

    @property
    def is_buffer(self) -> bool:
        return self.target.is_buffer(self.attribute.attribute)

    @property
    def subject(self) -> str:
        return attribute_subject(self.target, self.attribute.attribute)

    def statics(self) -> list[AttributeDescriptor]:
        """What has to be known of the object to understand the value."""
        target, raw = self.target, self.wanted.raw
        if self.is_buffer:
            numbers = [_CAPTURE_OBJECTS, _CAPTURE_PERIOD, _SORT_METHOD]
            if raw:
                numbers = [_CAPTURE_OBJECTS] if self.wanted.span.by_time else []
            return [target.attribute(number) for number in numbers]
        scaler = None if raw else target.scaler(self.attribute.attribute)
        return [] if scaler is None else [scaler]


def read_one(session: Session, wanted: Wanted) -> Dialogue[Any]:
    """One value. :class:`Refused`, and what :func:`read` raises."""
    (value,) = yield from read(session, [wanted])
    if isinstance(value, Refused):
        raise value
    return value


def read_many(
    session: Session, whats: Iterable[What], raw: bool, return_exceptions: bool
) -> Dialogue[list[Any]]:
    """Values in the order of ``whats``. The first :class:`Refused` is raised, unless they are to be
    returned; and what :func:`read` raises.
    """
    values = yield from read(session, [Wanted(what, raw=raw) for what in whats])
    return given(values, return_exceptions)


def given(values: list[Any], return_exceptions: bool) -> list[Any]:
    """``values``, unless a :class:`Refused` among them is to be raised."""
    for value in values:
        if isinstance(value, Refused) and not return_exceptions:
            raise value
    return values


def read(session: Session, wants: Sequence[Wanted]) -> Dialogue[list[Any]]:
    """The values in the order of ``wants``; a :class:`Refused` in the place of one that is refused.

    :class:`UnknownObject`, ``ValueError`` or ``TypeError`` before anything is read, if a want
    cannot be. Whatever else goes wrong ends the reading as a whole.
    """
    readings = []
    for wanted in wants:
        readings.append((yield from reading_of(session, wanted)))
    values = [reading for reading in readings if not reading.is_buffer]
    statics = [row for reading in readings for row in reading.statics()]
    found = yield from session.fetch(
        [(reading.attribute, None) for reading in values], unique(statics)
    )
    by_reading = dict(zip(map(id, values), found, strict=True))
    results: list[Any] = []
    for reading in readings:
        try:
            if reading.is_buffer:
                results.append((yield from _buffer(session, reading)))
            else:
                results.append(_value(session, reading, by_reading[id(reading)]))
        except Refused as refusal:
            results.append(refusal)
    return results


def reading_of(session: Session, wanted: Wanted) -> Dialogue[Reading]:
    """:class:`UnknownObject`, ``ValueError`` or ``TypeError`` if it cannot be read."""
    target = yield from session.target(wanted.what, wanted.class_id, wanted.version)
    said = wanted.attribute
    number = said_attribute(wanted.what) if said is None else said
    reading = Reading(wanted, target, target.attribute(VALUE if number is None else number))
    if wanted.span and not reading.is_buffer:
        raise ValueError(f"{reading.subject}: rows are selected of the buffer of a profile only")
    return reading


def _value(session: Session, reading: Reading, value: Data | Refused) -> Any:
    if isinstance(value, Refused):
        raise value
    if reading.wanted.raw:
        return value
    scaler = reading.target.scaler(reading.attribute.attribute)
    return value_of(reading, value, None if scaler is None else _scaler_unit(session, scaler))


def value_of(reading: Reading, value: Data, unit: ScalerUnit | None) -> Any:
    """An attribute as a Python value, with its unit if there is one."""
    quantity = None if unit is None else Quantity.of_data(value, unit)
    if quantity is not None:
        return quantity
    return typed(reading.target.shape(reading.attribute.attribute), value)


def _buffer(session: Session, reading: Reading) -> Dialogue[Any]:
    shown = shown_by(session, reading)
    part = selection(reading.wanted.span, shown)
    scalers = [] if reading.wanted.raw else scalers_of(session, shown)
    (buffer,) = yield from session.fetch([(reading.attribute, part)], unique(scalers))
    if isinstance(buffer, Refused):
        raise buffer
    return rows_of(session, reading, buffer)


def shown_by(session: Session, reading: Reading) -> tuple[Column, ...]:
    """The columns of a buffer, if they are needed. :class:`Refused` if the meter keeps them."""
    if reading.wanted.raw and not reading.wanted.span.by_time:
        return ()
    target = reading.target
    try:
        return columns(session.static(target.attribute(_CAPTURE_OBJECTS)), session.interface_class)
    except ValueError as error:
        raise MeterFault(f"{reading.subject}: {error}") from error


def rows_of(session: Session, reading: Reading, buffer: Data) -> Any:
    """A buffer as rows, once all that is needed to understand it has been fetched."""
    if reading.wanted.raw:
        return buffer
    target, shown = reading.target, shown_by(session, reading)
    try:
        return rows(
            buffer,
            shown,
            capture_period=_number(session, target, _CAPTURE_PERIOD),
            newest_first=_number(session, target, _SORT_METHOD) == _LAST_IN_FIRST_OUT,
            scalers=known(session, scalers_of(session, shown)),
        )
    except ValueError as error:
        raise MeterFault(f"{reading.subject}: {error}") from error


def scalers_of(session: Session, shown: tuple[Column, ...]) -> list[AttributeDescriptor]:
    """The scaler_units of the columns that have one."""
    found = []
    for column in shown:
        if column.attribute in SCALED.get(column.class_id, ()) and not column.data_index:
            interface_class = session.interface_class(column.class_id, column.instance)
            target = Target(column.class_id, column.instance, interface_class)
            scaler = target.scaler(column.attribute)
            assert scaler is not None  # SCALED has been asked
            found.append(scaler)
    return found


def known(session: Session, scalers: Iterable[AttributeDescriptor]) -> dict[bytes, ScalerUnit]:
    """Those that the meter gives: a column whose unit it keeps for itself is a plain number."""
    known = {}
    for scaler in scalers:
        try:
            known[scaler.instance] = _scaler_unit(session, scaler)
        except Refused:
            continue
    return known


def _scaler_unit(session: Session, scaler: AttributeDescriptor) -> ScalerUnit:
    try:
        return ScalerUnit.of(session.static(scaler))
    except ValueError as error:
        raise MeterFault(f"{session.subject(scaler)}: {error}") from error


def _number(session: Session, target: Target, attribute: int) -> int:
    """An attribute that helps to fill gaps in the buffer; 0 where the meter does not give it."""
    try:
        value = session.static(target.attribute(attribute)).value
    except Refused:
        return 0
    return value if isinstance(value, int) else 0


def unique(attributes: Iterable[AttributeDescriptor]) -> list[AttributeDescriptor]:
    return list(dict.fromkeys(attributes))
