"""What the letter changes."""

from __future__ import annotations

from itertools import product

from dlms.security.keys import KeyKind, KeyLifetime
from emulator.policy.decision import ModuleClass
from emulator.policy.diff import Change, Point, Verdict, diff, group, points
from emulator.policy.editions import BEFORE_LETTER, LETTER
from emulator.policy.question import Actor, Category, KeyUse, Purpose

CHANGES = diff(BEFORE_LETTER, LETTER)
BY_POINT = {change.point: change for change in CHANGES}


def point(
    actor: Actor, purpose: Purpose, category: Category | None, kind: KeyKind, lifetime: KeyLifetime
) -> Point:
    return Point(actor, purpose, category, KeyUse(kind, lifetime))


def test_the_product_is_complete() -> None:
    every = list(points())
    assert len(every) == len(set(every)) == 3 * 8 * 3 * (1 + 13 * 2)


def test_an_edition_does_not_differ_from_itself() -> None:
    assert diff(LETTER, LETTER) == ()


def test_only_operations_with_a_key_for_a_smets1_device_change() -> None:
    changed = {change.point for change in CHANGES}
    assert changed == {p for p in points() if p.category is not None and p.key is not None}


def test_the_change_of_one_point() -> None:
    change = BY_POINT[
        point(
            Actor.S1SP,
            Purpose.GENERATE_INSTRUCTION,
            Category.CATEGORY_2,
            KeyKind.DEDICATED,
            KeyLifetime.SINGLE_ASSOCIATION,
        )
    ]
    assert change.before == (ModuleClass.LEVEL_3, "G2.44")
    assert change.after == (ModuleClass.G2_45, "G2.44(c)(iii)")
    assert change.changes_class


def test_a_dco_stays_at_level_3_under_a_clause_of_its_own() -> None:
    change = BY_POINT[
        point(
            Actor.DCO,
            Purpose.GENERATE_INSTRUCTION,
            Category.CATEGORY_1,
            KeyKind.GUEK,
            KeyLifetime.LONG_LIVED,
        )
    ]
    assert change.after == (ModuleClass.LEVEL_3, "G2.44(a)")
    assert not change.changes_class


def test_backwards_is_the_mirror_image() -> None:
    mirrored = {Change(c.point, c.after, c.before) for c in CHANGES}
    assert set(diff(LETTER, BEFORE_LETTER)) == mirrored


def test_the_groups_are_a_partition_of_the_changes() -> None:
    ungrouped = []
    for box in group(CHANGES):
        boxed = [
            Change(
                Point(
                    actor,
                    purpose,
                    category,
                    None if kind is None or lifetime is None else KeyUse(kind, lifetime),
                ),
                box.before,
                box.after,
            )
            for actor, purpose, category, kind, lifetime in product(
                box.actors, box.purposes, box.categories, box.kinds, box.lifetimes
            )
        ]
        assert box.size == len(boxed)
        ungrouped += boxed
    assert len(ungrouped) == len(CHANGES)
    assert set(ungrouped) == set(CHANGES)


def test_groups_are_few_and_changes_of_class_come_first() -> None:
    groups = group(CHANGES)
    assert len(groups) <= 16
    same_class = [g.before.module_class is g.after.module_class for g in groups]
    assert same_class == sorted(same_class)


def test_an_operation_without_a_key_can_be_grouped_too() -> None:
    none, level_3 = Verdict(ModuleClass.NONE, "A1"), Verdict(ModuleClass.LEVEL_3, "G2.44")
    change = Change(Point(Actor.DCC, Purpose.OTHER, None, None), none, level_3)
    (box,) = group([change])
    assert box.kinds == {None}
    assert box.lifetimes == {None}
    assert box.categories == {None}
    assert box.size == 1
