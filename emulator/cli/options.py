"""Options that several commands share, and what they make of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from devices.profile import Profile, profile_of
from dlms.security.keys import KeyRef
from emulator.cli import failures
from emulator.counter_file import FiledCounters, FiledTokenCounters
from emulator.custody import Custody, Mode
from emulator.handed_key_file import FiledHandedKeys
from emulator.head_end.assembly import assemble
from emulator.head_end.party import storage_key
from emulator.head_end.services import HeadEnd
from emulator.known_key_file import FiledKnownKeys
from emulator.ledger import Ledger
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.policy import EDITIONS, LETTER, Actor
from emulator.profiles import use_plugins
from emulator.sandbox import MeterAddress, suites_of_meters
from emulator.virtual_clock import ClockError, checked_factor
from emulator.workspace import DEFAULT, Workspace, WorkspaceError

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

Run: TypeAlias = Callable[[argparse.Namespace], int]
"""A command: its exit status, from its arguments."""


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
        help="the DCC side's database, as SQLAlchemy has it (default: dcc.db of the workspace)",
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


def custody(
    secrets: dict[str, bytes], args: Any, ledger: Ledger, suite_of: Callable[[KeyRef], int]
) -> Custody:
    """The door to the keys that come from the ``secrets`` of a party's scopes, of whose security
    suites ``suite_of`` knows.
    """
    return Custody(
        [SoftwareModule(KeyRing(secrets, suite_of))],
        EDITIONS[args.edition],
        Mode(args.mode),
        ledger,
    )


def head_end(
    workspace: Workspace,
    args: Any,
    ledger: Ledger,
    meter: MeterAddress,
    profile: Profile,
    more: Callable[[Actor], dict[str, bytes]] = lambda actor: {},
) -> HeadEnd:
    """Both parties with the workspace's certificates, keys and counters, for one meter. ``more``
    are secrets of further scopes that a party has.
    """
    file = workspace.counters
    suites = suites_of_meters({meter.title: profile})
    return assemble(
        lambda actor: custody(
            {**workspace.scope_secrets(actor), **more(actor)}, args, ledger, suites
        ),
        workspace.credential,
        workspace.pki.trust(),
        keylog=args.keylog,
        counters=partial(FiledCounters, file, floors=True),
        tokens=FiledTokenCounters(file),
        handed=lambda actor: FiledHandedKeys(workspace.handed_keys, storage_key(actor)),
        known=lambda actor: FiledKnownKeys(workspace.known_keys, storage_key(actor)),
    )
