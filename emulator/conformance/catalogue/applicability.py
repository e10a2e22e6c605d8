"""To whom a check applies: an expression over the features that a device under test declares.

``server and hdlc``, ``ln and (get or set)``, ``suite >= 1``, ``not release``. A word alone asks
for a flag, a comparison for a number. What is not declared is not there: the flag is down, the
number 0.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Features: TypeAlias = Mapping[str, int]
"""What a device declares; a flag is ``True`` or ``False``."""

_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_TOKEN = re.compile(r"\s*(>=|<=|==|!=|[<>()]|[a-z][a-z0-9.-]*|[0-9]+|\S)")
_MAX_TOKENS = 64
"""Of an expression, so that brackets cannot nest deeper than the interpreter likes."""


class ExpressionError(ValueError):
    """An expression that means nothing."""


class Word(NamedTuple):
    """A flag (``compare`` is empty), or a number and what it is compared with."""

    feature: str
    compare: str = ""
    number: int = 0

    def __str__(self) -> str:
        return f"{self.feature} {self.compare} {self.number}" if self.compare else self.feature

    def unmet(self, features: Features) -> tuple[str, ...]:
        value = features.get(self.feature, 0)
        holds = _COMPARE[self.compare](value, self.number) if self.compare else bool(value)
        return () if holds else (f"needs {self}",)


class Not(NamedTuple):
    part: Part

    def __str__(self) -> str:
        inner = str(self.part)
        return f"not {inner}" if isinstance(self.part, Word) else f"not ({inner})"

    def unmet(self, features: Features) -> tuple[str, ...]:
        return () if self.part.unmet(features) else (f"needs {self}",)


class All(NamedTuple):
    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return " and ".join(f"({one})" if isinstance(one, Any) else str(one) for one in self.parts)

    def unmet(self, features: Features) -> tuple[str, ...]:
        return tuple(reason for one in self.parts for reason in one.unmet(features))


class Any(NamedTuple):
    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.parts))

    def unmet(self, features: Features) -> tuple[str, ...]:
        holds = any(not one.unmet(features) for one in self.parts)
        return () if holds else (f"needs {self}",)


Part: TypeAlias = Word | Not | All | Any


@dataclass(frozen=True, slots=True)
class Applicability:
    """A parsed expression; ``str()`` gives it in its one plain form."""

    root: Part

    def __str__(self) -> str:
        return str(self.root)

    def unmet(self, features: Features) -> tuple[str, ...]:
        """Why a check is INAPPLICABLE to a device with these features; empty if it applies."""
        return self.root.unmet(features)

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(_words(self.root))


def _words(part: Part) -> list[Word]:
    if isinstance(part, Word):
        return [part]
    parts = (part.part,) if isinstance(part, Not) else part.parts
    return [word for one in parts for word in _words(one)]


def all_of(expressions: Sequence[Applicability]) -> Applicability:
    """What applies where each of them does."""
    if len(expressions) == 1:
        return expressions[0]
    return Applicability(All(tuple(one.root for one in expressions)))


def parse(text: str, flags: Collection[str], numbers: Collection[str]) -> Applicability:
    """:class:`ExpressionError` says what is wrong, an unknown feature by its name included."""
    tokens = _TOKEN.findall(text)
    if len(tokens) > _MAX_TOKENS:
        raise ExpressionError(f"has more than {_MAX_TOKENS} words and signs")
    parser = _Parser(tokens, flags, numbers)
    root = parser.either()
    if parser.left:
        raise ExpressionError(f"{parser.left[0]!r} is out of place")
    return Applicability(root)


class UnknownFeature(ExpressionError):
    """A feature that no declaration has."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no feature {name!r}")


class _Parser:
    """Recursive descent: ``or`` binds least, then ``and``, then ``not``."""

    def __init__(self, tokens: list[str], flags: Collection[str], numbers: Collection[str]) -> None:
        self.left = tokens
        self.flags = flags
        self.numbers = numbers

    def either(self) -> Part:
        parts = [self.all()]
        while self._takes("or"):
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def all(self) -> Part:
        parts = [self.one()]
        while self._takes("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def one(self) -> Part:
        if self._takes("not"):
            return Not(self.one())
        if self._takes("("):
            inner = self.either()
            if not self._takes(")"):
                raise ExpressionError("a bracket is not closed")
            return inner
        return self.word()

    def word(self) -> Word:
        name = self._next()
        if name in self.flags:
            return Word(name)
        if name not in self.numbers:
            if name[0].isalpha() and name not in {"and", "or", "not"}:
                raise UnknownFeature(name)
            raise ExpressionError(f"{name!r} is out of place")
        compare = self._next()
        if compare not in _COMPARE:
            raise ExpressionError(f"{name} is a number: it is compared, as in '{name} >= 1'")
        number = self._next()
        if not number.isdecimal():
            raise ExpressionError(f"{name} is compared with a number, not with {number!r}")
        return Word(name, compare, int(number))

    def _takes(self, token: str) -> bool:
        if not self.left or self.left[0] != token:
            return False
        self.left = self.left[1:]
        return True

    def _next(self) -> str:
        if not self.left:
            raise ExpressionError("a feature is missing at the end")
        first, *self.left = self.left
        return first
