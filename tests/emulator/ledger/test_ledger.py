"""The ledger: what is written down, how it is summed up, what it never holds."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from emulator.ledger import Entry, Ledger, LedgerError, Outcome
from emulator.policy import (
    LETTER,
    Actor,
    Category,
    ModuleClass,
    Purpose,
    Question,
    decide,
    key_uses,
)

MOMENT = dt.datetime(2026, 3, 1, 12, 0, 0, 7, dt.timezone(dt.timedelta(hours=1)))
METER = b"LGB\x47\0\0\0\4"
GUEK = KeyRef(METER, "s1sp", KeyKind.GUEK)
GAK = KeyRef(METER, "s1sp", KeyKind.GAK)
DEDICATED = KeyRef(METER, "s1sp", KeyKind.DEDICATED, KeyLifetime.SINGLE_ASSOCIATION, 3)


def write(ledger: Ledger, **changes: Any) -> None:
    """An entry that the policy has decided."""
    entry: dict[str, Any] = {
        "actor": Actor.S1SP,
        "device": "4C474247000004",
        "category": Category.CATEGORY_2,
        "operation": "Seal",
        "purpose": Purpose.GENERATE_INSTRUCTION,
        "keys": (GUEK, GAK),
        "module": "software",
        "emulated": False,
        "sufficient": False,
        "outcome": Outcome.DONE,
        "edition": LETTER.name,
        "mode": "observe",
        **changes,
    }
    if "decision" in entry:
        ledger.append(**entry)
        return
    question = Question(
        actor=entry["actor"],
        purpose=entry["purpose"],
        category=entry["category"],
        keys=key_uses(entry["keys"]),
    )
    ledger.append(decision=decide(question, LETTER), **entry)


def no_key() -> Any:
    question = Question(
        actor=Actor.S1SP,
        purpose=Purpose.GENERATE_INSTRUCTION,
        category=Category.CATEGORY_2,
        keys=(),
    )
    return decide(question, LETTER)


def test_entries_are_numbered_in_order() -> None:
    ledger = Ledger()
    assert len(ledger) == 0
    for operation in ("Seal", "Open", "Mac"):
        write(ledger, operation=operation)
    assert len(ledger) == 3
    assert [(entry.number, entry.operation) for entry in ledger] == [
        (1, "Seal"),
        (2, "Open"),
        (3, "Mac"),
    ]


def test_as_json() -> None:
    ledger = Ledger(now=lambda: MOMENT)
    write(ledger, keys=(DEDICATED, GAK), outcome=Outcome.REFUSED)
    (entry,) = ledger
    assert json.loads(json.dumps(entry.to_json())) == {
        "number": 1,
        "time": "2026-03-01T11:00:00.000007Z",
        "actor": "S1SP",
        "device": "4C474247000004",
        "category": "Category 2",
        "operation": "Seal",
        "purpose": "generate an Instruction",
        "keys": ["4C47424700000004/s1sp/DEDICATED v3", "4C47424700000004/s1sp/GAK"],
        "module_class": "LEVEL_3",
        "clause": "G2.44(c)",
        "why": (
            "The S1SP uses a SMETS1 Symmetric Key, the global authentication key (long-lived), "
            "with a Category 2 Device to generate an Instruction, and none of exceptions (i) to "
            "(iii) fits."
        ),
        "deciding_key": "global authentication key (long-lived)",
        "module": "software",
        "emulated": False,
        "sufficient": False,
        "outcome": "refused",
        "edition": "letter",
        "mode": "observe",
    }


def test_as_json_without_keys_and_category() -> None:
    ledger = Ledger()
    write(ledger, operation="Random", keys=(), category=None, sufficient=True)
    (entry,) = ledger
    shown = entry.to_json()
    assert shown["keys"] == []
    assert shown["category"] is None
    assert shown["deciding_key"] is None
    assert shown["module_class"] == "NONE"
    assert shown["sufficient"] is True


def test_summary_counts_what_was_judged_alike() -> None:
    ledger = Ledger()
    for operation in ("Seal", "Mac", "Seal"):
        write(ledger, operation=operation)
    write(ledger, purpose=Purpose.GENERATE_ADD_CREDIT_COMMAND, sufficient=True)
    write(ledger, operation="Random", keys=(), sufficient=True)
    summary = ledger.summary()
    assert [(group.module_class, group.clause, group.operations) for group in summary] == [
        (ModuleClass.LEVEL_3, "G2.44(c)", {"Mac": 1, "Seal": 2}),
        (ModuleClass.G2_45, "G2.44(c)(i)", {"Seal": 1}),
        (ModuleClass.NONE, "A1", {"Random": 1}),
    ]
    assert summary[0].actor is Actor.S1SP
    assert summary[0].category is Category.CATEGORY_2
    assert summary[0].purpose is Purpose.GENERATE_INSTRUCTION
    assert summary[0].deciding is KeyKind.GUEK
    assert not summary[0].sufficient
    assert summary[0].outcome is Outcome.DONE
    assert summary[2].deciding is None


def test_summary_keeps_apart_what_differs_in_any_way() -> None:
    """And puts it in an order, also where one group has what the other has not."""
    ledger = Ledger()
    variations: list[dict[str, Any]] = [
        {},
        {"actor": Actor.DCO},
        {"category": Category.CATEGORY_1},
        {"category": None},
        {"purpose": Purpose.PROCESS_RESPONSE},
        {"keys": (GAK,)},
        {"keys": ()},
        {"sufficient": True},
        {"outcome": Outcome.FAILED},
        {"outcome": Outcome.REFUSED},
    ]
    for changes in (*variations, *variations):
        write(ledger, **changes)
    summary = ledger.summary()
    assert len(summary) == len(variations)
    assert all(group.operations == {"Seal": 2} for group in summary)
    classes = [group.module_class for group in summary]
    assert classes == sorted(classes, reverse=True)


def test_the_summary_does_not_depend_on_the_order() -> None:
    forth, back = Ledger(), Ledger()
    changes: list[dict[str, Any]] = [{"actor": Actor.DCO}, {}, {"keys": ()}, {"sufficient": True}]
    for change in changes:
        write(forth, **change)
    for change in reversed(changes):
        write(back, **change)
    assert forth.summary() == back.summary()


def test_each_reason_once() -> None:
    ledger = Ledger()
    for _ in range(2):
        write(ledger)
        write(ledger, keys=())
    reasons = ledger.reasons()
    assert [clause for clause, _ in reasons] == ["A1", "G2.44(c)"]
    assert all(why.endswith(".") for _, why in reasons)


def test_an_empty_ledger() -> None:
    assert Ledger().summary() == []
    assert Ledger().reasons() == []


def test_the_question_can_be_asked_again() -> None:
    ledger = Ledger()
    write(ledger)
    write(ledger, operation="Discard", keys=(GUEK,), decision=no_key())
    sealed, discarded = ledger
    assert decide(sealed.question(), LETTER) == sealed.decision
    assert sealed.question().keys == key_uses((GUEK, GAK))
    assert discarded.question().keys == ()
    assert discarded.keys == (GUEK,)


def test_without_memory_it_counts_and_tells() -> None:
    told: list[Entry] = []
    ledger = Ledger(told.append, keep=False)
    write(ledger)
    write(ledger)
    assert len(ledger) == 2
    assert [entry.number for entry in told] == [1, 2]
    assert list(ledger) == []


async def test_in_memory_there_is_nothing_to_flush() -> None:
    ledger = Ledger()
    write(ledger)
    ledger.flush()
    await ledger.flushed()
    assert len(ledger) == 1


def test_what_the_sink_does_not_take_is_not_there() -> None:
    class Full:
        def put(self, entry: Entry) -> None:
            raise LedgerError("full")

        def flush(self) -> None:
            raise AssertionError

        async def flushed(self) -> None:
            raise AssertionError

    told: list[Entry] = []
    ledger = Ledger(told.append, sink=Full())
    with pytest.raises(LedgerError, match="full"):
        write(ledger)
    assert len(ledger) == 0
    assert told == list(ledger) == []
