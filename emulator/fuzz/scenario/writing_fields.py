"""Each field of an action as a file has it: what :mod:`emulator.fuzz.scenario.fields` reads."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from devices.profile.values import parse_value
from dlms.axdr.data import CompactArray, Data
from dlms.axdr.encoding import encode
from dlms.cosem import obis
from dlms.errors import DlmsError
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from emulator.fuzz.twist import Edit, EditKind

_PAIRS = "tuple[tuple[str, object], ...]"
"""Names and values of any kind: a table in a file."""


def table(value: Any, leave: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A frozen dataclass: its fields but those that are as they are without a word. Those in
    ``leave`` are written elsewhere.
    """
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        one = getattr(value, field.name)
        if field.name not in leave and not _is_default(field, one):
            found[field.name] = written(dict(one) if field.type == _PAIRS else one)
    return found


def _is_default(field: dataclasses.Field[Any], value: object) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and value == field.default


def written(value: Any) -> Any:
    """Any value of a field."""
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    return table(value) if dataclasses.is_dataclass(value) else value


def data(value: Data) -> Any:
    """As profiles write it; what they have no words for, as its A-XDR octets."""
    try:
        said = _in_words(value)
        if encode(parse_value(said)) == encode(value):
            return said
    except (ValueError, TypeError, DlmsError):
        pass
    return encode(value).hex()


def _in_words(value: Data) -> dict[str, Any]:
    content: Any = value.value
    match content:
        case CompactArray():
            raise TypeError("profiles have no compact arrays")
        case tuple():
            content = [_in_words(one) for one in content]
        case bytes():
            content = content.hex()
        case float() if not math.isfinite(content):
            raise TypeError("JSON has no such number")
    return {value.type.label: content}


def edit(one: Edit) -> dict[str, Any]:
    """One change of octets."""
    match one.kind:
        case EditKind.PUT | EditKind.INSERT | EditKind.FLIP:
            how: Any = [one.at, one.octets.hex()]
        case EditKind.DELETE:
            how = [one.at, one.count]
        case EditKind.KEEP:
            how = one.count
        case EditKind.REPEAT:
            how = [one.octets.hex(), one.count]
        case _:
            how = one.octets.hex()
    return {one.kind.value: how}


def _attribute(one: AttributeDescriptor) -> list[Any]:
    return [one.class_id, obis.text(one.instance), one.attribute]


def _method(one: MethodDescriptor) -> list[Any]:
    return [one.class_id, obis.text(one.instance), one.method]


_WRITERS: dict[type, Callable[[Any], Any]] = {
    Data: data,
    AttributeDescriptor: _attribute,
    MethodDescriptor: _method,
    Edit: edit,
    Enum: lambda one: one.value,
    int: lambda one: one if isinstance(one, bool) else int(one),
    bytes: bytes.hex,
    tuple: lambda one: [written(part) for part in one],
    list: lambda one: [written(part) for part in one],
    Mapping: lambda one: {name: written(part) for name, part in one.items()},
}
"""The first that fits: a value and a descriptor are tuples too, an enumeration may be a number."""
