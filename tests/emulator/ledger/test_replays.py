"""What another edition would have said, and what each exception saves."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.ledger import Entry, LedgerError, Outcome
from emulator.ledger.cost import EXCEPTIONS, costs, without
from emulator.ledger.what_if import other_edition, what_if
from emulator.policy import (
    BEFORE_LETTER,
    EDITIONS,
    LETTER,
    Actor,
    Category,
    ModuleClass,
    Purpose,
    Question,
    decide,
    key_uses,
)
from emulator.policy.diff import points

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
METER = b"LGB\x47\0\0\0\4"
GUEK, GAK, KEK = (KeyRef(METER, "s1sp", kind) for kind in (KeyKind.GUEK, KeyKind.GAK, KeyKind.KEK))
DEDICATED = KeyRef(METER, "s1sp", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION)
PAIR = KeyRef(METER, "s1sp", KeyKind.SIGNING_KEY)


def entry(*keys: KeyRef, edition: Any = LETTER, number: int = 1, **changes: Any) -> Entry:
    said: dict[str, Any] = {
        "actor": Actor.S1SP,
        "category": Category.CATEGORY_2,
        "purpose": Purpose.GENERATE_INSTRUCTION,
        "operation": "Seal",
        "outcome": Outcome.DONE,
        **changes,
    }
    asked = {name: said[name] for name in ("actor", "category", "purpose")}
    decision = decide(Question(keys=key_uses(keys), **asked), edition)
    return Entry(
        number=number,
        time=NOW,
        device=METER.hex().upper(),
        keys=keys,
        decision=decision,
        module="software",
        emulated=False,
        sufficient=decision.module_class <= ModuleClass.G2_45,
        edition=edition.name,
        mode="observe",
        **said,
    )


# What if ------------------------------------------------------------------------------------------


def test_what_changes_is_counted_in_groups() -> None:
    entries = [
        entry(DEDICATED),
        entry(DEDICATED),
        entry(DEDICATED, operation="Mac"),
        entry(GUEK, GAK),
        entry(operation="Random"),
    ]
    found = what_if(entries)
    assert (found.recorded, found.edition, found.operations) == (("letter",), "before-letter", 5)
    assert (found.class_changed, found.clause_changed, found.unlike) == (3, 1, ())
    first, second = found.groups
    assert first.operations == {"Mac": 1, "Seal": 2}
    assert (first.size, first.key, first.changes_class) == (3, KeyKind.DEDICATED, True)
    assert first.before == (ModuleClass.G2_45, "G2.44(c)(iii)")
    assert first.after == (ModuleClass.LEVEL_3, "G2.44")
    assert (second.size, second.key, second.changes_class) == (1, KeyKind.GUEK, False)


def test_the_other_way_round() -> None:
    found = what_if([entry(DEDICATED, edition=BEFORE_LETTER)])
    assert (found.recorded, found.edition) == (("before-letter",), "letter")
    (group,) = found.groups
    assert group.before.module_class is ModuleClass.LEVEL_3
    assert group.after == (ModuleClass.G2_45, "G2.44(c)(iii)")


def test_recorded_under_both_it_must_be_said() -> None:
    entries = [entry(DEDICATED), entry(DEDICATED, edition=BEFORE_LETTER)]
    with pytest.raises(LedgerError, match="recorded under before-letter, letter: say under which"):
        what_if(entries)
    found = what_if(entries, LETTER)
    assert found.class_changed == 1
    assert found.recorded == ("before-letter", "letter")
    with pytest.raises(LedgerError, match="recorded under no edition"):
        other_edition([])


@pytest.mark.parametrize(
    "changes",
    [
        {"edition": "of somebody else"},
        {"decision": decide(entry(GUEK).question(), BEFORE_LETTER)},
        {"keys": (KEK,)},
        {"category": Category.CATEGORY_1},
    ],
)
def test_what_its_edition_does_not_say(changes: dict[str, Any]) -> None:
    entries = [entry(GUEK), entry(GUEK, number=2)._replace(**changes), entry(GUEK, number=3)]
    assert what_if(entries, LETTER).unlike == (2,)


def test_other_words_are_no_other_decision() -> None:
    one = entry(GUEK)
    said = one._replace(decision=replace(one.decision, why="Because."))
    assert what_if([said]).unlike == ()


# Cost ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "where"),
    [
        (entry(GUEK, GAK, purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND), "c-i"),
        (entry(GUEK, GAK, category=Category.CATEGORY_1), "c-ii"),
        (entry(DEDICATED), "c-iii"),
        (entry(KEK, purpose=Purpose.STORE_ENCRYPTED_KEY, operation="Store"), "store-encrypted"),
        (
            entry(KEK, purpose=Purpose.STORE_ENCRYPTED_KEY, actor=Actor.DCO, operation="Store"),
            "store-encrypted",
        ),
        # (iii) would except it if (i) did not, and the other way round.
        (entry(DEDICATED, purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND), "several"),
        (entry(PAIR), "rest"),
        (entry(GUEK, GAK), "letter"),
        (entry(DEDICATED, GAK), "letter"),
        (entry(DEDICATED, actor=Actor.DCO), "letter"),
        (entry(DEDICATED, category=None), "letter"),
        (entry(operation="Random"), "nowhere"),
    ],
)
def test_where_an_operation_counts(recorded: Entry, where: str) -> None:
    (cost,) = costs([recorded])
    counts = {**cost.saved, "several": cost.several, "rest": cost.rest, "letter": cost.letter}
    assert {name for name, count in counts.items() if count} == {where} - {"nowhere"}
    assert cost.before == (where != "nowhere")
    assert cost.operations == 1
    assert cost.category is recorded.category


def test_by_category_and_by_top_up() -> None:
    top_up = entry(GUEK, GAK, purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND)
    entries = [
        top_up,
        top_up,
        top_up._replace(operation="Mac"),  # a token: not the Command
        top_up._replace(outcome=Outcome.FAILED),
        entry(DEDICATED),
        entry(GUEK, category=Category.CATEGORY_1),
    ]
    first, second = costs(entries)
    assert (first.category, first.top_ups, first.per_top_up(1)) == (Category.CATEGORY_1, 0, None)
    assert (second.operations, second.top_ups) == (5, 2)
    assert dict(second.saved) == {"c-i": 4, "c-ii": 0, "c-iii": 1, "store-encrypted": 0}
    assert second.per_top_up(second.saved["c-i"]) == 2.0


def test_what_was_refused_was_not_carried_out() -> None:
    assert costs([entry(GUEK, outcome=Outcome.REFUSED)]) == []


def test_nothing_is_counted_twice_nor_left_out() -> None:
    """Over every question with at most one key, and every pair of keys that are in the demo."""
    for actor, purpose, category, key in points():
        keys = () if key is None else (KeyRef(METER, "any", key.kind, key.lifetime),)
        for more in ((), (GAK,), (DEDICATED,)) if keys else ((),):
            recorded = entry(
                *keys, *more, actor=actor, purpose=purpose, category=category, operation="Open"
            )
            (cost,) = costs([recorded])
            saved = sum(cost.saved.values())
            assert cost.before == cost.letter + saved + cost.several + cost.rest, recorded


def test_an_edition_without_rules() -> None:
    less = without(LETTER, EXCEPTIONS)
    assert [rule.id for rule in LETTER.rules if rule not in less.rules] == [
        "store-encrypted", "c-i", "c-ii", "c-iii",
    ]  # fmt: skip
    assert less.name not in EDITIONS
