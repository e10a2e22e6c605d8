"""Options that several commands share. Nothing here is slow to import: every command is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from emulator.virtual_clock import ClockError, checked_factor

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

Run: TypeAlias = Callable[[argparse.Namespace], int]
"""A command: its exit status, from its arguments."""
Later: TypeAlias = Callable[[str, str], Run]
"""A command by its module and name, imported when it runs."""

WORKSPACE = Path(".cosemlab")
"""Where the sandbox keeps its keys and addresses unless it is said."""


def pounds(text: str) -> Decimal:
    """An amount on the command line."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of pounds")
    return amount


def factor(text: str) -> float:
    """How many times faster than in reality, on the command line."""
    try:
        return checked_factor(float(text))
    except ClockError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number from ``least`` to ``most`` on the command line."""

    def number(text: str) -> int:
        found = int(text)
        if not least <= found <= most:
            raise argparse.ArgumentTypeError(f"{found} is not in {least}..{most}")
        return found

    return number


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def add_workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workspace",
        type=Path,
        default=WORKSPACE,
        metavar="DIR",
        help=f"where the sandbox keeps its keys and addresses (default: {WORKSPACE})",
    )


def add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database",
        metavar="URL",
        help="where the DCC side keeps its ledger, keys, enrolments and inventory, for example"
        " postgresql+psycopg://host/name (default: a file of the workspace)",
    )


def add_keylog(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keylog",
        type=Path,
        metavar="FILE",
        help="append TLS session secrets to FILE, for Wireshark",
    )


def add_meter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("meter", help="name of the meter, as 'cosemlab up' prints it")
