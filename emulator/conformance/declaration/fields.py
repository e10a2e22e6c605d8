"""Entries that several tables of a declaration have: octets, names, numbers, seconds, paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from devices.profile.place import Place
from devices.profile.table import Table, checked, maybe, need, within
from dlms.cosem import obis

TITLE_LENGTH = 8
MAX_SECONDS = 86_400.0
"""Nobody waits longer than a day; what is written beyond that is milliseconds by mistake."""


def octets(row: Table, key: str, place: Place, length: int = 0) -> bytes:
    """Hexadecimal, of ``length`` octets if that is given; empty if it is left out."""
    found = checked(bytes.fromhex, maybe(row, key, str, "", place), place.at(key))
    if key in row and length and len(found) != length:
        raise place.at(key).error(f"{length} octets are needed, not {len(found)}")
    return found


def title(row: Table, key: str, place: Place) -> bytes:
    """A system title (Green Book Ed. 8, 4.3.4); empty if it is left out."""
    return octets(row, key, place, TITLE_LENGTH)


def logical_name(row: Table, key: str, place: Place) -> bytes:
    """Six octets of an OBIS code like ``0-0:1.0.0.255``; empty if it is left out."""
    written = maybe(row, key, str, "", place)
    return checked(obis.parse, written, place.at(key)) if key in row else b""


def number(row: Table, key: str, low: int, high: int, place: Place, default: int = 0) -> int:
    """A whole number from ``low`` to ``high``, ``default`` if it is left out."""
    if key not in row:
        return default
    return within(need(row, key, int, place), low, high, place.at(key))


def seconds(row: Table, key: str, default: float, place: Place) -> float:
    """Seconds, with or without a fraction."""
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.at(key).error(f"a number of seconds is needed, not {value!r}")
    if not 0 <= value <= MAX_SECONDS:
        raise place.at(key).error(f"{value} is not in 0..{MAX_SECONDS:.0f} seconds")
    return float(value)


def path(row: Table, key: str, folder: Path, place: Place) -> str:
    """A file, beside the declaration unless its path is absolute; empty if it is left out."""
    written = maybe(row, key, str, "", place)
    if key in row and not written:
        raise place.at(key).error("the path of a file is needed")
    return str(folder / written) if written else ""


def each(row: Table, key: str, read: Callable[[Any, Place], Any], place: Place) -> tuple[Any, ...]:
    """The elements of a list, none if it is left out."""
    found = maybe(row, key, list, [], place)
    where = place.at(key)
    return tuple(read(one, where.at(str(index))) for index, one in enumerate(found))


def word(one: object, place: Place) -> str:
    """A string as an element of a list."""
    if not isinstance(one, str) or not one:
        raise place.error(f"a string is needed, not {one!r}")
    return one
