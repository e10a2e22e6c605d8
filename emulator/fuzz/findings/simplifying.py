"""Simpler forms of an action, and of what a run begins with; the boldest first.

Each is simpler than what it comes from: a field is as it is without a word, a number is nearer to
0, a list is shorter. So whoever takes one after the other comes to an end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.setting import Setting
from emulator.fuzz.twist import STRAIGHT, Twist

_KIND = ("GUEK", "GBEK", "GAK", "KEK")
"""By key_id (Blue Book 4.4.7)."""

_AS_THEY_ARE = {
    ("Certify", "request"),
    ("Edit", "octets"),
    ("NewKey", "key_id"),
    ("Replay", "step"),
    ("Send", "plain"),
}
"""A smaller number, or fewer octets, would be something else and nothing simpler."""


def simpler(action: Action) -> Iterator[Action]:
    """Forms of one action."""
    yield from _straight(action)
    yield from _fields(action)


def _straight(action: Action) -> Iterator[Action]:
    """Without a twist, and what our client does by itself in the place of what is done by hand."""
    if getattr(action, "twist", STRAIGHT) != STRAIGHT:
        yield _replaced(action, "twist", STRAIGHT)
    match action:
        case actions.Transfer(client=client, entries=entries, twist=twist) if all(
            one.key_id < len(_KIND) for one in entries
        ):
            kinds = tuple(dict.fromkeys(_KIND[one.key_id] for one in entries))
            if kinds:
                yield actions.Rotate(client=client, kinds=kinds, twist=twist)
        case actions.Storm(client=client) | actions.Crowd(client=client):
            yield actions.Open(client=client)


def _fields(value: Any) -> Iterator[Any]:
    for field in dataclasses.fields(value):
        if (type(value).__name__, field.name) in _AS_THEY_ARE:
            continue
        one = getattr(value, field.name)
        default = _default(field)
        if default is not dataclasses.MISSING and one != default:
            yield _replaced(value, field.name, default)
        for smaller in _smaller(one, default):
            yield _replaced(value, field.name, smaller)


def _replaced(value: Any, name: str, by: Any) -> Any:
    return replace(value, **{name: by})


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _smaller(value: Any, default: Any) -> Iterator[Any]:
    """Forms of the value of a field, but for the one that goes without a word."""
    match value:
        case bool() | str():
            return
        case Twist() | actions.AarqChange() | actions.NewKey():
            yield from _fields(value)
        case int() | float():
            yield from _numbers(value, default)
        case bytes():
            for length in _lengths(len(value)):
                yield value[:length]
        case tuple() if not hasattr(value, "_fields"):
            for length in _lengths(len(value)):
                yield value[:length]
            for at, one in enumerate(value):
                if len(value) > 1:
                    yield (*value[:at], *value[at + 1 :])
                for other in _smaller(one, dataclasses.MISSING):
                    yield (*value[:at], other, *value[at + 1 :])
        case _ if dataclasses.is_dataclass(value):
            yield from _fields(value)


def _numbers(value: float, default: Any) -> Iterator[float]:
    """Nearer to the one that goes without a word; if that is no number, to 0."""
    is_number = isinstance(default, int | float) and not isinstance(default, bool)
    base = default if is_number else 0
    distance = int(abs(value - base))
    sign = 1 if value > base else -1
    for one in (0, 1, distance // 2, distance - 1):
        nearer = base + sign * one
        if 0 <= one < abs(value - base) and nearer != default:
            yield nearer


def _lengths(length: int) -> Iterator[int]:
    if length > 2:
        yield from (1, length // 2)


# What a run begins with ---------------------------------------------------------------------------


def simpler_settings(setting: Setting) -> Iterator[Setting]:
    """With clients, knobs and defects that are fewer or as always."""
    for name in ("clients", "knobs"):
        table: Mapping[str, Any] = getattr(setting, name)
        if table:
            yield _replaced(setting, name, {})
        for less in _without(table):
            if less:
                yield _replaced(setting, name, less)
    for name, client in setting.clients.items():
        for form in _fields(client):
            yield replace(setting, clients={**setting.clients, name: form})
        for less in _without(client.knobs):
            form = replace(client, knobs=less)
            yield replace(setting, clients={**setting.clients, name: form})
    for association, knobs in setting.knobs.items():
        for less in _without(knobs):
            yield replace(setting, knobs={**setting.knobs, association: less})
    for at in range(len(setting.plants)):
        yield replace(setting, plants=(*setting.plants[:at], *setting.plants[at + 1 :]))
    if setting.seed != "0":
        yield replace(setting, seed="0")


def _without(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in table:
        yield {key: one for key, one in table.items() if key != name}


def fewer_clients(steps: Sequence[Action]) -> Iterator[tuple[Action, ...]]:
    """All that one client does is done by another that has done something before it."""
    names = list(dict.fromkeys(name for one in steps if (name := getattr(one, "client", ""))))
    for at, name in enumerate(names):
        for other in names[:at]:
            yield tuple(_said_by(one, name, other) for one in steps)


def _said_by(action: Any, name: str, other: str) -> Any:
    return _replaced(action, "client", other) if getattr(action, "client", "") == name else action
