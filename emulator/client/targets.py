"""What a caller wants, made into what the protocol can ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from dlms.axdr.data import (
    Data,
    DataType,
    array,
    double_long_unsigned,
    integer,
    long_unsigned,
    octet_string,
    structure,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import classes
from dlms.cosem.interface_class import InterfaceClass
from dlms.cosem.rows import SCALED, Column
from dlms.cosem.shape import ANY, Shape
from dlms.errors import CodecError
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from emulator.client.errors import UnknownObject
from emulator.client.objects import ObjectEntry, instance_of, named

What: TypeAlias = (
    str | bytes | int | tuple[int, str | bytes, int] | AttributeDescriptor | ObjectEntry
)
"""A name of the catalogue or OBIS code (text or six octets), ``(class_id, code, attribute)``, an
object of the list, or, where short names are used, its base name."""

Moment: TypeAlias = dt.datetime | CosemDateTime

VALUE = 2
"""The attribute that is meant if none is said: value, buffer, time, object_list."""

_BY_RANGE, _BY_ENTRY = 1, 2
_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(2099, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
"""Limits of a selection that is open at one end: meters of this kind keep nothing beyond them."""


class Span(NamedTuple):
    """Which rows of a buffer: by time, both limits included, or by number, from 1."""

    since: Moment | None = None
    until: Moment | None = None
    entries: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return any(part is not None for part in self)

    @property
    def by_time(self) -> bool:
        return self.since is not None or self.until is not None


class Wanted(NamedTuple):
    """One reading as a caller has asked for it."""

    what: What
    attribute: int | str | None = None
    class_id: int | None = None
    version: int | None = None
    span: Span = Span()
    raw: bool = False


class Target(NamedTuple):
    """An object of a class that is known by number, and perhaps by its table."""

    class_id: int
    instance: bytes
    interface_class: InterfaceClass | None

    def attribute(self, wanted: int | str) -> AttributeDescriptor:
        """By number or name. :class:`UnknownObject` if the class has no attribute of that name."""
        if isinstance(wanted, int):
            return AttributeDescriptor(self.class_id, self.instance, wanted)
        rows = () if self.interface_class is None else self.interface_class.attributes
        for row in rows:
            if row.name == wanted:
                return AttributeDescriptor(self.class_id, self.instance, row.number)
        raise self._unknown("attribute", wanted, [row.name for row in rows])

    def method(self, wanted: int | str) -> MethodDescriptor:
        """By number or name. :class:`UnknownObject` if the class has no method of that name."""
        if isinstance(wanted, int):
            return MethodDescriptor(self.class_id, self.instance, wanted)
        rows = () if self.interface_class is None else self.interface_class.methods
        for row in rows:
            if row.name == wanted:
                return MethodDescriptor(self.class_id, self.instance, row.number)
        raise self._unknown("method", wanted, [row.name for row in rows])

    def shape(self, attribute: int) -> Shape:
        row = None if self.interface_class is None else self.interface_class.attribute(attribute)
        return ANY if row is None else row.shape

    def scaler(self, attribute: int) -> AttributeDescriptor | None:
        """The scaler_unit that ``attribute`` is to be read with, if it has one."""
        if attribute not in SCALED.get(self.class_id, ()):
            return None
        return self.attribute("scaler_unit")

    def is_buffer(self, attribute: int) -> bool:
        return self.class_id == classes.PROFILE_GENERIC.class_id and attribute == VALUE

    def _unknown(self, kind: str, wanted: str, known: list[str]) -> UnknownObject:
        hint = f": it has {', '.join(known)}" if known else ""
        return UnknownObject(
            f"class {self.class_id} of {named(self.instance)} has no {kind} {wanted!r}{hint}"
        )


def split(what: What) -> tuple[int | None, int | None, bytes]:
    """Class, version and logical name, as far as ``what`` says them; it is no base name.

    :class:`UnknownObject` if it names no OBIS code, ``TypeError`` if it is nothing of the kind.
    """
    if isinstance(what, str | bytes):
        return None, None, instance_of(what)
    if isinstance(what, ObjectEntry):
        return what.class_id, what.version, what.instance
    if not isinstance(what, tuple) or len(what) != 3:
        raise TypeError("a name, an OBIS code or (class_id, code, attribute) is needed")
    class_id, code, _ = what
    return class_id, None, instance_of(code)


def said_attribute(what: What) -> int | None:
    """The number of the attribute, if ``what`` says it."""
    if isinstance(what, tuple) and not isinstance(what, ObjectEntry):
        return what[2]
    return None


def attribute_subject(target: Target, attribute: int) -> str:
    row = None if target.interface_class is None else target.interface_class.attribute(attribute)
    return _subject(target, "attribute", attribute, "" if row is None else row.name)


def method_subject(target: Target, method: int) -> str:
    row = None if target.interface_class is None else target.interface_class.method(method)
    return _subject(target, "method", method, "" if row is None else row.name)


def together(subjects: Sequence[str]) -> str:
    """Several in one request, which are named by the first."""
    more = len(subjects) - 1
    return f"{subjects[0]} and {more} more" if more else subjects[0]


def _subject(target: Target, kind: str, number: int, name: str) -> str:
    return f"{named(target.instance)} {kind} {number}" + (f" {name}" if name else "")


def selection(span: Span, columns: tuple[Column, ...]) -> SelectiveAccess | None:
    """The selective access of class 7 for ``span`` (Blue Book 4.3.6.2.3); ``None`` for all rows.

    ``ValueError`` if it cannot be selected so.
    """
    if span.entries is not None:
        if span.by_time:
            raise ValueError("rows are selected by time or by entries, not both")
        first, last = span.entries
        if not 1 <= first <= (last or first):
            raise ValueError("entries are counted from 1, and the last may be 0: to the end")
        return SelectiveAccess(
            _BY_ENTRY,
            structure(
                double_long_unsigned(first),
                double_long_unsigned(last),
                long_unsigned(1),
                long_unsigned(0),
            ),
        )
    if not span.by_time:
        return None
    clock = next((column for column in columns if column.is_time), None)
    if clock is None:
        raise ValueError("the profile shows no clock, by which to select: use entries")
    restricting = structure(
        long_unsigned(clock.class_id),
        octet_string(clock.instance),
        integer(clock.attribute),
        long_unsigned(clock.data_index),
    )
    since = _EARLIEST if span.since is None else span.since
    until = _LATEST if span.until is None else span.until
    return SelectiveAccess(
        _BY_RANGE, structure(restricting, _moment(since), _moment(until), array())
    )


def _moment(moment: Moment) -> Data:
    cosem = moment if isinstance(moment, CosemDateTime) else CosemDateTime.from_datetime(moment)
    try:
        return Data(DataType.OCTET_STRING, cosem.to_octets())
    except CodecError as error:
        raise ValueError(str(error)) from None
