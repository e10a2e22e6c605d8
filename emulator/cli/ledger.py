"""``ledger``: look at what was recorded, verify it, take its head, export it."""

from __future__ import annotations

import argparse
import json
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from emulator.cli import failures, ledger_sums, options
from emulator.cli.ledger_source import add_filters, add_source, entries, opened, wanted
from emulator.cli.ledger_view import CATEGORY_TEXTS, CLASS_TEXTS, PURPOSE_TEXTS
from emulator.cli.output import print_json, print_table
from emulator.ledger import Entry, LedgerError
from emulator.ledger.chain import Head, head_from
from emulator.ledger.entry import time_text
from emulator.ledger.exported import write_csv, write_json

_COLUMNS = (
    "number", "time", "who", "device", "", "operation", "for", "needs", "clause", "module",
    "enough", "outcome",
)  # fmt: skip


def register(subparsers: options.SubParsers) -> None:
    ledger = subparsers.add_parser(
        "ledger", help="what was recorded of the DCC side's cryptographic operations"
    )
    commands = ledger.add_subparsers(dest="what", metavar="WHAT", required=True)

    listing = commands.add_parser("list", help="print entries")
    add_source(listing)
    add_filters(listing)
    listing.add_argument(
        "--last", type=options.whole(1, 1_000_000), metavar="N", help="only the last N of them"
    )
    options.add_json(listing)
    listing.set_defaults(run=lambda args: failures.guard(lambda: _list(args)))

    verify = commands.add_parser(
        "verify",
        help="go along the chain of hashes",
        description="Without a head that was kept elsewhere nobody can tell whether entries are"
        " cut off at the end.",
    )
    add_source(verify)
    known = verify.add_mutually_exclusive_group()
    known.add_argument(
        "--head", type=Path, metavar="FILE", help="'ledger head --json' of an earlier moment"
    )
    known.add_argument(
        "--after", type=Path, metavar="FILE", help="the same; verify only what came after it"
    )
    options.add_json(verify)
    verify.set_defaults(run=lambda args: failures.guard(lambda: _verify(args)))

    head = commands.add_parser("head", help="print number and hash of the last entry")
    add_source(head)
    options.add_json(head)
    head.set_defaults(run=lambda args: failures.guard(lambda: _head(args)))

    export = commands.add_parser("export", help="write all entries, as they are hashed, to a file")
    add_source(export)
    form = export.add_mutually_exclusive_group(required=True)
    form.add_argument("--csv", type=Path, metavar="FILE", help="a table")
    form.add_argument("--json", type=Path, metavar="FILE", help="what --file takes")
    export.set_defaults(run=lambda args: failures.guard(lambda: _export(args)))

    ledger_sums.add(commands)


def _list(args: argparse.Namespace) -> int:
    with opened(args) as source:
        found: Iterable[Entry] = entries(source, wanted(args))
        if args.last is not None:
            found = deque(found, args.last)
        found = list(found)
    if args.json:
        print_json([entry.to_json() for entry in found])
    elif found:
        print_table([_row(entry) for entry in found], _COLUMNS)
    else:
        print("no entries")
    return failures.Exit.DONE


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        str(entry.number),
        time_text(entry.time),
        entry.actor.value,
        entry.device,
        CATEGORY_TEXTS[entry.category],
        entry.operation,
        PURPOSE_TEXTS[entry.purpose],
        CLASS_TEXTS[entry.decision.module_class],
        entry.decision.clause,
        entry.module + (" (emulated)" if entry.emulated else ""),
        "yes" if entry.sufficient else "NO",
        entry.outcome.value,
    )


def _verify(args: argparse.Namespace) -> int:
    path = args.head or args.after
    known = None if path is None else _read_head(path)
    with opened(args) as source:
        head = source.verify(known, since=args.after is not None)
    if args.json:
        print_json({"verified": True, "known_head": known and known.to_json(), **head.to_json()})
        return failures.Exit.DONE
    begin = 1 if known is None or args.after is None else known.number + 1
    if begin > head.number:
        print(f"ledger {head.ledger}: nothing after entry {head.number}")
    else:
        print(f"ledger {head.ledger}: entries {begin} to {head.number} are as they were written")
    if known is None:
        print("Whether entries are cut off at the end cannot be told without a head (--head).")
    return failures.Exit.DONE


def _read_head(path: Path) -> Head:
    try:
        return head_from(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from None
    except (LedgerError, ValueError) as error:
        raise LedgerError(f"{path}: {error}") from None


def _head(args: argparse.Namespace) -> int:
    with opened(args) as source:
        head = source.head()
    if args.json:
        print_json(head.to_json())
    else:
        print_table([(name, str(value)) for name, value in head.to_json().items()])
    return failures.Exit.DONE


def _export(args: argparse.Namespace) -> int:
    with opened(args) as source:
        path = args.csv or args.json
        try:
            if args.csv is not None:
                count = write_csv(path, source.links())
            else:
                count = write_json(path, source.links(), source.head().ledger)
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror}") from None
    print(f"{path}: {count} entries")
    return failures.Exit.DONE
