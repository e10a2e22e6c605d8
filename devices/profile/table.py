"""Take typed entries out of TOML tables; errors name the place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from typing import Any, TypeAlias, TypeVar

from devices.profile.model import Provenance
from devices.profile.place import Place

T = TypeVar("T")
D = TypeVar("D")
Table: TypeAlias = dict[str, Any]

_KINDS = {dict: "a table is", str: "a string is", int: "a whole number is", list: "a list is"} | {
    bool: "true or false is"
}
_LONGEST = 60


def only(table: object, allowed: set[str], place: Place) -> None:
    """Refuse keys that mean nothing: a typing error must not pass as a default."""
    if not isinstance(table, dict):
        raise place.error(f"a table is needed, not {shown(table)}")
    for key in table:
        if key not in allowed:
            known = ", ".join(sorted(allowed))
            raise place.at(key).error(f"unknown key{near(key, allowed)}; known are {known}")


def near(word: object, allowed: Collection[str]) -> str:
    """What may have been meant by a word that is not known."""
    found = difflib.get_close_matches(str(word), allowed, n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""


def need(table: Table, key: str, kind: type[T], place: Place) -> T:
    value = table.get(key)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        found = f"not {shown(value)}" if key in table else "and missing"
        raise place.at(key).error(f"{_KINDS.get(kind, kind.__name__)} needed, {found}")
    return value


def shown(value: object) -> str:
    """A value of the file as an error quotes it: a long one is cut."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def maybe(table: Table, key: str, kind: type[T], default: D, place: Place) -> T | D:
    """As :func:`need`, but the entry may be left out."""
    return need(table, key, kind, place) if key in table else default


def within(value: int, low: int, high: int, place: Place) -> int:
    if not low <= value <= high:
        raise place.error(f"{value} is not in {low}..{high}")
    return value


def one_of(value: T, allowed: tuple[Any, ...], place: Place) -> T:
    if value not in allowed:
        words = [word for word in allowed if isinstance(word, str)]
        hint = near(value, words)
        raise place.error(f"{value!r} is not one of {', '.join(map(str, allowed))}{hint}")
    return value


def member(kind: Any, name: object, place: Place) -> Any:
    try:
        return kind[name]
    except (KeyError, TypeError):
        known = ", ".join(kind.__members__)
        hint = near(name, kind.__members__)
        raise place.error(f"{name!r} is unknown{hint}; known are {known}") from None


def checked(parse: Callable[[Any], T], written: object, place: Place) -> T:
    try:
        return parse(written)
    except (ValueError, TypeError) as error:
        raise place.error(str(error)) from None


def provenance_of(row: Table, place: Place) -> Provenance:
    """Where the fact of this row comes from: exactly one of ``source`` and ``assumed``."""
    found = [key for key in ("source", "assumed") if key in row]
    if len(found) != 1:
        raise place.error("needs either 'source' or 'assumed': where the fact comes from")
    text = need(row, found[0], str, place)
    if not text.strip():
        raise place.at(found[0]).error("must say something")
    return Provenance(found[0] == "assumed", text)
