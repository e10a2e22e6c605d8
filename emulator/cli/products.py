"""``products``: the register of SMETS1 product combinations and its two published lists."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TypeAlias

from dlms.words import normal, word, words
from emulator.cli import failures, options, products_acts, products_lists, products_own
from emulator.database import Database
from emulator.products.combination import combination_id
from emulator.products.device_model import FIELDS
from emulator.products.errors import ProductsError
from emulator.products.store import ProductStore
from emulator.products.testing import ParticipantKind, Progress
from emulator.products.texts import text
from emulator.workspace import Workspace

Verb: TypeAlias = Callable[[ProductStore, argparse.Namespace], int]

_SAID = (Progress.NOT_REQUIRED, Progress.DEVELOPING, Progress.TESTING, Progress.FAILED)


def register(subparsers: options.SubParsers) -> None:
    command = subparsers.add_parser(
        "products",
        help="the register of SMETS1 product combinations, Eligible and Pending",
        description="list, show and history without --internal know nothing but what was "
        "published. Everything else is for the DCC, who keeps the register.",
    )
    verbs = command.add_subparsers(dest="verb", metavar="VERB", required=True)

    request = verbs.add_parser("request", help="a Testing Participant asks for testing (H14.36A)")
    _add_participant(request)
    _add_combination(request, required=True)
    request.add_argument(
        "--kind", type=normal, choices=words(ParticipantKind), default=word(ParticipantKind.PARTY)
    )
    request.add_argument(
        "--confidential", action="store_true", help="it has indicated that it be kept confidential"
    )
    _finish_act(request, products_acts.request)

    progress = verbs.add_parser("progress", help="how far development and testing have come")
    _add_id(progress)
    progress.add_argument("progress", type=normal, choices=[word(one) for one in _SAID])
    _add_participant(progress)
    _finish_act(progress, products_acts.progress)

    confidential = verbs.add_parser(
        "confidential", help="a Testing Participant indicates that it be kept confidential"
    )
    _add_id(confidential)
    _add_participant(confidential)
    confidential.add_argument("--lift", action="store_true", help="no longer")
    _finish_act(confidential, products_acts.confidential)

    eligible = verbs.add_parser("eligible", help="put it on the Eligible list")
    eligible.add_argument("id", nargs="?", type=_id, metavar="ID", help="or --csp and --model")
    _add_combination(eligible, required=False)
    eligible.add_argument(
        "--through", type=_id, metavar="ID", help="substantively equivalent, and tested instead"
    )
    _finish_act(eligible, products_acts.eligible)

    withdraw = verbs.add_parser("withdraw", help="a request, or an entry of the Eligible list")
    _add_id(withdraw)
    _add_participant(withdraw, required=False, help="whose request; else it is the entry")
    _finish_act(withdraw, products_acts.withdraw)

    taken = verbs.add_parser("import", help="an Eligible list or requests from CSV, all or nothing")
    taken.add_argument("file", type=Path, metavar="FILE")
    _finish_act(taken, products_acts.take)

    _finish_act(verbs.add_parser("seed", help="write example data"), products_acts.seed)

    publish = verbs.add_parser("publish", help="both lists as CSV, JSON and HTML")
    publish.add_argument("--out", type=Path, required=True, metavar="DIR")
    when = publish.add_mutually_exclusive_group()
    _add_on(when)
    when.add_argument(
        "--as-of", type=_day, metavar="DATE", help="again what was in force then, from the history"
    )
    _finish(publish, products_lists.publish)

    listed = verbs.add_parser("list", help="the lists as they were published")
    listed.add_argument("--find", metavar="TEXT", help="only combinations with this text")
    listed.add_argument("--as-of", type=_day, metavar="DATE", help="as they were on that day")
    _finish_view(listed, products_lists.listed, products_own.listed)

    show = verbs.add_parser("show", help="one combination, and since when it is on which list")
    _add_id(show)
    _finish_view(show, products_lists.show, products_own.show)

    history = verbs.add_parser("history", help="the versions of the lists and what they changed")
    _finish_view(history, products_lists.history, products_own.history)


def _finish_view(parser: argparse.ArgumentParser, public: Verb, own: Verb) -> None:
    parser.add_argument("--internal", action="store_true", help="the DCC's own view: all there is")
    _finish(parser, lambda store, args: (own if args.internal else public)(store, args))


def _finish_act(parser: argparse.ArgumentParser, run: Verb) -> None:
    _add_on(parser)
    _finish(parser, run)


def _finish(parser: argparse.ArgumentParser, run: Verb) -> None:
    options.add_workspace(parser)
    parser.add_argument(
        "--database", metavar="URL", help="where the register is (default: in the workspace)"
    )
    options.add_json(parser)

    def verb(args: argparse.Namespace) -> int:
        with _opened(args) as database:
            return run(ProductStore(database), args)

    parser.set_defaults(run=lambda args: failures.guard(lambda: verb(args)))


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[Database]:
    if args.database is None:
        database = Workspace(args.workspace).database()
    else:
        database = Database(args.database)
    try:
        yield database
    finally:
        database.close()


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=_id, metavar="ID", help="number of a combination: DMC-...")


def _add_participant(
    parser: argparse.ArgumentParser, required: bool = True, help: str = "the Testing Participant"
) -> None:
    parser.add_argument("--participant", type=_text, required=required, metavar="NAME", help=help)


def _add_combination(parser: argparse.ArgumentParser, required: bool) -> None:
    parser.add_argument(
        "--csp", required=required, metavar="NAME", help="communications service provider"
    )
    parser.add_argument(
        "--model",
        nargs=len(FIELDS),
        action="append",
        default=None,
        required=required,
        metavar=("TYPE", "MANUFACTURER", "MODEL", "HARDWARE", "FIRMWARE"),
        help="a Device Model of it; repeatable",
    )


def _add_on(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--on", type=_day, metavar="DATE", help="the day it is of (default: today)")


def _id(given: str) -> str:
    return _checked(combination_id, given)


def _text(given: str) -> str:
    return _checked(lambda value: text(value, "the name"), given)


def _checked(check: Callable[[str], str], given: str) -> str:
    try:
        return check(given)
    except ProductsError as error:
        # argparse prints the text of this error only.
        raise argparse.ArgumentTypeError(str(error)) from None


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{given!r} is no date like 2019-03-26") from None
