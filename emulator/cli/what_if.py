"""``policy what-if``: a recorded ledger under the other edition."""

from __future__ import annotations

import argparse
from typing import Any

from dlms.words import normal, word
from emulator.cli import failures, options
from emulator.cli.ledger_source import add_filters, add_source, entries, opened, wanted
from emulator.cli.ledger_view import CATEGORY_TEXTS, PURPOSE_TEXTS, key_text
from emulator.cli.output import print_json, print_table
from emulator.ledger.what_if import ChangedGroup, WhatIf, what_if
from emulator.policy import EDITIONS
from emulator.policy.diff import Verdict
from emulator.policy.words import CATEGORIES

_COLUMNS = ("count", "who", "device", "for", "key", "recorded", "instead", "operations")


def add(commands: options.SubParsers) -> None:
    parser = commands.add_parser(
        "what-if", help="what another edition would have said of the operations in a ledger"
    )
    parser.add_argument(
        "--edition",
        type=normal,
        choices=tuple(EDITIONS),
        help="to replay under (default: the one under which it was not recorded)",
    )
    add_source(parser)
    add_filters(parser)
    options.add_json(parser)
    parser.set_defaults(run=lambda args: failures.guard(lambda: _what_if(args)))


def _what_if(args: argparse.Namespace) -> int:
    edition = None if args.edition is None else EDITIONS[args.edition]
    with opened(args) as source:
        found = what_if(entries(source, wanted(args)), edition)
    if args.json:
        print_json(_json(found))
        return failures.Exit.DONE
    print(f"{', '.join(found.recorded) or 'nothing'} -> {found.edition}")
    changed = found.class_changed + found.clause_changed
    print(
        f"{found.operations} operations: {found.class_changed} change the class,"
        f" {found.clause_changed} the clause only, {found.operations - changed} stay as they are"
    )
    if found.unlike:
        print(
            f"{len(found.unlike)} are recorded otherwise than their edition says today, the first"
            f" is entry {found.unlike[0]}"
        )
    if found.groups:
        print()
        print_table([_row(group) for group in found.groups], _COLUMNS)
    return failures.Exit.DONE


def _row(group: ChangedGroup) -> tuple[str, ...]:
    return (
        str(group.size),
        group.actor.value,
        CATEGORY_TEXTS[group.category],
        PURPOSE_TEXTS[group.purpose],
        key_text(group.key),
        _text(group.before),
        _text(group.after),
        ", ".join(f"{name} {count}" for name, count in group.operations.items()),
    )


def _text(verdict: Verdict) -> str:
    return f"{verdict.module_class.text}, {verdict.clause}"


def _json(found: WhatIf) -> dict[str, Any]:
    return {
        "recorded": list(found.recorded),
        "edition": found.edition,
        "operations": found.operations,
        "class_changed": found.class_changed,
        "only_clause_changed": found.clause_changed,
        "recorded_otherwise": list(found.unlike),
        "changes": [
            {
                "actor": word(group.actor),
                "category": next(w for w, c in CATEGORIES.items() if c is group.category),
                "purpose": word(group.purpose),
                "key": None if group.key is None else word(group.key),
                "count": group.size,
                "operations": group.operations,
                "before": _verdict_json(group.before),
                "after": _verdict_json(group.after),
            }
            for group in found.groups
        ],
    }


def _verdict_json(verdict: Verdict) -> dict[str, str]:
    return {
        "class": verdict.module_class.name,
        "class_text": verdict.module_class.text,
        "clause": verdict.clause,
    }
