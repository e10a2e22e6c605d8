"""``enrol plan``, ``run``, ``status``, ``resume``: meters move from their supplier to the DCC."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from emulator.cli import custody_options, failures, options, parties, recording, running
from emulator.cli.ledger_view import print_ledger, print_shortfall
from emulator.cli.output import print_json, print_table
from emulator.control.client import ask
from emulator.database import Database
from emulator.enrolment.authorisation import Authorisation, device_id, factory_firmware
from emulator.enrolment.case import Case, Former
from emulator.enrolment.eligibility import Ineligible, any_product, by_register
from emulator.enrolment.engine import enrol
from emulator.enrolment.inventory import Inventory
from emulator.enrolment.sources import KeySource, Refusing
from emulator.enrolment.steps import EnrolmentError, Kind, State
from emulator.enrolment.store import EnrolmentStore, Record
from emulator.ledger import Ledger
from emulator.products.store import ProductStore
from emulator.supplier.archive import Export
from emulator.supplier.trying import SupplierClient
from emulator.workspace import CONTROL, Workspace

_MOST_AT_ONCE = 64


def register(subparsers: options.SubParsers) -> None:
    top = subparsers.add_parser(
        "enrol", help="move meters from their supplier's own system to the DCC"
    )
    commands = top.add_subparsers(dest="what", metavar="WHAT", required=True)

    plan = commands.add_parser("plan", help="the supplier authorises the migration of its meters")
    _add_meters(plan, "default: all that a supplier has installed")
    plan.add_argument(
        "--dormant",
        action="store_true",
        help="the meter has lost its smart service: its keys come from the supplier's archive",
    )
    plan.add_argument(
        "--responsible",
        metavar="NAME",
        help="the supplier that the meter is to be registered for (default: that of its system)",
    )
    _finish(plan)
    plan.set_defaults(run=lambda args: failures.guard(lambda: _plan(args)))

    for name, help in (
        ("run", "enrol what is planned"),
        ("resume", "go on with what has failed or was broken off"),
    ):
        going = commands.add_parser(name, help=help)
        _add_meters(going, "default: all of them")
        going.add_argument(
            "--at-once",
            type=options.whole(1, _MOST_AT_ONCE),
            default=4,
            metavar="N",
            help="meters at a time (default: 4)",
        )
        _finish(going)
        going.add_argument(
            "--any-product",
            action="store_true",
            help="for laboratories: do not ask whether the model is on the Eligible list",
        )
        custody_options.add_custody(going)
        options.add_keylog(going)
        going.add_argument("--ledger", action="store_true", help="print the ledger afterwards")
        states = (State.PLANNED,) if name == "run" else (State.UNDER_WAY, State.FAILED)
        going.set_defaults(run=lambda args, states=states: failures.run(_go(args, states)))

    status = commands.add_parser("status", help="how far each enrolment is, and why it is not done")
    _add_meters(status, "default: all of them; of one, its history")
    _finish(status)
    status.set_defaults(run=lambda args: failures.guard(lambda: _status(args)))


def _add_meters(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("meters", nargs="*", metavar="METER", help=help)


def _finish(parser: argparse.ArgumentParser) -> None:
    options.add_workspace(parser)
    options.add_database(parser)
    options.add_json(parser)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _plan(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    database = workspace.database(args.database)
    store, inventory = EnrolmentStore(database, _now), Inventory(database, _now)
    installed = [name for name in workspace.meters() if workspace.installer(name)]
    records = []
    for name in args.meters or installed:
        meter, profile = running.find_meter(workspace, name)
        supplier = workspace.installer(name)
        if not supplier:
            raise EnrolmentError(f"{name}: no supplier has installed it; it is the DCC's already")
        paper = Authorisation(
            supplier=supplier,
            device=device_id(meter.title),
            kind=Kind.DORMANT if args.dormant else Kind.ACTIVE,
            manufacturer=profile.manufacturer,
            model=profile.model,
            firmware=factory_firmware(profile),
            serial=meter.serial,
            moment=_now().replace(microsecond=0),
        )
        records.append(store.plan(meter.title, name, paper))
        responsible = args.responsible or supplier
        workspace.admit_supplier(responsible)
        inventory.notify(paper.device, name, profile, paper.firmware, responsible)
    _show(args, records)
    return failures.Exit.DONE


async def _go(args: argparse.Namespace, states: tuple[State, ...]) -> int:
    workspace = Workspace(args.workspace)
    database = workspace.database(args.database)
    store = EnrolmentStore(database, _now)
    wanted = [record for record in _records(args, store) if record.state in states]
    if not wanted:
        raise EnrolmentError(f"nothing is {' or '.join(state.value for state in states)}")
    room = asyncio.Semaphore(args.at_once)
    say = _say_nothing if args.json else _say

    async def one(record: Record) -> Record:
        async with room:
            with _case(args, workspace, database, ledger, record) as case:
                return await enrol(case, asyncio.sleep, say)

    with recording.recorded(database) as ledger:
        records = list(await asyncio.gather(*map(one, wanted)))
    _show(args, records, ledger)
    done = all(record.state is State.ENROLLED for record in records)
    return failures.Exit.DONE if done else failures.Exit.FAILED


@contextmanager
def _case(
    args: argparse.Namespace,
    workspace: Workspace,
    database: Database,
    ledger: Ledger,
    record: Record,
) -> Iterator[Case]:
    meter, profile = running.find_meter(workspace, record.meter)
    system = workspace.supplier(record.supplier)
    kind = Authorisation.from_text(record.authorisation).kind
    source: KeySource = Export(system)
    if kind is Kind.DORMANT:
        source = workspace.archive(record.supplier)
    elif workspace.has_ceased(record.supplier):
        source = Refusing(f"the system of {record.supplier} has ceased: plan it as dormant")
    ineligible: Ineligible = any_product
    if not args.any_product:
        ineligible = by_register(ProductStore(database).register())
    with parties.head_end(
        workspace, args, ledger, meter, profile, more=system.transport_secrets
    ) as head_end:
        yield Case(
            record=record,
            meter=meter,
            profile=profile,
            head_end=head_end,
            former=Former(system.title, system.migration_credential()),
            source=source,
            prove=SupplierClient(system, workspace.pki.trust()).try_everything,
            store=EnrolmentStore(database, _now),
            inventory=Inventory(database, _now),
            ineligible=ineligible,
            true_time=partial(_true_time, workspace),
        )


async def _true_time(workspace: Workspace) -> dt.datetime:
    answer = await ask(workspace.path / CONTROL, "clock")
    return dt.datetime.fromisoformat(str(answer["now"]))


def _status(args: argparse.Namespace) -> int:
    store = EnrolmentStore(Workspace(args.workspace).database(args.database), _now)
    records = _records(args, store)
    if len(args.meters) == 1:
        (record,) = records
        history = store.history(record.title)
        if args.json:
            print_json({**record.to_json(), "history": history})
            return failures.Exit.DONE
        print_table([(key.replace("_", " "), str(v)) for key, v in record.to_json().items()])
        print()
        print_table([tuple(map(str, row.values())) for row in history], ("when", "step", "what"))
        return failures.Exit.DONE
    _show(args, records)
    return failures.Exit.DONE


def _records(args: argparse.Namespace, store: EnrolmentStore) -> list[Record]:
    """Those of the meters that were named, or all. :class:`EnrolmentError` if one is not there."""
    by_name = {record.meter: record for record in store.all()}
    for name in args.meters:
        if name not in by_name:
            raise EnrolmentError(f"{name}: its enrolment is not planned")
    return [by_name[name] for name in args.meters or by_name]


def _say(record: Record) -> None:
    error = f": {record.error}" if record.error else ""
    print(f"{record.meter}: {record.step.text}, {record.state.value}{error}")
    sys.stdout.flush()


def _say_nothing(record: Record) -> None:
    """For programs there is only the end."""


def _show(args: argparse.Namespace, records: list[Record], ledger: Ledger | None = None) -> None:
    rows = [record.to_json() for record in records]
    shown = ledger if getattr(args, "ledger", False) else None
    if args.json:
        entries = {} if shown is None else {"ledger": [entry.to_json() for entry in shown]}
        print_json({"enrolments": rows, **entries})
        return
    names = ("meter", "supplier", "kind", "step", "state", "attempts", "error")
    print_table([tuple(str(row[name]) for name in names) for row in rows], names)
    if shown is not None:
        print()
        print_ledger(shown)
        print_shortfall(shown)
