"""What each exception of the letter saves: Level 3 operations that it makes needless.

Each operation that was carried out is asked about again: under the letter, under the letter without
one of its exceptions, without all of them, and under the Code before the letter. An exception saves
an operation if that alone makes the difference: the letter asks for less than Level 3, and without
this exception it asks for Level 3. ``docs/ledger.md`` has the same in more words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from emulator.ledger.entry import Entry, Outcome
from emulator.policy import BEFORE_LETTER, LETTER, Category, Edition, ModuleClass, Purpose, decide

EXCEPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "c-i": "G2.44(c)(i): Commands to add credit",
        "c-ii": "G2.44(c)(ii): Instructions to Category 1",
        "c-iii": "G2.44(c)(iii): keys of one association",
        "store-encrypted": "A1: storage of encrypted keys",
    }
)
"""The rules of the letter that take something out of Level 3, by their ids, in words."""

_ADDS_CREDIT = "Seal"
"""What makes a Command: the APDU that carries it is sealed once."""


def without(edition: Edition, ids: Iterable[str]) -> Edition:
    """An edition that lacks some rules: what they applied to falls to the rules behind them."""
    gone = frozenset(ids)
    return replace(
        edition,
        name=f"{edition.name} without {', '.join(sorted(gone))}",
        rules=tuple(rule for rule in edition.rules if rule.id not in gone),
    )


# Made once: answers are cached by the edition itself.
_WITHOUT = {rule: without(LETTER, (rule,)) for rule in EXCEPTIONS}
_WITHOUT_ALL = without(LETTER, EXCEPTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of the devices of one category; ``None`` of those that are no SMETS1 Devices.

    ``before`` and ``letter`` count Level 3 operations under each edition, ``saved`` what each
    exception saves by itself. ``several`` were reached by more than one exception, so that none of
    them alone makes the difference; ``rest`` is what the letter saves without any exception: keys
    that are no SMETS1 Symmetric Keys. The sum holds:
    before = letter + all of saved + several + rest.
    """

    category: Category | None
    operations: int
    top_ups: int
    before: int
    letter: int
    saved: Mapping[str, int]
    several: int
    rest: int

    def per_top_up(self, count: int) -> float | None:
        """``count`` by the Commands to add credit; ``None`` if there was none."""
        return count / self.top_ups if self.top_ups else None


def costs(entries: Iterable[Entry]) -> list[Cost]:
    """One for each category that there is. What was refused was not carried out."""
    counters: dict[Category | None, Counter[str]] = {}
    for entry in entries:
        if entry.outcome is not Outcome.REFUSED:
            counters.setdefault(entry.category, Counter()).update(_counted(entry))
    return [
        Cost(
            category=category,
            operations=counters[category]["operations"],
            top_ups=counters[category]["top_ups"],
            before=counters[category]["before"],
            letter=counters[category]["letter"],
            saved={rule: counters[category][rule] for rule in EXCEPTIONS},
            several=counters[category]["several"],
            rest=counters[category]["rest"],
        )
        for category in (*Category, None)
        if category in counters
    ]


def _counted(entry: Entry) -> list[str]:
    """The counters that an operation raises."""
    question = entry.question()

    def is_level_3(edition: Edition) -> bool:
        return decide(question, edition).module_class is ModuleClass.LEVEL_3

    found = ["operations"]
    if (
        entry.purpose is Purpose.GENERATE_ADD_CREDIT_COMMAND
        and entry.operation == _ADDS_CREDIT
        and entry.outcome is Outcome.DONE
    ):
        found.append("top_ups")
    before = is_level_3(BEFORE_LETTER)
    if before:
        found.append("before")
    if is_level_3(LETTER):
        return [*found, "letter"]
    alone = [rule for rule, edition in _WITHOUT.items() if is_level_3(edition)]
    if alone:
        return found + alone
    if is_level_3(_WITHOUT_ALL):
        return [*found, "several"]
    return [*found, "rest"] if before else found
