"""What one edition changes against another, over every question with at most one key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, TypeAlias

from dlms.security.keys import KeyKind, KeyLifetime
from emulator.policy.decide import judge_key
from emulator.policy.decision import ModuleClass
from emulator.policy.question import Actor, Category, KeyUse, Purpose, Question
from emulator.policy.rule import Edition


class Verdict(NamedTuple):
    """The part of a judgement that a change is measured by."""

    module_class: ModuleClass
    clause: str


class Point(NamedTuple):
    """One point of the product; ``key`` is ``None`` for an operation that touches no key."""

    actor: Actor
    purpose: Purpose
    category: Category | None
    key: KeyUse | None


class Change(NamedTuple):
    """A point at which two editions do not say the same."""

    point: Point
    before: Verdict
    after: Verdict

    @property
    def changes_class(self) -> bool:
        """Whether another class of module is asked for, and not only under another clause."""
        return self.before.module_class is not self.after.module_class


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """A box of the product in which every point changes in the same way.

    ``kinds`` and ``lifetimes`` hold ``None`` alone for operations that touch no key.
    """

    actors: frozenset[Actor]
    purposes: frozenset[Purpose]
    categories: frozenset[Category | None]
    kinds: frozenset[KeyKind | None]
    lifetimes: frozenset[KeyLifetime | None]
    before: Verdict
    after: Verdict

    @property
    def size(self) -> int:
        """Number of points of the product in the box."""
        return (
            len(self.actors)
            * len(self.purposes)
            * len(self.categories)
            * len(self.kinds)
            * len(self.lifetimes)
        )


def points() -> Iterator[Point]:
    """The full product: actor x purpose x category x (no key, or kind x lifetime of key)."""
    keys = (None, *(KeyUse(kind, lifetime) for kind, lifetime in product(KeyKind, KeyLifetime)))
    for actor, purpose, category, key in product(Actor, Purpose, (*Category, None), keys):
        yield Point(actor, purpose, category, key)


def diff(old: Edition, new: Edition) -> tuple[Change, ...]:
    """Every point at which ``new`` asks for another class or names another clause."""
    changes = []
    for point in points():
        before, after = _verdict(point, old), _verdict(point, new)
        if before != after:
            changes.append(Change(point, before, after))
    return tuple(changes)


def _verdict(point: Point, edition: Edition) -> Verdict:
    actor, purpose, category, key = point
    question = Question(
        actor=actor, purpose=purpose, category=category, keys=() if key is None else (key,)
    )
    rule = judge_key(question, key, edition).rule
    return Verdict(rule.module_class, rule.clause)


_Box: TypeAlias = tuple[frozenset[object], ...]


def group(changes: Iterable[Change]) -> tuple[ChangeGroup, ...]:
    """Put ``changes`` into few boxes: those that change the class first, the larger ones first.

    Every change lies in exactly one box, and a box holds nothing else.
    """
    by_verdicts: dict[tuple[Verdict, Verdict], list[Point]] = {}
    for point, before, after in changes:
        by_verdicts.setdefault((before, after), []).append(point)
    groups = [
        _as_group(box, before, after)
        for (before, after), members in by_verdicts.items()
        for box in _boxes(members)
    ]
    return tuple(
        sorted(groups, key=lambda g: (g.before.module_class is g.after.module_class, -g.size))
    )


def _boxes(members: Iterable[Point]) -> list[_Box]:
    boxes: list[_Box] = []
    for actor, purpose, category, key in members:
        kind, lifetime = (None, None) if key is None else key
        boxes.append(tuple(frozenset({v}) for v in (actor, purpose, category, kind, lifetime)))
    # Lifetimes first, actors last: boxes that agree in all other dimensions become one.
    for dimension in (4, 3, 2, 1, 0):
        merged: dict[_Box, frozenset[object]] = {}
        for box in boxes:
            rest = box[:dimension] + box[dimension + 1 :]
            merged[rest] = merged.get(rest, frozenset()) | box[dimension]
        boxes = [(*rest[:dimension], values, *rest[dimension:]) for rest, values in merged.items()]
    return boxes


def _as_group(box: _Box, before: Verdict, after: Verdict) -> ChangeGroup:
    actors, purposes, categories, kinds, lifetimes = box
    return ChangeGroup(
        actors=frozenset(a for a in Actor if a in actors),
        purposes=frozenset(p for p in Purpose if p in purposes),
        categories=frozenset(c for c in (*Category, None) if c in categories),
        kinds=frozenset(k for k in (*KeyKind, None) if k in kinds),
        lifetimes=frozenset(t for t in (*KeyLifetime, None) if t in lifetimes),
        before=before,
        after=after,
    )
