"""``keystore list``, ``import``, ``rewrap``, ``purge``: the keys that the head end stores."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from devices.profile import Profile
from dlms.security.keys import KeyRef
from dlms.security.ops import Discard, Step, Use
from emulator.cli import custody_options, failures, options, parties, running
from emulator.cli.output import print_json, print_table
from emulator.cli.rotate import PARTIES
from emulator.head_end.known_keys import Run
from emulator.head_end.party import SCOPES, storage_key
from emulator.keystore.importing import import_keys, read_key_file
from emulator.keystore.states import KeyState
from emulator.keystore.wrapping import Wrapping
from emulator.ledger import Ledger
from emulator.policy import Actor
from emulator.workspace import Workspace, WorkspaceError


def register(subparsers: options.SubParsers) -> None:
    keystore = subparsers.add_parser("keystore", help="the keys that the head end stores, wrapped")
    commands = keystore.add_subparsers(dest="what", metavar="WHAT", required=True)

    shown = commands.add_parser("list", help="each version of each key, and how it is; no key")
    options.add_workspace(shown)
    options.add_database(shown)
    options.add_json(shown)
    shown.set_defaults(run=lambda args: failures.guard(lambda: _list(args)))

    taken = commands.add_parser(
        "import", help="take over keys that meters have, from a file of wrapped ones"
    )
    taken.add_argument("file", type=Path, help="JSON (docs/keys.md)")
    _finish(taken)
    taken.set_defaults(run=lambda args: failures.run(_import(args)))

    rewrap = commands.add_parser(
        "rewrap",
        help="another wrapping key for the store of a party; go on if that was broken off",
    )
    _finish(rewrap)
    rewrap.set_defaults(run=lambda args: failures.run(_rewrap(args)))

    purge = commands.add_parser("purge", help="destroy the keys of a party that are retired")
    _finish(purge)
    purge.set_defaults(run=lambda args: failures.run(_purge(args)))


def _finish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--party", choices=tuple(PARTIES), default="s1sp", help="default: s1sp")
    options.add_workspace(parser)
    options.add_database(parser)
    custody_options.add_custody(parser)
    options.add_json(parser)


def _list(args: argparse.Namespace) -> int:
    rows = Workspace(args.workspace).key_store(args.database).rows()
    if args.json:
        print_json({"keys": [row.to_json() for row in rows]})
        return failures.Exit.DONE
    table = [
        [
            str(row.ref),
            row.ref.lifetime.name.lower().replace("_", " "),
            row.state.value,
            row.entered[row.state].isoformat(timespec="seconds"),
            row.kek or "-",
        ]
        for row in rows
    ]
    if table:
        print_table(table, ("key", "lives", "state", "since", "wrapped under"))
    else:
        print("no keys: all are those that the meters were made with")
    return failures.Exit.DONE


class _Custodian(NamedTuple):
    """What the commands to one party's keys share."""

    actor: Actor
    wrapping: Wrapping
    run: Run


@contextmanager
def _custodian(args: argparse.Namespace) -> Iterator[_Custodian]:
    workspace = Workspace(args.workspace)
    actor = PARTIES[args.party]
    profiles = _profiles(workspace)
    with parties.doors(workspace, args, Ledger(), profiles) as doors:
        custody = doors[actor].custody
        wrapping = parties.wrapping(workspace.key_store(args.database), actor, custody, profiles)
        errand = parties.store_errand(actor, wrapping.root, profiles)
        yield _Custodian(actor, wrapping, lambda step: custody.run(step, errand))


def _profiles(workspace: Workspace) -> Mapping[bytes, Profile]:
    """Those of the meters that are up; none if there is no sandbox."""
    try:
        found = [running.find_meter(workspace, name) for name in workspace.meters()]
    except WorkspaceError:
        return {}
    return {address.title: profile for address, profile in found}


async def _import(args: argparse.Namespace) -> int:
    with _custodian(args) as custodian:
        file = read_key_file(args.file, SCOPES[custodian.actor])
        kek = storage_key(custodian.actor)._replace(scope=file.kek)
        count = await import_keys(custodian.wrapping, file, kek, custodian.run)
        return _told(args, {"imported": count})


async def _rewrap(args: argparse.Namespace) -> int:
    with _custodian(args) as custodian:
        wrapping = custodian.wrapping
        if not wrapping.outdated():
            await wrapping.renew(custodian.run)
        count = await wrapping.rewrap(custodian.run)
        return _told(
            args, {"rewrapped": count, "under": str(await wrapping.current(custodian.run))}
        )


async def _purge(args: argparse.Namespace) -> int:
    with _custodian(args) as custodian:
        store = custodian.wrapping.store
        scopes = SCOPES[custodian.actor]
        retired = [
            row.ref
            for row in store.rows(states=(KeyState.RETIRED,))
            if row.ref.scope in scopes and row.ref.scope != custodian.wrapping.root.scope
        ]
        for ref in retired:
            await custodian.run(_discard(ref))
        store.destroy(retired)
        store.database.forget_erased()
        return _told(args, {"destroyed": len(retired)})


def _told(args: argparse.Namespace, result: dict[str, Any]) -> int:
    if args.json:
        print_json(result)
    else:
        print_table([(name, str(value)) for name, value in result.items()])
    return failures.Exit.DONE


def _discard(key: KeyRef) -> Step[None]:
    yield Discard(Use.TRANSFER_KEY, key)
