"""``inventory list`` and ``show``: the Smart Metering Inventory."""

from __future__ import annotations

import argparse

from emulator.cli import failures, options
from emulator.cli.output import print_json, print_table
from emulator.enrolment.inventory import Entry, Inventory
from emulator.enrolment.steps import EnrolmentError
from emulator.workspace import Workspace


def register(subparsers: options.SubParsers) -> None:
    top = subparsers.add_parser("inventory", help="the Smart Metering Inventory of the DCC")
    commands = top.add_subparsers(dest="what", metavar="WHAT", required=True)
    listed = commands.add_parser("list", help="the devices and their SMI Status")
    show = commands.add_parser("show", help="one of them, with its history")
    show.add_argument("device", help="its Device ID, or what the meter is called here")
    for parser, run in ((listed, _list), (show, _show)):
        options.add_workspace(parser)
        options.add_database(parser)
        options.add_json(parser)
        parser.set_defaults(run=lambda args, run=run: failures.guard(lambda: run(args)))


def open_inventory(args: argparse.Namespace) -> Inventory:
    return Workspace(args.workspace).inventory(args.database)


def find(inventory: Inventory, name: str) -> Entry:
    """By Device ID or by the name of the meter. :class:`EnrolmentError` if there is none."""
    for entry in inventory.all():
        if name in (entry.device, entry.meter):
            return entry
    raise EnrolmentError(f"{name}: not in the Smart Metering Inventory")


def _list(args: argparse.Namespace) -> int:
    entries = open_inventory(args).all()
    if args.json:
        print_json({"devices": [entry.to_json() for entry in entries]})
        return failures.Exit.DONE
    names = ("device", "meter", "type", "manufacturer", "model", "firmware", "status", "supplier")
    print_table([tuple(str(e.to_json()[name]) for name in names) for e in entries], names)
    return failures.Exit.DONE


def _show(args: argparse.Namespace) -> int:
    inventory = open_inventory(args)
    entry = find(inventory, args.device)
    history = inventory.history(entry.device)
    if args.json:
        print_json({**entry.to_json(), "history": history})
        return failures.Exit.DONE
    print_table(list(entry.to_json().items()))
    print()
    print_table([tuple(row.values()) for row in history], ("when", "status", "supplier", "why"))
    return failures.Exit.DONE
