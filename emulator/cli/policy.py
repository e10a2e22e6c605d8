"""``policy``: ask the rule table a question, print it, compare two editions."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dlms.security.keys import KeyKind, KeyLifetime
from dlms.words import normal, word, words
from emulator.cli import what_if
from emulator.cli.output import print_json, print_table
from emulator.policy.decide import decide, judge
from emulator.policy.decision import ModuleClass
from emulator.policy.diff import Verdict, diff, group, points
from emulator.policy.editions import BEFORE_LETTER, EDITIONS, LETTER
from emulator.policy.question import Actor, KeyUse, Purpose, Question
from emulator.policy.words import (
    CATEGORIES,
    category_text,
    category_words,
    key_text,
    kind_text,
    parse_key,
    set_text,
    set_words,
)

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register(subparsers: SubParsers) -> None:
    """Add the command ``policy`` with ``explain``, ``table``, ``diff`` and ``what-if``."""
    policy = subparsers.add_parser(
        "policy", help="which class of Cryptographic Module an operation asks for, and why"
    )
    commands = policy.add_subparsers(dest="policy_command", metavar="COMMAND", required=True)

    explain = commands.add_parser("explain", help="decide one operation and say why")
    _add_choice(explain, "--actor", words(Actor), required=True)
    _add_choice(explain, "--purpose", words(Purpose), required=True)
    _add_choice(explain, "--category", CATEGORIES, required=True)
    explain.add_argument(
        "--key",
        type=_key,
        action="append",
        default=[],
        metavar="KIND[:LIFETIME]",
        help=(
            f"a key that the operation touches, repeatable; KIND: {', '.join(words(KeyKind))}; "
            f"LIFETIME: {', '.join(words(KeyLifetime))} (default: long-lived, for a dedicated key "
            "single-association); without --key the operation touches no key"
        ),
    )
    _add_choice(explain, "--edition", EDITIONS, default=LETTER.name)
    explain.set_defaults(run=_run_explain)

    table = commands.add_parser("table", help="print the rules of an edition in their order")
    _add_choice(table, "--edition", EDITIONS, default=LETTER.name)
    table.set_defaults(run=_run_table)

    compare = commands.add_parser("diff", help="what one edition changes against another")
    _add_choice(compare, "--from", EDITIONS, default=BEFORE_LETTER.name, dest="from_edition")
    _add_choice(compare, "--to", EDITIONS, default=LETTER.name, dest="to_edition")
    compare.set_defaults(run=_run_diff)

    what_if.add(commands)

    for command in (explain, table, compare):
        command.add_argument("--json", action="store_true", help="print JSON")


def _add_choice(
    parser: argparse.ArgumentParser, option: str, choices: Iterable[str], **settings: Any
) -> None:
    parser.add_argument(option, type=normal, choices=tuple(choices), **settings)


def _key(text: str) -> KeyUse:
    try:
        return parse_key(text)
    except ValueError as error:
        # argparse prints the text of this error only, not that of a ValueError.
        raise argparse.ArgumentTypeError(str(error)) from error


def _run_explain(args: argparse.Namespace) -> int:
    edition = EDITIONS[args.edition]
    question = Question(
        actor=words(Actor)[args.actor],
        purpose=words(Purpose)[args.purpose],
        category=CATEGORIES[args.category],
        keys=tuple(args.key),
    )
    decision = decide(question, edition)
    judgements = judge(question, edition)
    if args.json:
        print_json(
            {
                "edition": edition.name,
                "question": {
                    "actor": args.actor,
                    "purpose": args.purpose,
                    "category": args.category,
                    "keys": [_key_json(key) for key in question.keys],
                },
                "decision": _class_json(decision.module_class, decision.clause)
                | {"why": decision.why, "deciding_key": _key_json(decision.deciding_key)},
                "judgements": [
                    {
                        "key": _key_json(judgement.key),
                        "rule": judgement.rule.id,
                        **_class_json(judgement.module_class, judgement.rule.clause),
                        "why": judgement.why,
                    }
                    for judgement in judgements
                ],
            }
        )
        return 0
    print_table(
        [
            ("class", decision.module_class.text),
            ("clause", decision.clause),
            ("why", decision.why),
            ("deciding key", key_text(decision.deciding_key)),
            ("edition", edition.name),
        ]
    )
    print()
    print_table(
        [
            (key_text(j.key), j.module_class.text, j.rule.clause, j.rule.id, j.why)
            for j in judgements
        ],
        header=("key", "class", "clause", "rule", "why"),
    )
    return 0


def _run_table(args: argparse.Namespace) -> int:
    edition = EDITIONS[args.edition]
    if args.json:
        print_json(
            {
                "edition": edition.name,
                "authority": edition.authority,
                "rules": [
                    {
                        "rule": rule.id,
                        "actors": set_words(Actor, rule.actors),
                        "purposes": set_words(Purpose, rule.purposes),
                        "categories": category_words(rule.categories),
                        "keys": set_words(KeyKind, rule.kinds),
                        "lifetimes": set_words(KeyLifetime, rule.lifetimes),
                        **_class_json(rule.module_class, rule.clause),
                        "why": rule.why,
                        "paragraph": rule.paragraph,
                    }
                    for rule in edition.rules
                ],
            }
        )
        return 0
    print(f"{edition.name}: {edition.authority}")
    print("The first rule that matches wins; between several keys, the strictest class.")
    print()
    columns = "rule actor purpose category key lifetime class clause paragraph"
    print_table(
        [
            (
                rule.id,
                set_text(Actor, rule.actors),
                set_text(Purpose, rule.purposes),
                category_text(rule.categories),
                kind_text(rule.kinds),
                set_text(KeyLifetime, rule.lifetimes),
                rule.module_class.text,
                rule.clause,
                rule.paragraph,
            )
            for rule in edition.rules
        ],
        header=columns.split(),
    )
    return 0


def _run_diff(args: argparse.Namespace) -> int:
    old, new = EDITIONS[args.from_edition], EDITIONS[args.to_edition]
    changes = diff(old, new)
    groups = group(changes)
    total = sum(1 for _ in points())
    of_class = sum(change.changes_class for change in changes)
    if args.json:
        print_json(
            {
                "from": old.name,
                "to": new.name,
                "points": total,
                "class_changed": of_class,
                "only_clause_changed": len(changes) - of_class,
                "changes": [
                    {
                        "actors": set_words(Actor, box.actors),
                        "purposes": set_words(Purpose, box.purposes),
                        "categories": category_words(box.categories),
                        "keys": set_words(KeyKind, box.kinds),
                        "lifetimes": set_words(KeyLifetime, box.lifetimes),
                        "points": box.size,
                        "before": _class_json(*box.before),
                        "after": _class_json(*box.after),
                    }
                    for box in groups
                ],
            }
        )
        return 0
    print(f"{old.name} -> {new.name}")
    print(
        f"{total} points: {of_class} change the class, {len(changes) - of_class} the clause only, "
        f"{total - len(changes)} stay as they are"
    )
    if not groups:
        return 0
    print()
    columns = "points actor purpose category key lifetime before after"
    print_table(
        [
            (
                str(box.size),
                set_text(Actor, box.actors),
                set_text(Purpose, box.purposes),
                category_text(box.categories),
                kind_text(box.kinds),
                set_text(KeyLifetime, box.lifetimes),
                _verdict_text(box.before),
                _verdict_text(box.after),
            )
            for box in groups
        ],
        header=columns.split(),
    )
    return 0


def _verdict_text(verdict: Verdict) -> str:
    return f"{verdict.module_class.text}, {verdict.clause}"


def _class_json(module_class: ModuleClass, clause: str) -> dict[str, object]:
    return {"class": module_class.name, "class_text": module_class.text, "clause": clause}


def _key_json(key: KeyUse | None) -> dict[str, str] | None:
    return None if key is None else {"kind": word(key.kind), "lifetime": word(key.lifetime)}
