"""Which ledger a command looks at, and which of its entries."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from dlms.words import normal, words
from emulator.cli import options
from emulator.database import Database
from emulator.ledger import Entry, LedgerError, Outcome
from emulator.ledger.exported import ExportedLedger
from emulator.ledger.filters import Filter
from emulator.ledger.record import entry_of
from emulator.ledger.store import LedgerStore
from emulator.policy import Actor, ModuleClass, Purpose
from emulator.policy.words import CATEGORIES
from emulator.workspace import DATABASE, Workspace

Source = LedgerStore | ExportedLedger


def add_source(parser: argparse.ArgumentParser) -> None:
    options.add_workspace(parser)
    options.add_database(parser)
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="a ledger that was exported as JSON, instead of one in a database",
    )


def add_filters(parser: argparse.ArgumentParser) -> None:
    _add_choice(parser, "--actor", words(Actor))
    parser.add_argument("--device", help="system title of a meter, hexadecimal", metavar="TITLE")
    _add_choice(parser, "--category", CATEGORIES)
    parser.add_argument("--operation", metavar="NAME", help="for example Seal, Open, Wrap")
    _add_choice(parser, "--purpose", words(Purpose))
    _add_choice(parser, "--class", words(ModuleClass), dest="module_class")
    parser.add_argument("--clause", help='for example "G2.44(c)(iii)"')
    parser.add_argument("--module", metavar="NAME", help="the Cryptographic Module that did it")
    _add_choice(parser, "--outcome", words(Outcome))
    parser.add_argument(
        "--insufficient", action="store_true", help="on a module that was not strong enough"
    )
    parser.add_argument("--since", type=_moment, metavar="TIME", help="ISO 8601; UTC if not said")
    parser.add_argument("--until", type=_moment, metavar="TIME", help="before that time")


def wanted(args: argparse.Namespace) -> Filter:
    category = None if args.category is None else CATEGORIES[args.category]
    return Filter(
        actor=_member(Actor, args.actor),
        device=None if args.device is None else args.device.upper(),
        category=category,
        smets1=args.category is None or category is not None,
        operation=args.operation,
        purpose=_member(Purpose, args.purpose),
        module_class=_member(ModuleClass, args.module_class),
        clause=args.clause,
        module=args.module,
        outcome=_member(Outcome, args.outcome),
        insufficient=args.insufficient,
        since=args.since,
        until=args.until,
    )


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Source]:
    """:class:`LedgerError` if there is none. A workspace is not made for that."""
    source: Source
    if args.file is not None:
        if args.database is not None:
            raise ValueError("--file and --database: a ledger is in one of them")
        source = ExportedLedger(args.file)
    elif args.database is not None:
        source = LedgerStore(_existing(args.database))
    elif (args.workspace / DATABASE).exists():
        source = LedgerStore(Workspace(args.workspace).database())
    else:
        raise LedgerError(
            f"no ledger in {args.workspace}: the commands that talk to meters write one"
        )
    try:
        yield source
    finally:
        source.close()


def _existing(url: str) -> Database:
    """To look at a file of SQLite's makes none, either."""
    try:
        parts = make_url(url)
    except ArgumentError:
        return Database(url)  # which says so
    file = parts.database
    if parts.get_backend_name() == "sqlite" and file and not Path(file).exists():
        raise LedgerError(f"no ledger in {file}")
    return Database(parts)


def entries(source: Source, only: Filter | None = None) -> Iterator[Entry]:
    """As they are stored, whether or not the chain holds."""
    for link in source.links(only):
        yield entry_of(link.number, link.record)


def _add_choice(
    parser: argparse.ArgumentParser, option: str, choices: Any, **settings: Any
) -> None:
    parser.add_argument(option, type=normal, choices=tuple(choices), **settings)


def _member(enum: type[Any], chosen: str | None) -> Any:
    return None if chosen is None else words(enum)[chosen]


def _moment(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in ISO 8601") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
