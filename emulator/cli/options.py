"""Options that several commands share, and what they make of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from devices.profile import Profile, profile_of
from emulator.cli import failures
from emulator.custody import Mode
from emulator.custody import file as custody_file
from emulator.database import Database
from emulator.ledger import Entry, Ledger
from emulator.ledger.store import LedgerStore
from emulator.ledger.writer import Writer
from emulator.meter_address import MeterAddress
from emulator.policy import EDITIONS, LETTER
from emulator.profiles import use_plugins
from emulator.virtual_clock import ClockError, checked_factor
from emulator.workspace import DEFAULT, Workspace, WorkspaceError

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

Run: TypeAlias = Callable[[argparse.Namespace], int]
"""A command: its exit status, from its arguments."""
Later: TypeAlias = Callable[[str, str], Run]
"""A command by its module and name, imported when it runs."""


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
        default=DEFAULT,
        metavar="DIR",
        help=f"where the sandbox keeps its keys and addresses (default: {DEFAULT})",
    )


def add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database",
        metavar="URL",
        help="where the DCC side keeps its ledger, keys, enrolments and inventory, for example"
        " postgresql+psycopg://host/name (default: a file of the workspace)",
    )


def add_custody(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=Mode.OBSERVE.value,
        help="enforce: refuse what no Cryptographic Module at hand is strong enough for",
    )
    parser.add_argument(
        "--edition",
        choices=list(EDITIONS),
        default=LETTER.name,
        help="rules by which operations are judged",
    )
    parser.add_argument(
        "--modules",
        default=custody_file.SOFTWARE,
        metavar="WHICH",
        help=f"{', '.join(custody_file.BUILT_IN)}, or a custody file: the Cryptographic Modules and"
        " who uses which (default: software)",
    )


@contextmanager
def recorded(
    database: Database, on_entry: Callable[[Entry], None] | None = None, *, keep: bool = True
) -> Iterator[Ledger]:
    """The ledger in a database, to be written by one command. All of it lasts when the block is
    left. :class:`~emulator.ledger.LedgerError` if it cannot be written.
    """
    with Writer(LedgerStore(database)) as writer:
        yield Ledger(on_entry, sink=writer, keep=keep)


def add_keylog(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keylog",
        type=Path,
        metavar="FILE",
        help="append TLS session secrets to FILE, for Wireshark",
    )


def add_meter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("meter", help="name of the meter, as 'cosemlab up' prints it")


def find_meter(workspace: Workspace, name: str) -> tuple[MeterAddress, Profile]:
    """The meter of a running sandbox. :class:`WorkspaceError` if there is none of that name."""
    meters = workspace.meters()
    if name not in meters:
        raise WorkspaceError(f"no meter {name!r}; there are: {', '.join(meters)}")
    say_plugins()
    return meters[name], profile_of(workspace.document(name))


def say_plugins() -> None:
    """Use the plug-ins that are installed; a line for each that is left out."""
    for error in use_plugins():
        failures.say(error)
