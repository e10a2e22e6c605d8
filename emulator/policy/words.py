"""What the policy speaks of in words: for arguments, for JSON, and for tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import TypeVar

from dlms.security.keys import KeyKind, KeyLifetime
from dlms.words import normal, word, words
from emulator.policy.question import Category, KeyUse
from emulator.policy.rule import SYMMETRIC_KEY

E = TypeVar("E", bound=Enum)

CATEGORIES: Mapping[str, Category | None] = MappingProxyType(
    {"1": Category.CATEGORY_1, "2": Category.CATEGORY_2, "not-smets1": None}
)
"""Categories have shorter words than their names."""


def parse_key(text: str) -> KeyUse:
    """Read ``KIND[:LIFETIME]``.

    Without a lifetime a key is long-lived, but a dedicated key is good for one Application
    Association and that of a single message for no more (GB Ed. 8, 9.2.3.4). Raises
    :class:`ValueError` with the words to choose from.
    """
    kind_word, colon, lifetime_word = normal(text).partition(":")
    kind = _choose("kind of key", kind_word, words(KeyKind))
    if colon:
        return KeyUse(kind, _choose("lifetime", lifetime_word, words(KeyLifetime)))
    if kind in (KeyKind.DEDICATED, KeyKind.EPHEMERAL):
        return KeyUse(kind, KeyLifetime.SINGLE_ASSOCIATION)
    return KeyUse(kind, KeyLifetime.LONG_LIVED)


def _choose(what: str, chosen: str, choices: Mapping[str, E]) -> E:
    if chosen not in choices:
        raise ValueError(f"unknown {what} {chosen!r} (choose from {', '.join(choices)})")
    return choices[chosen]


def key_text(key: KeyUse | None) -> str:
    """A key as :func:`parse_key` reads it, ``none`` for no key."""
    return "none" if key is None else f"{word(key.kind)}:{word(key.lifetime)}"


def set_words(enum: type[Enum], members: Iterable[Enum | None]) -> list[str]:
    """The words of a set in the order of the enum; ``None`` has no word."""
    chosen = frozenset(members)
    return [name for name, member in words(enum).items() if member in chosen]


def category_words(categories: frozenset[Category | None]) -> list[str]:
    """The words of a set of categories."""
    return [name for name, category in CATEGORIES.items() if category in categories]


def set_text(enum: type[Enum], members: Iterable[Enum | None]) -> str:
    """A set in few words: ``any``, what it leaves out if that is shorter, ``-`` if empty."""
    present = set_words(enum, members)
    missing = [name for name in words(enum) if name not in present]
    if not present:
        return "-"
    if not missing:
        return "any"
    if len(missing) < len(present):
        return f"any but {', '.join(missing)}"
    return ", ".join(present)


def category_text(categories: frozenset[Category | None]) -> str:
    """A set of categories in few words."""
    present = category_words(categories)
    return "any" if len(present) == len(CATEGORIES) else ", ".join(present)


def kind_text(kinds: frozenset[KeyKind | None]) -> str:
    """A set of kinds of keys in few words, ``none`` for no key."""
    if kinds == {None}:
        return "none"
    return "any symmetric" if kinds == SYMMETRIC_KEY else set_text(KeyKind, kinds)
