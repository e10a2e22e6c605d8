"""``read``, ``objects``, ``credit``, ``instruct``, ``keys``: one thing done to one meter."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

from devices.certificates import KINDS
from devices.profile import Profile
from devices.profile.model import AssociationRow
from dlms.axdr.data import Data
from dlms.cosem import catalogue, obis
from dlms.cosem.quantity import Quantity
from dlms.security.drive import run as run_step
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Step as CryptoStep
from emulator.cli import custody_options, failures, mqtt, options, parties, recording, running
from emulator.cli.ledger_view import print_ledger, print_shortfall
from emulator.cli.output import print_json, print_table
from emulator.cli.values import readable
from emulator.client import UnknownObject
from emulator.client.objects import instance_of
from emulator.client.targets import Span, Wanted
from emulator.control.client import ask
from emulator.database import Database
from emulator.enrolment.steps import Step
from emulator.enrolment.store import EnrolmentStore
from emulator.head_end.known_keys import KnownKeys
from emulator.head_end.party import ASSOCIATIONS, LISTENER, client_titles, storage_key
from emulator.head_end.services import HeadEnd, clock_time, payment_mode
from emulator.key_suites import suites_of
from emulator.keystore.holds import Holds
from emulator.keystore.known import StoredKnownKeys
from emulator.keystore.store import KeyStore
from emulator.keystore.wrapping import Wrapping
from emulator.meter_address import MeterAddress
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.provisioning import (
    ALERTS,
    PURPOSES,
    Fleet,
    client_title,
    has_pairs,
    public_key,
    registered_titles,
)
from emulator.workspace import CONTROL, Workspace

Command: TypeAlias = Callable[
    [argparse.Namespace, HeadEnd, MeterAddress, Profile], Awaitable[dict[str, object]]
]


def register(subparsers: options.SubParsers) -> None:
    read = subparsers.add_parser("read", help="read a meter's account, or one attribute")
    options.add_meter(read)
    read.add_argument("name", nargs="?", help="for example active_energy_import, or 1-0:1.8.0.255")
    read.add_argument("attribute", nargs="?", type=int, default=2, help="default: 2")
    read.add_argument("--since", type=_moment, metavar="TIME", help="rows of a profile, ISO 8601")
    read.add_argument("--until", type=_moment, metavar="TIME", help="rows of a profile, ISO 8601")
    read.add_argument("--rows", action="store_true", help="print a profile as a table")
    finish(read, _read)

    objects = subparsers.add_parser("objects", help="list the objects that the S1SP sees")
    options.add_meter(objects)
    finish(objects, _objects)

    credit = subparsers.add_parser("credit", help="add credit to a meter (S1SP)")
    options.add_meter(credit)
    credit.add_argument("pounds", type=options.pounds, metavar="POUNDS", help="for example 20.00")
    finish(credit, _credit)

    instruct = subparsers.add_parser("instruct", help="send an Instruction to a meter (DCO)")
    options.add_meter(instruct)
    instruct.add_argument("name", help="for example arm_supply, set_clock, set_payment_mode")
    instruct.add_argument(
        "argument",
        nargs="?",
        help="set_clock: ISO 8601 time or now; set_payment_mode: credit or prepayment",
    )
    finish(instruct, _instruct)

    keys = subparsers.add_parser(
        "keys", help="print the test keys of an association, for your own client"
    )
    options.add_meter(keys)
    keys.add_argument("association", help="for example s1sp, dco, reader")
    options.add_workspace(keys)
    options.add_database(keys)
    options.add_json(keys)
    keys.set_defaults(run=lambda args: failures.run(_keys(args)))


def finish(parser: argparse.ArgumentParser, command: Command) -> None:
    """The options of a command to one meter, and ``command`` to be run with them."""
    options.add_workspace(parser)
    options.add_database(parser)
    custody_options.add_custody(parser)
    options.add_keylog(parser)
    mqtt.add_mqtt(parser)
    options.add_json(parser)
    parser.add_argument("--ledger", action="store_true", help="print the ledger afterwards")
    parser.set_defaults(run=lambda args: failures.run(_with_meter(args, command)))


async def _with_meter(args: argparse.Namespace, command: Command) -> int:
    """Find the meter, run ``command``, print what it gives and the ledger if asked for."""
    workspace = Workspace(args.workspace)
    meter, profile = running.find_meter(workspace, args.meter)
    async with mqtt.ledger_published(args) as on_entry:
        with (
            recording.recorded(workspace.database(args.database), on_entry) as ledger,
            parties.head_end(workspace, args, ledger, meter, profile) as head_end,
        ):
            result = await command(args, head_end, meter, profile)
    if args.json:
        shown = {"ledger": [entry.to_json() for entry in ledger]} if args.ledger else {}
        print_json({"meter": meter.name, **result, **shown})
        return failures.Exit.DONE
    _show(result, getattr(args, "rows", False))
    if args.ledger:
        print()
        print_ledger(ledger)
        print_shortfall(ledger)
    return failures.Exit.DONE


async def _read(
    args: argparse.Namespace, head_end: HeadEnd, meter: MeterAddress, profile: Profile
) -> dict[str, object]:
    if args.name is None:
        status = await head_end.status(meter, profile)
        return {**status._asdict(), "balance": str(status.balance)}
    instance = instance_of(args.name)
    row = profile.objects.get(instance)
    if row is None:
        raise UnknownObject(f"{profile.name} has no object {obis.text(instance)}")
    table = row.interface_class
    wanted = Wanted(
        instance, args.attribute, table.class_id, table.version, Span(args.since, args.until)
    )
    value = await head_end.read(meter, profile, wanted)
    shown: dict[str, object] = {"object": obis.text(instance)}
    name = catalogue.name(instance)
    if name is not None:
        shown["name"] = name
    if isinstance(value, Quantity) and args.json:
        return {**shown, "value": str(value.value), "unit": str(value.unit)}
    return {**shown, "value": readable(value)}


async def _objects(
    args: argparse.Namespace, head_end: HeadEnd, meter: MeterAddress, profile: Profile
) -> dict[str, object]:
    rows = [
        {
            "object": entry.logical_name,
            "class": entry.class_id,
            "version": entry.version,
            "name": entry.name,
            "rights": entry.rights,
        }
        for entry in await head_end.objects(meter, profile)
    ]
    return {"objects": rows}


def _show(result: dict[str, object], rows: bool) -> None:
    """Print for people: objects, and rows if wanted, as a table; else a line for each part."""
    table = result.get("value" if rows else "objects")
    if isinstance(table, list) and table and isinstance(table[0], dict):
        print_table([tuple(map(str, row.values())) for row in table], tuple(table[0]))
        return
    print_table([(key.replace("_", " "), _line(part)) for key, part in result.items()])


def _line(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


async def _credit(
    args: argparse.Namespace, head_end: HeadEnd, meter: MeterAddress, profile: Profile
) -> dict[str, object]:
    way = await head_end.top_up(meter, profile, args.pounds)
    status = await head_end.status(meter, profile)
    return {"added": str(args.pounds), "by": way, "balance": str(status.balance)}


async def _instruct(
    args: argparse.Namespace, head_end: HeadEnd, meter: MeterAddress, profile: Profile
) -> dict[str, object]:
    argument = await _argument(args)
    actor = await head_end.instruct(meter, profile, args.name, argument)
    status = await head_end.status(meter, profile)
    return {
        "instruction": args.name,
        "through": actor.value,
        "payment_mode": status.payment_mode,
        "supply": status.supply,
    }


async def _argument(args: argparse.Namespace) -> Data | None:
    if args.argument is None:
        return None
    if args.name == "set_clock":
        text = args.argument
        if text == "now":  # as the sandbox has it
            text = (await ask(args.workspace / CONTROL, "clock"))["now"]
        return clock_time(dt.datetime.fromisoformat(text))
    if args.name == "set_payment_mode":
        return payment_mode(args.argument)
    raise ValueError(f"{args.name} takes no argument")


async def _keys(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    meter, profile = running.find_meter(workspace, args.meter)
    row = profile.associations.get(args.association)
    if row is None:
        known = ", ".join(profile.associations)
        raise ValueError(f"{profile.name} has no association {args.association!r}: {known}")
    ring, titles = installed(workspace, args.database, meter, profile)
    config = row.config
    shown: dict[str, str | int] = {
        "client_sap": config.client_sap,
        "server_sap": config.server_sap,
        "application_context": config.context.name,
        "mechanism": config.mechanism.name,
        "server_system_title": meter.title.hex().upper(),
    }
    client = registered_titles(profile, titles).get(row.name)
    if has_pairs(row):
        client = client_title(row, titles)
    if client is not None:
        shown["client_system_title"] = client.hex().upper()
    if row.security_setup is not None:
        shown["invocation_counter_object"] = f"0-0:43.1.{row.security_setup}.255"
        first = KeyKind.GBEK if config.broadcast else KeyKind.GUEK
        rotated = await in_force(
            workspace.key_store(args.database), workspace.holds, ring, meter.title, row.name
        )
        for kind in (first, KeyKind.GAK, KeyKind.KEK):
            key = ring.get(rotated.key(meter.title, row.name, kind))
            shown[kind.name.lower()] = key.hex().upper()
        if client is not None and has_pairs(row):
            shown |= _pairs(row, meter.title, client, ring, Fleet(workspace.fleet_secret))
    elif config.mechanism.name == "LLS":
        key = ring.get(KeyRef(meter.title, row.name, KeyKind.LLS_SECRET))
        shown["password"] = key.decode("ascii")
    if args.json:
        print_json(shown)
    else:
        print_table([(key.replace("_", " "), str(value)) for key, value in shown.items()])
    return failures.Exit.DONE


def installed(
    workspace: Workspace, database: str | None, meter: MeterAddress, profile: Profile
) -> tuple[KeyRing, dict[str, bytes]]:
    """The keys of a meter as it was installed, and the titles of its clients by association. What
    has been rotated since, :func:`in_force` adds.
    """
    ring = KeyRing(workspace.fleet_secret, suites_of(profile))
    titles = client_titles()
    installer = workspace.installer(meter.name)
    if installer:
        made = workspace.supplier(installer).installer
        ring.entrust(made.secrets)
        if not _is_enrolled(workspace.database(database), meter.title):
            titles |= made.titles()
    return ring, titles


async def in_force(
    store: KeyStore, holds: Holds, ring: KeyRing, title: bytes, scope: str
) -> KnownKeys:
    """The keys that a party has rotated, in ``ring``; those of nobody's association never are."""
    party = LISTENER if scope == ALERTS else ASSOCIATIONS.get(scope)
    if party is None:
        return KnownKeys()
    known = StoredKnownKeys(Wrapping(store, storage_key(party), lambda key: None), holds)
    module = SoftwareModule(ring)

    async def run(step: CryptoStep[Any]) -> Any:
        return run_step(step, module.execute)

    await known.recall(title, scope, run)
    return known


def _is_enrolled(database: Database, title: bytes) -> bool:
    """Whether the clients of its associations are the DCC's by now."""
    store = EnrolmentStore(database, partial(dt.datetime.now, dt.UTC))
    record = store.find(title)
    return record is not None and record.step >= Step.REGISTERED


def _pairs(
    row: AssociationRow, meter: bytes, client: bytes, ring: KeyRing, fleet: Fleet
) -> dict[str, str]:
    """The client's private keys, the meter's public keys, and certificates of all of them (DER)."""
    authority = fleet.authority(row.config.suite)
    shown = {"authority_certificate": authority.certificate}
    for purpose in PURPOSES:
        kind = KINDS[purpose]
        name = kind.name.lower().removesuffix("_key")
        shown[f"{name}_key"] = ring.get(KeyRef(client, row.name, kind))
        for party, title in (("client", client), ("meter", meter)):
            public = public_key(ring, title, row.name, purpose)
            shown[f"{party}_{name}_public"] = public
            shown[f"{party}_{name}_certificate"] = authority.issue(title, purpose, public)
    return {key: octets.hex().upper() for key, octets in shown.items()}
