"""The members of enums as words: for arguments, for messages, and for JSON.

A word is the name of a member in lower case with hyphens: ``LLS_SECRET`` is ``lls-secret``.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

E = TypeVar("E", bound=Enum)


def word(member: Enum) -> str:
    """The word for one enum member."""
    return member.name.lower().replace("_", "-")


def words(enum: type[E]) -> dict[str, E]:
    """Every member of ``enum`` by its word, in the order of the enum."""
    return {word(member): member for member in enum}


def normal(text: str) -> str:
    """What a user typed, as a word: case does not matter, nor does hyphen or underscore."""
    return text.lower().replace("_", "-")


def member(enum: type[E], wanted: E | str) -> E:
    """The member that is meant: itself, or by its word. ``ValueError`` with those there are."""
    if not isinstance(wanted, str):
        return wanted
    known = words(enum)
    try:
        return known[normal(wanted)]
    except KeyError:
        raise ValueError(f"{wanted!r} is none of {', '.join(known)}") from None
