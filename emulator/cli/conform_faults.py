"""``conform faults``: for each check what makes it fail."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from emulator.cli import failures, options
from emulator.cli.output import print_json, print_table
from emulator.conformance import DISCLAIMER, built_in
from emulator.conformance.planting import Planted
from emulator.conformance.planting import built_in as planted

HEAD_ENDS = "x-cli"

_MARKS = re.compile(r"(<!-- planted -->\n)(?:.*?\n)??(<!-- end of planted -->)", re.DOTALL)


def register(whats: options.SubParsers) -> None:
    faults = whats.add_parser(
        "faults",
        help="for each check the fault of the emulator that makes it fail",
        description=DISCLAIMER,
    )
    faults.add_argument(
        "--into", type=Path, metavar="FILE", help="write it into a Markdown file, between its marks"
    )
    options.add_json(faults)
    faults.set_defaults(run=lambda args: failures.guard(lambda: _faults(args)))


def _faults(args: argparse.Namespace) -> int:
    rows = planted()
    if args.into is not None:
        args.into.write_text(drawn_into(args.into.read_text("utf-8")), "utf-8")
    elif args.json:
        print_json({"note": DISCLAIMER, "planted": [_to_json(row) for row in rows]})
    else:
        print_table(
            [(check, row.name, row.row.help) for row in rows for check in row.checks],
            ("check", "fault", "what the device does wrong"),
        )
        left = without(rows)
        if left:
            print(f"\nNo fault makes these fail: {', '.join(left)}")
    return failures.Exit.DONE


def without(rows: tuple[Planted, ...]) -> list[str]:
    """The checks of meters with steps that nothing makes fail. Those of head ends are failed by
    careless head ends, which are no faults of the emulator's.
    """
    made = {check for row in rows for check in row.checks}
    return [
        check.id
        for check in built_in()
        if check.steps and check.id not in made and check.group != HEAD_ENDS
    ]


def drawn_into(text: str) -> str:
    """``text`` with the table between its marks."""
    lines = [
        "| check | fault | what the device does wrong | on | may fail besides |",
        "|---|---|---|---|---|",
    ]
    by_check = {check: row for row in planted() for check in row.checks}
    for check in built_in():
        row = by_check.get(check.id)
        if row is not None:
            also = ", ".join(f"`{one}`" for one in (*row.checks, *row.also) if one != check.id)
            lines.append(
                f"| `{check.id}` | `{row.name}` | {row.row.help} | {row.profile}, {row.way} |"
                f" {also} |"
            )
    body = "\n".join(lines)
    return _MARKS.sub(lambda match: f"{match[1]}\n{body}\n\n{match[2]}", text)


def _to_json(row: Planted) -> dict[str, object]:
    return {
        "name": row.name,
        "checks": list(row.checks),
        "also": list(row.also),
        "profile": row.profile,
        "way": row.way,
        **row.row.to_json(),
    }
