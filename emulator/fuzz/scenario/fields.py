"""How each field of an action is written in a file."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from devices.profile.values import parse_value
from dlms.axdr.data import Data
from dlms.axdr.decoding import decode
from dlms.cosem import obis
from dlms.errors import DlmsError
from dlms.security.control import Protection
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.descriptors import CONFIRMED, AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest
from dlms.xdlms.set import SetRequest
from emulator.fuzz.actions import AarqChange, NewKey
from emulator.fuzz.head_ends.mischief import Errand, Mischief
from emulator.fuzz.scenario.found import KnownKey, Witnessed
from emulator.fuzz.scenario.place import ScenarioError, Where
from emulator.fuzz.twist import Edit, EditKind, Lost, Otherwise, Twist

T = TypeVar("T")

TWISTS = frozenset(field.name for field in dataclasses.fields(Twist))


MAX_CLASS, MAX_NUMBER = 0xFFFF, 0xFF
"""Of a class_id, and of an attribute or a method, in an APDU."""


def data(where: Where) -> Data:
    """A COSEM value, as profiles write it, or its A-XDR octets in hexadecimal."""
    try:
        if isinstance(where.written, str):
            return decode(where.octets())
        return parse_value(where.written)
    except ScenarioError:
        raise
    except (ValueError, TypeError, DlmsError) as error:
        raise where.wrong(str(error)) from None


def _named(where: Where) -> tuple[int, bytes, int]:
    parts = where.list()
    if len(parts) != 3:
        raise where.wrong("class, logical name and number are needed")
    class_id, number = parts[0].number(), parts[2].number()
    if not 0 <= class_id <= MAX_CLASS or not 0 <= number <= MAX_NUMBER:
        raise where.wrong(f"there is no class {class_id} with a number {number}")
    try:
        return class_id, obis.parse(parts[1].text()), number
    except (ValueError, DlmsError) as error:
        raise where.wrong(str(error)) from None


def attribute(where: Where) -> AttributeDescriptor:
    return AttributeDescriptor(*_named(where))


def method(where: Where) -> MethodDescriptor:
    return MethodDescriptor(*_named(where))


def plain(where: Where) -> bytes:
    """An APDU: its octets, or ``{"get": [...]}``, ``{"set": [[...], value]}``, ``{"act": ...}``."""
    if isinstance(where.written, str):
        return where.octets()
    table = where.table(frozenset({"get", "set", "act"}))
    if len(table) != 1:
        raise where.wrong("one of get, set, act is needed")
    ((what, how),) = table.items()
    if what == "get":
        return GetRequest(CONFIRMED | 1, attribute(how), None).encode()
    if what == "set":
        one, value = _two(how)
        return SetRequest(CONFIRMED | 1, attribute(one), data(value)).encode()
    parts = how.list()
    if not 1 <= len(parts) <= 2:
        raise how.wrong("a method is needed, and perhaps its parameter")
    parameter = data(parts[1]) if len(parts) > 1 else None
    return ActionRequest(CONFIRMED | 1, method(parts[0]), parameter).encode()


def edits(where: Where) -> tuple[Edit, ...]:
    return tuple(_edit(one) for one in where.list())


def _edit(where: Where) -> Edit:
    table = where.table(frozenset(kind.value for kind in EditKind))
    if len(table) != 1:
        raise where.wrong("one change is needed")
    ((name, how),) = table.items()
    kind = EditKind(name)
    match kind:
        case EditKind.PUT | EditKind.INSERT | EditKind.FLIP:
            at, octets = _two(how)
            return Edit(kind=kind, at=at.number(), octets=octets.octets())
        case EditKind.DELETE:
            at, count = _two(how)
            return Edit(kind=kind, at=at.number(), count=count.number())
        case EditKind.KEEP:
            return Edit(kind=kind, count=how.number())
        case EditKind.REPEAT:
            octets, count = _two(how)
            return Edit(kind=kind, octets=octets.octets(), count=count.number())
        case _:
            return Edit(kind=kind, octets=how.octets())


def _two(where: Where) -> tuple[Where, Where]:
    parts = where.list()
    if len(parts) != 2:
        raise where.wrong("two values are needed")
    return parts[0], parts[1]


def protection(where: Where) -> Protection:
    try:
        return Protection(where.number())
    except ValueError as error:
        raise where.wrong(str(error)) from None


def _record(kind: type[T]) -> Callable[[Where], T]:
    return lambda where: record(kind, where)


def record(kind: type[T], where: Where, *, leave: frozenset[str] = frozenset()) -> T:
    """A frozen dataclass from a table. Keys in ``leave`` are read elsewhere."""
    wanted: Any = kind
    readers = _readers(wanted)
    table = where.table(frozenset(readers) | leave)
    given = {name: readers[name](one) for name, one in table.items() if name in readers}
    try:
        return kind(**given)
    except TypeError as error:
        raise where.wrong(str(error).replace(f"{kind.__name__}.__init__() ", "")) from None
    except ValueError as error:
        raise where.wrong(str(error)) from None


@cache
def _readers(kind: Any) -> dict[str, Callable[[Where], Any]]:
    hints = typing.get_type_hints(kind)
    return {
        field.name: _READERS[_written(hints[field.name])]
        for field in dataclasses.fields(kind)
        if field.name != "twist"
    }


def _written(hint: Any) -> Any:
    """What a hint is without its ``None``."""
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    is_optional = type(None) in typing.get_args(hint)
    return parts[0] if is_optional and len(parts) == 1 else hint


_READERS: dict[Any, Callable[[Where], Any]] = {
    str: Where.text,
    int: Where.number,
    float: Where.real,
    bool: Where.flag,
    bytes: Where.octets,
    tuple[str, ...]: Where.texts,
    tuple[Edit, ...]: edits,
    Data: data,
    AttributeDescriptor: attribute,
    MethodDescriptor: method,
    Protection: protection,
    Lost: lambda where: where.member(Lost),
    Otherwise: _record(Otherwise),
    AarqChange: _record(AarqChange),
    tuple[NewKey, ...]: lambda where: tuple(record(NewKey, one) for one in where.list()),
    tuple[tuple[str, object], ...]: lambda where: tuple(
        (name, one.written) for name, one in where.table().items()
    ),
    tuple[Witnessed, ...]: lambda where: tuple(record(Witnessed, one) for one in where.list()),
    tuple[KnownKey, ...]: lambda where: tuple(record(KnownKey, one) for one in where.list()),
    tuple[Mischief, ...]: lambda where: tuple(record(Mischief, one) for one in where.list()),
    tuple[Errand, ...]: lambda where: tuple(record(Errand, one) for one in where.list()),
    tuple[tuple[str, ...], ...]: lambda where: tuple(one.texts() for one in where.list()),
    Mapping[str, int]: lambda where: {name: one.number() for name, one in where.table().items()},
    Mapping[str, bool]: lambda where: {name: one.flag() for name, one in where.table().items()},
    Mapping[str, object]: lambda where: {name: one.written for name, one in where.table().items()},
}
