"""``ledger summary`` and ``ledger cost``: entries counted."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from emulator.cli import failures, options
from emulator.cli.ledger_source import add_filters, add_source, entries, opened, wanted
from emulator.cli.ledger_view import CATEGORY_TEXTS, CLASS_TEXTS
from emulator.cli.output import print_json, print_table
from emulator.ledger.cost import EXCEPTIONS, Cost, costs
from emulator.policy import ModuleClass
from emulator.policy.words import CATEGORIES


def add(commands: options.SubParsers) -> None:
    summary = commands.add_parser(
        "summary", help="count entries by actor, category, operation, class and clause"
    )
    add_source(summary)
    add_filters(summary)
    options.add_json(summary)
    summary.set_defaults(run=lambda args: failures.guard(lambda: _summary(args)))

    cost = commands.add_parser(
        "cost", help="how many Level 3 operations each exception of the letter saved"
    )
    add_source(cost)
    add_filters(cost)
    options.add_json(cost)
    cost.set_defaults(run=lambda args: failures.guard(lambda: _cost(args)))


def _summary(args: argparse.Namespace) -> int:
    counts: Counter[Any] = Counter()
    short = 0
    with opened(args) as source:
        for entry in entries(source, wanted(args)):
            decision = entry.decision
            category = next(w for w, c in CATEGORIES.items() if c is entry.category)
            counts[
                -decision.module_class, decision.clause, entry.actor.value, category,
                entry.operation,
            ] += 1  # fmt: skip
            short += not entry.sufficient
    rows = [
        {
            "class": ModuleClass(-negative).name,
            "clause": clause,
            "actor": actor,
            "category": category,
            "operation": operation,
            "count": count,
        }
        for (negative, clause, actor, category, operation), count in sorted(counts.items())
    ]
    classes = {
        one.name: sum(row["count"] for row in rows if row["class"] == one.name)
        for one in reversed(ModuleClass)
    }
    if args.json:
        total = counts.total()
        print_json({"entries": total, "insufficient": short, "classes": classes, "rows": rows})
        return failures.Exit.DONE
    if rows:
        print_table(
            [
                (
                    CLASS_TEXTS[ModuleClass[row["class"]]],
                    row["clause"],
                    row["actor"],
                    CATEGORY_TEXTS[CATEGORIES[row["category"]]],
                    row["operation"],
                    str(row["count"]),
                )
                for row in rows
            ],
            ("needs", "clause", "who", "device", "operation", "count"),
        )
        print()
    texts = (f"{CLASS_TEXTS[ModuleClass[name]]} {count}" for name, count in classes.items())
    print(f"{counts.total()} operations: {', '.join(texts)}")
    print(f"{short} of them on a module that was not strong enough.")
    return failures.Exit.DONE


def _cost(args: argparse.Namespace) -> int:
    with opened(args) as source:
        found = costs(entries(source, wanted(args)))
    if args.json:
        print_json([_cost_json(cost) for cost in found])
        return failures.Exit.DONE
    if not found:
        print("no entries")
        return failures.Exit.DONE
    labels = [CATEGORY_TEXTS[cost.category] for cost in found]
    rows = [
        ("operations", *(str(cost.operations) for cost in found)),
        ("Commands to add credit", *(str(cost.top_ups) for cost in found)),
        ("Level 3 before the letter", *(_cell(cost, cost.before) for cost in found)),
        *(
            (f"  saved by {text}", *(_cell(cost, cost.saved[rule]) for cost in found))
            for rule, text in EXCEPTIONS.items()
        ),
        ("  saved by several at once", *(_cell(cost, cost.several) for cost in found)),
        ("  saved without an exception", *(_cell(cost, cost.rest) for cost in found)),
        ("Level 3 by the letter", *(_cell(cost, cost.letter) for cost in found)),
    ]
    print_table(rows, ("count (per Command to add credit)", *labels))
    return failures.Exit.DONE


def _cell(cost: Cost, count: int) -> str:
    share = cost.per_top_up(count)
    return str(count) if share is None else f"{count} ({share:.1f})"


def _cost_json(cost: Cost) -> dict[str, Any]:
    counts = {
        "level_3_before_letter": cost.before,
        "level_3_letter": cost.letter,
        "saved": dict(cost.saved),
        "saved_by_several": cost.several,
        "saved_without_exception": cost.rest,
    }
    return {
        "category": next(w for w, c in CATEGORIES.items() if c is cost.category),
        "operations": cost.operations,
        "top_ups": cost.top_ups,
        **counts,
        "per_top_up": None if not cost.top_ups else _shares(cost, counts),
    }


def _shares(cost: Cost, counts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _shares(cost, part) if isinstance(part, dict) else cost.per_top_up(part)
        for name, part in counts.items()
    }
