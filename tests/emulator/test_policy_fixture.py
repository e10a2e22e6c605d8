"""The rule tables against the hand-written decisions, over the full product."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from enum import Enum
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from dlms.security.keys import KeyKind, KeyLifetime
from emulator.policy.decide import NoRuleError, decide, judge_key
from emulator.policy.decision import ModuleClass
from emulator.policy.editions import EDITIONS
from emulator.policy.question import Actor, Category, KeyUse, Purpose, Question
from emulator.policy.rule import Edition, Rule

FIXTURE = Path(__file__).parents[2] / "fixtures" / "policy" / "decisions.csv"

Coordinates = tuple[str, str, str, str, str]
"""Names of actor, purpose, category, kind of key, lifetime of key."""


class Row(NamedTuple):
    line: int
    edition: str
    boxes: tuple[frozenset[str], ...]
    module_class: str
    clause: str
    says: str
    paragraph: str


def names(enum: type[Enum]) -> tuple[str, ...]:
    return tuple(member.name for member in enum)


ACTORS, PURPOSES = names(Actor), names(Purpose)
CATEGORIES = (*names(Category), "NOT_SMETS1")
KINDS, LIFETIMES = names(KeyKind), names(KeyLifetime)
POINTS: tuple[Coordinates, ...] = tuple(
    (actor, purpose, category, kind, lifetime)
    for actor, purpose, category, (kind, lifetime) in product(
        ACTORS, PURPOSES, CATEGORIES, (("-", "-"), *product(KINDS, LIFETIMES))
    )
)


def expand(cell: str, universe: tuple[str, ...]) -> frozenset[str]:
    """``*``, ``A|B``, ``!A|B`` or ``-`` (see fixtures/policy/SOURCES.md)."""
    if cell == "*":
        return frozenset(universe)
    if cell == "-":
        return frozenset("-")
    named = frozenset(cell.removeprefix("!").split("|"))
    assert named <= frozenset(universe), f"unknown word in {cell!r}"
    return frozenset(universe) - named if cell.startswith("!") else named


@cache
def rows() -> tuple[Row, ...]:
    with FIXTURE.open(encoding="utf-8", newline="") as lines:
        return tuple(
            Row(
                line=line,
                edition=record["edition"],
                boxes=(
                    expand(record["actor"], ACTORS),
                    expand(record["purpose"], PURPOSES),
                    expand(record["category"], CATEGORIES),
                    expand(record["kind"], KINDS),
                    expand(record["lifetime"], LIFETIMES),
                ),
                module_class=record["class"],
                clause=record["clause"],
                says=record["says"],
                paragraph=record["paragraph"],
            )
            for line, record in enumerate(csv.DictReader(lines, strict=True), start=2)
        )


def matching(edition: str, point: Coordinates) -> list[Row]:
    return [
        row
        for row in rows()
        if row.edition == edition
        and all(name in box for name, box in zip(point, row.boxes, strict=True))
    ]


@cache
def expectations(edition: str) -> tuple[tuple[Question, KeyUse | None, Row], ...]:
    """Every point as a question, with the row that says what is right."""
    expected = []
    for point in POINTS:
        actor, purpose, category, kind, lifetime = point
        (row,) = matching(edition, point)
        key = None if kind == "-" else KeyUse(KeyKind[kind], KeyLifetime[lifetime])
        question = Question(
            actor=Actor[actor],
            purpose=Purpose[purpose],
            category=None if category == "NOT_SMETS1" else Category[category],
            keys=() if key is None else (key,),
        )
        expected.append((question, key, row))
    return tuple(expected)


def broken_rows(edition: Edition) -> set[int]:
    """Lines of the fixture that ``edition`` contradicts."""
    broken = set()
    for question, key, row in expectations(edition.name):
        try:
            found = judge_key(question, key, edition)
        except NoRuleError:
            broken.add(row.line)
            continue
        if (
            found.module_class.name != row.module_class
            or found.rule.clause != row.clause
            or found.rule.paragraph != row.paragraph
            or row.says not in found.why
        ):
            broken.add(row.line)
    return broken


def every_rule() -> list[tuple[Edition, Rule]]:
    return [(edition, rule) for edition in EDITIONS.values() for rule in edition.rules]


def rule_name(value: Edition | Rule) -> str:
    return value.id if isinstance(value, Rule) else value.name


def test_the_fixture_speaks_of_the_editions_there_are() -> None:
    assert {row.edition for row in rows()} == set(EDITIONS)


@pytest.mark.parametrize("edition", sorted(EDITIONS))
def test_every_point_lies_in_exactly_one_row(edition: str) -> None:
    assert len(POINTS) == 3 * 8 * 3 * (1 + 13 * 2)
    counts = Counter(len(matching(edition, point)) for point in POINTS)
    assert counts == {1: len(POINTS)}


@pytest.mark.parametrize("edition", sorted(EDITIONS))
def test_no_row_is_empty(edition: str) -> None:
    used = {matching(edition, point)[0].line for point in POINTS}
    assert used == {row.line for row in rows() if row.edition == edition}


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=rule_name)
def test_the_tables_say_what_the_fixture_says(edition: Edition) -> None:
    assert broken_rows(edition) == set()


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=rule_name)
def test_decide_says_what_the_fixture_says(edition: Edition) -> None:
    for question, key, row in expectations(edition.name):
        decision = decide(question, edition)
        assert (decision.module_class.name, decision.clause) == (row.module_class, row.clause)
        assert decision.deciding_key == key
        assert row.says in decision.why


@pytest.mark.parametrize(("edition", "rule"), every_rule(), ids=rule_name)
def test_no_rule_can_be_left_out(edition: Edition, rule: Rule) -> None:
    without = tuple(other for other in edition.rules if other is not rule)
    assert broken_rows(replace(edition, rules=without))


@pytest.mark.parametrize(("edition", "rule"), every_rule(), ids=rule_name)
def test_no_rule_can_have_another_class(edition: Edition, rule: Rule) -> None:
    for other_class in set(ModuleClass) - {rule.module_class}:
        changed = tuple(
            replace(other, module_class=other_class) if other is rule else other
            for other in edition.rules
        )
        assert broken_rows(replace(edition, rules=changed))


@pytest.mark.parametrize(("edition", "rule"), every_rule(), ids=rule_name)
def test_no_rule_can_have_another_clause(edition: Edition, rule: Rule) -> None:
    changed = tuple(
        replace(other, clause="G2.46") if other is rule else other for other in edition.rules
    )
    assert broken_rows(replace(edition, rules=changed))
