"""What a meter has said unasked, made into names and values. No transport.

A DataNotification carries values without names. Which they are, push_object_list of the Push setup
says that has pushed: it is told by the caller, or by the first element, which many meters make the
logical name of the Push setup. The list, and the scaler_units of registers in it, are read once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlms.axdr.data import (
    Data,
    DataType,
    array,
    integer,
    long_unsigned,
    octet_string,
    structure,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.client.effects import Dialogue
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of
from dlms.cosem.quantity import Quantity, ScalerUnit
from dlms.cosem.rows import SCALED, Column, columns
from dlms.cosem.typed import plain, typed
from dlms.errors import LocalProtocolError
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.event_notification import EventNotification
from dlms.xdlms.information_report import InformationReport
from dlms.xdlms.long_invoke import LONG_INVOKE_ID
from dlms.xdlms.registry import Notification
from dlms.xdlms.variable_access import VariableName
from emulator.client.errors import MeterFault, Refused, telling
from emulator.client.reading import known, scalers_of, unique
from emulator.client.session import Session
from emulator.client.targets import Target, What

LOGICAL_NAME_LENGTH = 6
_PUSH_SETUP = bytes((25, 9))
"""Value groups C and D of every Push setup (Blue Book 7)."""
PUSH_OBJECT_LIST = 2
_CAPTURE_FIELDS = 4
"""What an element of push_object_list has in common with a capture object, in every version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a meter has said to the association of a pair of SAPs.

    ``kind`` is ``data-notification``, ``event-notification`` or ``information-report``. ``time`` is
    the meter's, if it says one. ``values`` are by name, as :meth:`Association.get
    <emulator.client.association.Association.get>` gives them and a profile names its columns; a
    short name is ``0xFA08``. They are a list where a DataNotification does not say what they are.
    ``raw`` is the notification as it came.
    """

    kind: str
    client_sap: int
    server_sap: int
    time: CosemDateTime | dt.datetime | None
    values: dict[str, Any] | list[Any]
    raw: Notification

    @property
    def invoke_id(self) -> int | None:
        """The long invoke id of a DataNotification, by which a repeated one is known."""
        told = self.raw
        return told.long_invoke & LONG_INVOKE_ID if isinstance(told, DataNotification) else None


def understand(
    session: Session, told: Notification, pair: tuple[int, int], setup: What | None = None
) -> Dialogue[Notice]:
    """Give a notification names and units. ``setup`` is the Push setup that it is of.

    :class:`Refused` if the meter does not show push_object_list of ``setup``,
    :class:`MeterFault` if that does not go with what was pushed. Where nothing is said about it,
    what cannot be understood is shown as it is.
    """
    time: CosemDateTime | dt.datetime | None
    values: dict[str, Any] | list[Any]
    with telling("understand a notification"):
        match told:
            case DataNotification():
                kind, time = "data-notification", _cosem(told.date_time)
                values = yield from _pushed(session, told.body, setup)
            case EventNotification():
                kind, time = "event-notification", _cosem(told.time)
                captured = _captured(told.attribute)
                values = yield from _named(session, (captured,), (told.value,))
            case InformationReport():
                kind, time = "information-report", _generalized(told.time)
                values = _reported(told)
    client_sap, server_sap = pair
    return Notice(
        kind=kind, client_sap=client_sap, server_sap=server_sap, time=time, values=values, raw=told
    )


def _reported(told: InformationReport) -> dict[str, Any]:
    """The codec admits plain names only."""
    return {
        f"0x{one.name:04X}": plain(value)
        for one, value in zip(told.specifications, told.data, strict=True)
        if isinstance(one, VariableName)
    }


def _pushed(session: Session, body: Data, setup: What | None) -> Dialogue[Any]:
    parts = (elements_of(body) if body.type is DataType.STRUCTURE else None) or (body,)
    if setup is not None:
        target = yield from session.target(setup, classes.PUSH_SETUP.class_id)
        return (yield from _by_list(session, target, parts))
    said = _says(parts[0])
    if said is not None:
        try:
            return (yield from _by_list(session, said, parts))
        except Refused as refusal:
            if refusal.result is None:  # the request as such, not the attribute
                raise
        except (MeterFault, LocalProtocolError):
            pass  # another list than that by which it was pushed, or none that could be read
    return [plain(part) for part in parts]


def _says(first: Data) -> Target | None:
    """The Push setup whose logical name it is: ``a-b:25.9.e.f``."""
    name = first.value
    if not isinstance(name, bytes) or len(name) != LOGICAL_NAME_LENGTH or name[2:4] != _PUSH_SETUP:
        return None
    return Target(classes.PUSH_SETUP.class_id, name, classes.PUSH_SETUP)


def _by_list(session: Session, setup: Target, parts: tuple[Data, ...]) -> Dialogue[dict[str, Any]]:
    listing = setup.attribute(PUSH_OBJECT_LIST)
    yield from session.fetch((), [listing])
    elements = elements_of(session.static(listing)) or ()
    if len(elements) != len(parts):
        raise MeterFault(
            f"{session.subject(listing)} has {len(elements)} elements, {len(parts)} were pushed"
        )
    captured = [structure(*(elements_of(one) or ())[:_CAPTURE_FIELDS]) for one in elements]
    return (yield from _named(session, captured, parts))


def _named(
    session: Session, captured: Sequence[Data], values: Sequence[Data]
) -> Dialogue[dict[str, Any]]:
    """By the name of the column that a profile would give it, with its unit."""
    try:
        shown = columns(array(*captured), session.interface_class)
    except ValueError as error:
        raise MeterFault(str(error)) from error
    needed = scalers_of(session, shown)
    try:
        yield from session.fetch((), unique(needed))
    except LocalProtocolError:
        needed = []  # what is told where nothing can be read is told without units
    scalers = known(session, needed)
    return {
        column.name: _value(column, value, scalers.get(column.instance))
        for column, value in zip(shown, values, strict=True)
    }


def _value(column: Column, value: Data, scaler: ScalerUnit | None) -> Any:
    whole = column.attribute in SCALED.get(column.class_id, ()) and not column.data_index
    quantity = Quantity.of_data(value, scaler) if scaler is not None and whole else None
    return typed(column.shape, value) if quantity is None else quantity


def _captured(attribute: AttributeDescriptor) -> Data:
    class_id, instance, number = attribute
    return structure(
        long_unsigned(class_id), octet_string(instance), integer(number), long_unsigned(0)
    )


def _cosem(octets: bytes | None) -> CosemDateTime | None:
    """Empty where the meter says no time; :class:`CodecError` if it is none."""
    return CosemDateTime.from_octets(octets) if octets else None


def _generalized(characters: bytes | None) -> dt.datetime | None:
    """GeneralizedTime in UTC, as meters send it; other forms are in ``raw``."""
    try:
        moment = dt.datetime.strptime((characters or b"").decode("latin-1"), "%Y%m%d%H%M%SZ")
    except ValueError:
        return None
    return moment.replace(tzinfo=dt.UTC)
