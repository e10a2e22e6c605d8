"""``conform``: the catalogue of conformance checks, and reports of runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from emulator.cli import (
    conform_declare,
    conform_faults,
    conform_report,
    conform_run,
    failures,
    options,
)
from emulator.cli.output import print_json, print_table
from emulator.conformance import DISCLAIMER, Catalogue, Check, built_in
from emulator.conformance.catalogue.describing import facts, steps_of, to_json


def register(subparsers: options.SubParsers) -> None:
    conform = subparsers.add_parser(
        "conform", help="conformance checks: which there are, what each asks for; reports of runs"
    )
    whats = conform.add_subparsers(dest="what", metavar="WHAT", required=True)

    listing = whats.add_parser("list", help="every check, by group", description=DISCLAIMER)
    listing.add_argument("--group", metavar="G", help="those of one group, hdlc for example")
    options.add_json(listing)
    listing.set_defaults(run=lambda args: failures.guard(lambda: _list(args)))

    explain = whats.add_parser(
        "explain",
        help="one check: origin, evidence, clause, to whom it applies, steps, accepted answers",
        description=DISCLAIMER,
    )
    explain.add_argument("id", metavar="ID", help="an id or alias, or what several ids begin with")
    options.add_json(explain)
    explain.set_defaults(run=lambda args: failures.guard(lambda: _explain(args)))

    conform_declare.register(whats)
    conform_run.register(whats)
    conform_faults.register(whats)
    conform_report.register(whats)


def _list(args: argparse.Namespace) -> int:
    catalogue = built_in()
    checks = catalogue.of_group(args.group) if args.group else tuple(catalogue)
    if args.json:
        _print_json(checks)
        return failures.Exit.DONE
    for name, group in catalogue.words.groups.items():
        rows = [_row(one) for one in checks if one.group == name]
        if rows:
            print(f"{name}: {group.title} ({group.document})")
            print_table(rows, ("id", "origin", "severity", "title"))
            print()
    print(f"{len(checks)} checks. {DISCLAIMER}")
    return failures.Exit.DONE


def _row(check: Check) -> tuple[str, ...]:
    return check.id, check.origin.value, check.severity.value, check.title


def _explain(args: argparse.Namespace) -> int:
    catalogue = built_in()
    checks = catalogue.find(args.id)
    if args.json:
        _print_json(checks)
    elif len(checks) == 1:
        _print_check(checks[0], catalogue)
    else:
        _print_several(args.id, checks, catalogue)
    return failures.Exit.DONE


def _print_check(check: Check, catalogue: Catalogue) -> None:
    print_table([("id", check.id), *facts(check, catalogue.words)])
    print()
    for line in steps_of(check):
        print(line)
    print(f"\n{DISCLAIMER}")


def _print_several(name: str, checks: Sequence[Check], catalogue: Catalogue) -> None:
    families = catalogue.words.families
    says = next((one.says for key, one in families.items() if key.upper() == name.upper()), "")
    print(f"{name}: {says}" if says else f"{name}: {len(checks)} checks begin so")
    print_table([_row(one) for one in checks], ("id", "origin", "severity", "title"))
    print(f"\n{DISCLAIMER}")


def _print_json(checks: Sequence[Check]) -> None:
    print_json({"note": DISCLAIMER, "checks": [to_json(one) for one in checks]})
