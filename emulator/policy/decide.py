"""From a question to a decision: each key is judged, the strictest class wins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from emulator.policy.decision import Decision, ModuleClass
from emulator.policy.question import KeyUse, Question
from emulator.policy.rule import Edition, Rule

# A fleet asks the same few dozen questions over and over; one key each, over all actors, purposes,
# categories and editions, makes about 3600. More than that is somebody enumerating.
_CACHE_SIZE = 4096


class NoRuleError(LookupError):
    """No row of the edition matches. Nothing may be run then: a gap is not a permission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What an edition says of one key (``None``: of an operation that touches no key)."""

    key: KeyUse | None
    rule: Rule
    why: str

    @property
    def module_class(self) -> ModuleClass:
        return self.rule.module_class


def judge_key(question: Question, key: KeyUse | None, edition: Edition) -> Judgement:
    """Judge one key of ``question``: the first row that matches.

    Raises :class:`NoRuleError` if none does.
    """
    for rule in edition.rules:
        if rule.matches(question, key):
            return Judgement(key=key, rule=rule, why=rule.reason(question, key))
    raise NoRuleError(f"edition {edition.name} has no rule for {question.purpose.name} with {key}")


def judge(question: Question, edition: Edition) -> tuple[Judgement, ...]:
    """Judge every key of ``question`` in order; a single judgement if it touches no key."""
    return tuple(judge_key(question, key, edition) for key in question.keys or (None,))


@lru_cache(maxsize=_CACHE_SIZE)
def _decide(question: Question, edition: Edition) -> Decision:
    # max() keeps the first of equals: between keys of the same class, the first one decides.
    strictest = max(judge(question, edition), key=lambda judgement: judgement.module_class)
    return Decision(
        module_class=strictest.module_class,
        clause=strictest.rule.clause,
        why=strictest.why,
        deciding_key=strictest.key,
    )


def decide(question: Question, edition: Edition) -> Decision:
    """The class of Cryptographic Module that ``edition`` asks for (SEC G2.44 and G2.45).

    The strictest class among the keys wins, and the decision names the key that decided. Pure; the
    answers are cached. Raises :class:`NoRuleError` if a key is not covered by the edition.
    """
    return _decide(question, edition)
