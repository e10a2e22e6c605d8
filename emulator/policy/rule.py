"""The shape of a rule table. A rule is data: sets of what it applies to, and its result."""

from __future__ import annotations

from dataclasses import dataclass

from dlms.security.keys import KeyKind, KeyLifetime
from emulator.policy.decision import ModuleClass
from emulator.policy.question import Actor, Category, KeyUse, Purpose, Question

ANY_ACTOR = frozenset(Actor)
ANY_PURPOSE = frozenset(Purpose)
SMETS1: frozenset[Category | None] = frozenset(Category)
NOT_SMETS1: frozenset[Category | None] = frozenset({None})
ANY_TARGET = SMETS1 | NOT_SMETS1
ANY_KEY: frozenset[KeyKind | None] = frozenset(KeyKind)
SYMMETRIC_KEY: frozenset[KeyKind | None] = frozenset(k for k in KeyKind if k.is_symmetric)
NO_KEY: frozenset[KeyKind | None] = frozenset({None})
ANY_LIFETIME = frozenset(KeyLifetime)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: where all five sets contain what is asked, the result is this row's.

    ``None`` among ``categories`` stands for a target that is not a SMETS1 Device, ``None`` among
    ``kinds`` for an operation that touches no key; ``lifetimes`` is not looked at then. ``why`` is
    a template with the fields ``actor``, ``purpose``, ``category``, ``key`` and ``lifetime``.
    ``paragraph`` is the paragraph of the letter that the row is read from.
    """

    id: str
    actors: frozenset[Actor] = ANY_ACTOR
    purposes: frozenset[Purpose] = ANY_PURPOSE
    categories: frozenset[Category | None]
    kinds: frozenset[KeyKind | None]
    lifetimes: frozenset[KeyLifetime] = ANY_LIFETIME
    module_class: ModuleClass
    clause: str
    why: str
    paragraph: str

    def matches(self, question: Question, key: KeyUse | None) -> bool:
        """Whether the row applies to ``key`` (``None``: no key) in ``question``."""
        return (
            question.actor in self.actors
            and question.purpose in self.purposes
            and question.category in self.categories
            and (None if key is None else key.kind) in self.kinds
            and (key is None or key.lifetime in self.lifetimes)
        )

    def reason(self, question: Question, key: KeyUse | None) -> str:
        """``why``, filled in."""
        category = question.category
        return self.why.format(
            actor=question.actor.value,
            purpose=question.purpose.value,
            category="not a SMETS1 Device" if category is None else category.value,
            key="no key" if key is None else key.kind.value,
            lifetime="" if key is None else key.lifetime.value,
        )


# eq=False: an edition is itself and nothing else, so that it hashes by identity, in no time.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edition:
    """One state of the Code: an ordered table in which the first row that matches wins.

    ``authority`` says where the table comes from and how far it can be trusted.
    """

    name: str
    authority: str
    rules: tuple[Rule, ...]
