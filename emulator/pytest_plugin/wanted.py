"""What a test asks for by its marker ``cosemlab``.

::

    @pytest.mark.cosemlab(profiles=["secure"], ways=["hdlc"], seed=7, at="2026-03-01T12:00")

The marker of a test goes before that of its class, and that before the module's: each word is
looked for in this order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from emulator.pytest_plugin.misuse import misused

MARKER = "cosemlab"
NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
"""When time begins unless a test says otherwise; it stands still, so each run is the same."""

_WORDS = ("profiles", "ways", "seed", "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """``profiles`` are names, paths of TOML files or profiles; none means the manufacturers'
    electricity meters. ``ways`` are opened besides TCP and TLS. Keys, and what faults draw by lot,
    come from ``seed``; ``at`` is when time begins.
    """

    profiles: tuple[Any, ...] = ()
    ways: tuple[str, ...] = ()
    seed: str = "0"
    at: dt.datetime = NOON


def wanted_by(node: pytest.Item) -> Wanted:
    """The test fails, naming the word of the marker that is not right."""
    words: dict[str, Any] = {}
    for mark in node.iter_markers(MARKER):
        if mark.args:
            raise _wrong(node, f"has keywords only: {', '.join(_WORDS)}")
        for word, value in mark.kwargs.items():
            if word not in _WORDS:
                raise _wrong(node, f"has no {word!r}; it has {', '.join(_WORDS)}")
            words.setdefault(word, value)
    return _checked(node, words)


def _checked(node: pytest.Item, words: Mapping[str, Any]) -> Wanted:
    found: dict[str, Any] = {}
    for word in ("profiles", "ways"):
        if word in words:
            if isinstance(words[word], str):
                raise _wrong(node, f"{word} is a list, not {words[word]!r}")
            found[word] = tuple(words[word])
    if "seed" in words:
        found["seed"] = str(words["seed"])
    if "at" in words:
        found["at"] = _moment(node, words["at"])
    return Wanted(**found)


def _moment(node: pytest.Item, given: object) -> dt.datetime:
    """A moment without a time zone is in UTC."""
    try:
        moment = given if isinstance(given, dt.datetime) else dt.datetime.fromisoformat(str(given))
    except ValueError:
        raise _wrong(node, f"at={given!r} is no time in ISO 8601") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _wrong(node: pytest.Item, what: str) -> BaseException:
    return misused(f"{node.nodeid}: marker {MARKER} {what}")
