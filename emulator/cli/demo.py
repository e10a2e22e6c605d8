"""``demo``: five meters topped up over TLS, every operation tagged.

Every step is checked at the meter: the balance must have grown by exactly the amount, and the
supply must be armed. The exit status is 0 only if all of it really happened. Time stands still
meanwhile, so that nobody has used any credit in between.
"""

from __future__ import annotations

import argparse
import datetime as dt
import secrets
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from devices.profile import available, load
from emulator.cli import custody_options, failures, mqtt, options, recording
from emulator.cli.demo_head_end import head_end_for
from emulator.cli.ledger_view import print_ledger, print_shortfall
from emulator.cli.output import print_json, print_table
from emulator.custody import Mode
from emulator.custody.file import SOFTWARE
from emulator.database import Database
from emulator.head_end.party import client_titles
from emulator.head_end.services import HeadEnd, MeterStatus
from emulator.key_suites import suites_of_meters
from emulator.ledger import Ledger
from emulator.meter_address import MeterAddress
from emulator.module_file import ModuleFile
from emulator.sandbox import Sandbox
from emulator.virtual_clock import VirtualClock
from tls.pki import TestPki

INSTRUCTION = "arm_supply"
AMOUNT = Decimal("20.00")


class Result(NamedTuple):
    """What became of one meter; ``problem`` is empty if all went well."""

    meter: str
    manufacturer: str
    category: int
    way: str
    before: MeterStatus | None
    after: MeterStatus | None
    problem: str

    def to_json(self) -> dict[str, Any]:
        return {
            **self._asdict(),
            "before": _status_json(self.before),
            "after": _status_json(self.after),
        }


def register(subparsers: options.SubParsers) -> None:
    demo = subparsers.add_parser(
        "demo", help="five meters, one per manufacturer: read, top up, arm the supply, read again"
    )
    demo.add_argument(
        "--amount", type=options.pounds, default=AMOUNT, metavar="POUNDS", help=f"default: {AMOUNT}"
    )
    demo.add_argument(
        "--ledger",
        metavar="URL",
        help="record into this database, for example sqlite:///demo.db (default: nowhere)",
    )
    custody_options.add_custody(demo)
    options.add_keylog(demo)
    mqtt.add_mqtt(demo)
    options.add_json(demo)
    demo.set_defaults(run=lambda args: failures.run(_demo(args)))


async def _demo(args: argparse.Namespace) -> int:
    async with mqtt.ledger_published(args) as on_entry:
        if args.ledger is None:
            return await _demonstrate(args, Ledger(on_entry))
        with recording.recorded(Database(args.ledger), on_entry) as ledger:
            return await _demonstrate(args, ledger)


async def _demonstrate(args: argparse.Namespace, ledger: Ledger) -> int:
    with TemporaryDirectory(prefix="cosemlab-") as folder:
        results = await _visits(args, ledger, ModuleFile(Path(folder)))
    if args.json:
        print_json(
            {
                "mode": args.mode,
                "edition": args.edition,
                "meters": [result.to_json() for result in results],
                "ledger": [entry.to_json() for entry in ledger],
            }
        )
    else:
        _print(results, ledger, args)
    good = all(not result.problem for result in results)
    return failures.Exit.DONE if good else failures.Exit.FAILED


async def _visits(args: argparse.Namespace, ledger: Ledger, tokens: ModuleFile) -> list[Result]:
    pki = TestPki.create(now=dt.datetime.now(dt.UTC))
    fleet_secret = secrets.token_bytes(32)
    async with Sandbox(
        [load(name) for name in available()],
        pki=pki,
        fleet_secret=fleet_secret,
        client_titles=client_titles(),
        clock=VirtualClock(factor=0),
    ) as sandbox:
        meters = [running.address for running in sandbox.meters.values()]
        suites = suites_of_meters({meter.title: load(meter.name) for meter in meters})
        with head_end_for(pki, fleet_secret, suites, args, ledger, tokens) as head_end:
            return [await _visit(head_end, meter, args.amount) for meter in meters]


async def _visit(head_end: HeadEnd, meter: MeterAddress, pounds: Decimal) -> Result:
    """Do all of it at one meter, and look whether it happened."""
    profile = load(meter.name)
    before = after = None
    problem = ""
    try:
        before = await head_end.status(meter, profile)
        await head_end.top_up(meter, profile, pounds)
        await head_end.instruct(meter, profile, INSTRUCTION)
        after = await head_end.status(meter, profile)
    except Exception as error:
        if failures.status_of(error) is None:
            raise
        problem = failures.line_of(error)
    else:
        problem = _difference(before, after, pounds)
    return Result(
        meter.name, profile.manufacturer, profile.category, profile.top_up, before, after, problem
    )


def _difference(before: MeterStatus, after: MeterStatus, pounds: Decimal) -> str:
    if after.balance - before.balance != pounds:
        return f"balance grew by {after.balance - before.balance}, not by {pounds}"
    if after.supply != "armed":
        return f"supply is {after.supply}, not armed"
    return ""


def _status_json(status: MeterStatus | None) -> dict[str, str] | None:
    return None if status is None else {**status._asdict(), "balance": str(status.balance)}


def _print(results: list[Result], ledger: Ledger, args: argparse.Namespace) -> None:
    print(f"Five meters, one per manufacturer, on loopback TLS 1.2. Top-up: £{args.amount}.")
    print()
    rows = [
        (
            result.manufacturer,
            f"Category {result.category}",
            result.way,
            *_cells(result.before),
            *_cells(result.after),
            result.problem or "done",
        )
        for result in results
    ]
    header = (
        "meter", "device", "top-up by", "balance", "supply", "balance after", "supply after", "",
    )  # fmt: skip
    print_table(rows, header)
    print()
    print(f"Ledger, by the rules of edition {args.edition!r}, {args.mode} mode:")
    print()
    print_ledger(ledger)
    print()
    print_shortfall(ledger)
    if args.mode == Mode.OBSERVE.value and args.modules == SOFTWARE:
        print(
            "The only module here is software, which is honest about not being FIPS 140-2 Level 3:"
            "\nobserve mode lets it work and says where it was not enough; --mode enforce refuses."
        )


def _cells(status: MeterStatus | None) -> tuple[str, str]:
    return ("-", "-") if status is None else (f"£{status.balance:.2f}", status.supply)
