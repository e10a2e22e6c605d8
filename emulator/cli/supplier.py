"""``supplier change``, ``try``, ``cease``: another supplier for a meter; suppliers' own systems."""

from __future__ import annotations

import argparse

from emulator.cli import failures, options, running
from emulator.cli.inventory import find, open_inventory
from emulator.cli.output import print_json, print_table
from emulator.enrolment.steps import EnrolmentError
from emulator.supplier.trying import SupplierClient
from emulator.workspace import Workspace


def register(subparsers: options.SubParsers) -> None:
    top = subparsers.add_parser(
        "supplier", help="who is responsible for a meter; suppliers' systems"
    )
    commands = top.add_subparsers(dest="what", metavar="WHAT", required=True)

    change = commands.add_parser(
        "change",
        help="change of supplier of an enrolled meter: the smart service goes on",
        description="Only the inventory changes; nothing is done to the meter. What a new customer"
        " needs besides, a new tariff say, are requests of the new supplier's.",
    )
    options.add_meter(change)
    change.add_argument("name", help="the new supplier")
    options.add_workspace(change)
    options.add_database(change)
    options.add_json(change)
    change.set_defaults(run=lambda args: failures.guard(lambda: _change(args)))

    tried = commands.add_parser(
        "try",
        help="the supplier's own system tries a meter with everything that it has",
        description="Each association, port, certificate and title. It is not the DCC, so nothing"
        " of it is tagged.",
    )
    options.add_meter(tried)
    options.add_workspace(tried)
    options.add_json(tried)
    tried.set_defaults(run=lambda args: failures.run(_try(args)))

    cease = commands.add_parser(
        "cease",
        help="a supplier's system is no more: it leaves the keys of its meters in an archive",
    )
    cease.add_argument("name", help="the supplier")
    options.add_workspace(cease)
    options.add_json(cease)
    cease.set_defaults(run=lambda args: failures.guard(lambda: _cease(args)))


def _change(args: argparse.Namespace) -> int:
    inventory = open_inventory(args)
    before = find(inventory, args.meter)
    Workspace(args.workspace).admit_supplier(args.name)
    after = inventory.change_supplier(before.device, args.name)
    return _print(args, {"meter": after.meter, "from": before.supplier, "to": after.supplier})


async def _try(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    meter, profile = running.find_meter(workspace, args.meter)
    installer = workspace.installer(meter.name)
    if not installer:
        raise EnrolmentError(f"{meter.name}: no supplier has installed it")
    client = SupplierClient(workspace.supplier(installer), workspace.pki.trust())
    attempts = await client.try_everything(meter, profile)
    if args.json:
        rows = [attempt.to_json() for attempt in attempts]
        print_json({"meter": meter.name, "supplier": installer, "attempts": rows})
        return failures.Exit.DONE
    print_table(
        [(a.association, a.way, a.title, a.why or "opened") for a in attempts],
        ("association", "way", "title", "outcome"),
    )
    return failures.Exit.DONE


def _cease(args: argparse.Namespace) -> int:
    """Of the meters that are up: of others it knows nothing here."""
    workspace = Workspace(args.workspace)
    system, archive = workspace.supplier(args.name), workspace.archive(args.name)
    left = []
    for name in workspace.meters():
        if workspace.installer(name) == args.name:
            meter, profile = running.find_meter(workspace, name)
            archive.put(system, profile, meter.title)
            left.append(name)
    workspace.cease(args.name)
    return _print(args, {"supplier": args.name, "archived": ", ".join(left)})


def _print(args: argparse.Namespace, shown: dict[str, str]) -> int:
    if args.json:
        print_json(shown)
    else:
        print_table(list(shown.items()))
    return failures.Exit.DONE
