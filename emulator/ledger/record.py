"""An entry as it is stored and hashed: a number, and texts of which none is ever missing.

``docs/ledger.md`` defines each, so that somebody else can compute the hashes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, TypeVar

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.ledger.entry import Entry, Outcome, time_text
from emulator.ledger.errors import LedgerError
from emulator.policy import Actor, Category, Decision, KeyUse, ModuleClass, Purpose

E = TypeVar("E", bound=Enum)

_NAMES = 4096
"""Texts of keys and decisions that are kept: a command uses a few dozen."""


class Record(NamedTuple):
    """The fields in the order in which they are hashed. Enumerations go by their names; ``""``
    stands for no SMETS1 Device and for no deciding key.
    """

    time: str
    actor: str
    device: str
    category: str
    operation: str
    purpose: str
    keys: str
    module_class: str
    clause: str
    why: str
    deciding_key: str
    module: str
    emulated: str
    sufficient: str
    outcome: str
    edition: str
    mode: str


FIELDS = Record._fields
_YES, _NO = "yes", "no"


def record_of(entry: Entry) -> Record:
    # In the way of every operation: by its property a member's name takes five times as long.
    (
        _, time, actor, device, category, operation, purpose, keys, decision, module, emulated,
        sufficient, outcome, edition, mode,
    ) = entry  # fmt: skip
    return Record(
        time_text(time),
        actor._name_,
        device,
        "" if category is None else category._name_,
        operation,
        purpose._name_,
        _keys_text(keys),
        decision.module_class._name_,
        decision.clause,
        decision.why,
        _use_text(decision.deciding_key),
        module,
        _YES if emulated else _NO,
        _YES if sufficient else _NO,
        outcome._name_,
        edition,
        mode,
    )


def entry_of(number: int, texts: Sequence[object]) -> Entry:
    """:class:`LedgerError` if it is none: of another version of this software, or damaged."""
    try:
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("not all of it is text")
        return _entry(number, Record._make(texts))
    except (KeyError, ValueError, TypeError) as error:
        raise LedgerError(f"entry {number} cannot be read: {error}") from None


def _entry(number: int, record: Record) -> Entry:
    return Entry(
        number,
        _time(record.time),
        Actor[record.actor],
        record.device,
        Category[record.category] if record.category else None,
        record.operation,
        Purpose[record.purpose],
        _keys(record.keys),
        Decision(
            module_class=ModuleClass[record.module_class],
            clause=record.clause,
            why=record.why,
            deciding_key=_use(record.deciding_key),
        ),
        record.module,
        _is_yes(record.emulated),
        _is_yes(record.sufficient),
        Outcome[record.outcome],
        record.edition,
        record.mode,
    )


def _time(text: str) -> dt.datetime:
    if not text.endswith("Z"):
        raise ValueError(f"{text!r} is no time in UTC")
    return dt.datetime.fromisoformat(text)


def _is_yes(text: str) -> bool:
    return {_YES: True, _NO: False}[text]


@lru_cache(_NAMES)
def _keys_text(keys: tuple[KeyRef, ...]) -> str:
    """A JSON array of the keys' names, without spaces."""
    return json.dumps([_key_text(key) for key in keys], separators=(",", ":"))


def _key_text(key: KeyRef) -> str:
    """``HOLDER/scope/KIND/LIFETIME/version``; only the scope may have a slash in it."""
    holder, kind, lifetime = key.holder.hex().upper(), key.kind.name, key.lifetime.name
    return f"{holder}/{key.scope}/{kind}/{lifetime}/{key.version}"


@lru_cache(_NAMES)
def _keys(text: str) -> tuple[KeyRef, ...]:
    return tuple(_key(part) for part in json.loads(text))


def _key(text: str) -> KeyRef:
    holder, _, rest = text.partition("/")
    scope, kind, lifetime, version = rest.rsplit("/", 3)
    return KeyRef(bytes.fromhex(holder), scope, KeyKind[kind], KeyLifetime[lifetime], int(version))


@lru_cache(_NAMES)
def _use_text(use: KeyUse | None) -> str:
    return "" if use is None else f"{use.kind.name}/{use.lifetime.name}"


@lru_cache(_NAMES)
def _use(text: str) -> KeyUse | None:
    if not text:
        return None
    kind, lifetime = text.split("/")
    return KeyUse(KeyKind[kind], KeyLifetime[lifetime])
