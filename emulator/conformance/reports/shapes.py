"""What JSON values must be like, and where one is not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping


class NotSo(ValueError):
    """A value is not as it must be: where, and what was expected."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place or 'the document'}: {expected}")


Shape = Callable[[object, str], None]
"""Looks at a value; :class:`NotSo` with its place if it is another."""

_HEX = re.compile(r"(?:[0-9a-f]{2})*")


def text(value: object, place: str) -> None:
    if not isinstance(value, str):
        raise NotSo(place, "a string is needed")


def flag(value: object, place: str) -> None:
    if not isinstance(value, bool):
        raise NotSo(place, "true or false is needed")


def octets(value: object, place: str) -> None:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise NotSo(place, "octets are needed, two small hexadecimal digits each")


def seconds(value: object, place: str) -> None:
    """Of a clock: finite, and no less than 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotSo(place, "a number is needed")
    if not (math.isfinite(value) and value >= 0):
        raise NotSo(place, f"{value} are no seconds")


def whole(most: int) -> Shape:
    """A whole number from 0 to ``most``."""

    def look(value: object, place: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise NotSo(place, "a whole number is needed")
        if not 0 <= value <= most:
            raise NotSo(place, f"{value} is not in 0..{most}")

    return look


def one_of(names: Collection[str]) -> Shape:
    def look(value: object, place: str) -> None:
        if not isinstance(value, str) or value not in names:
            raise NotSo(place, f"must be one of {', '.join(names)}")

    return look


def maybe(shape: Shape) -> Shape:
    """That, or null."""

    def look(value: object, place: str) -> None:
        if value is not None:
            shape(value, place)

    return look


def many(shape: Shape, exactly: int | None = None) -> Shape:
    def look(value: object, place: str) -> None:
        if not isinstance(value, list):
            raise NotSo(place, "a list is needed")
        if exactly is not None and len(value) != exactly:
            raise NotSo(place, f"{exactly} of them are needed, {len(value)} are there")
        for number, one in enumerate(value):
            shape(one, f"{place}[{number}]")

    return look


def table(fields: Mapping[str, Shape]) -> Shape:
    """An object with all these fields and no others."""

    def look(value: object, place: str) -> None:
        named = _object(value, place)
        for name, shape in fields.items():
            if name not in named:
                raise NotSo(place, f"{name!r} is missing")
            shape(named[name], f"{place}.{name}" if place else name)
        for name in named:
            if name not in fields:
                raise NotSo(place, f"{name!r} belongs to nothing")

    return look


def named(shape: Shape) -> Shape:
    """An object with fields of any name, all of them of one shape."""

    def look(value: object, place: str) -> None:
        for name, one in _object(value, place).items():
            shape(one, f"{place}.{name}")

    return look


def _object(value: object, place: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise NotSo(place, "an object is needed")
    return value
