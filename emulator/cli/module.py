"""``module``: the tokens in which the parties have their keys."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from emulator.cli import failures, options
from emulator.cli.output import print_json, print_table
from emulator.head_end.party import ASSOCIATIONS
from emulator.module_file import ModuleFile, ModuleFileError, TokenRow
from emulator.policy import Actor, ModuleClass
from emulator.workspace import Workspace

_INIT = """\
Without --library a token of SoftHSM is made for each party, in the workspace, with a random PIN in
a file that only its owner may read. With --library the token of a vendor is taken as it is: name it
by --label or --serial, and say where its PIN is. Either way the secrets of the party's own scopes
go into it, and a key is generated in it that wraps the keys that are kept beside it. To do it again
adds what is missing and replaces nothing."""


def register(subparsers: options.SubParsers) -> None:
    module = subparsers.add_parser(
        "module", help="the tokens (PKCS#11) in which the parties have their keys"
    )
    whats = module.add_subparsers(dest="what", metavar="WHAT", required=True)

    listing = whats.add_parser("list", help="which token each party has; none of them is opened")
    _finish(listing, _list)

    init = whats.add_parser(
        "init",
        help="make tokens of SoftHSM, or take one of a vendor",
        description=_INIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    init.add_argument("--library", type=Path, metavar="FILE", help="PKCS#11 library of a vendor")
    init.add_argument("--label", default="", help="with --library: label of the token")
    init.add_argument("--serial", default="", help="with --library: serial number of the token")
    pin = init.add_mutually_exclusive_group()
    pin.add_argument("--pin-file", type=Path, metavar="FILE", help="file with its PIN, mode 0600")
    pin.add_argument("--pin-env", metavar="NAME", help="variable of the environment with its PIN")
    init.add_argument(
        "--class",
        dest="module_class",
        choices=[one.name for one in ModuleClass if one is not ModuleClass.NONE],
        default=ModuleClass.LEVEL_3.name,
        help="with --library: what it is certified for, which no library tells",
    )
    _finish(init, _init)

    check = whats.add_parser("check", help="open the tokens: what they are, can do and lack")
    _finish(check, _check)


def _finish(parser: argparse.ArgumentParser, run: Any) -> None:
    parser.add_argument("--party", choices=tuple(ASSOCIATIONS), help="default: both")
    options.add_workspace(parser)
    options.add_json(parser)
    parser.set_defaults(run=lambda args: failures.guard(lambda: run(args)))


def _parties(args: argparse.Namespace) -> list[Actor]:
    return [ASSOCIATIONS[args.party]] if args.party else list(ASSOCIATIONS.values())


def _list(args: argparse.Namespace) -> int:
    rows = Workspace(args.workspace).modules.rows()
    shown = [
        {
            "party": actor.value,
            "token": row.label or row.serial,
            "library": row.library,
            "class": row.module_class,
            "pin": f"${row.pin}" if row.pin_in_environment else row.pin,
        }
        for actor, row in rows.items()
        if actor in _parties(args)
    ]
    if args.json:
        print_json(shown)
    elif shown:
        print_table([tuple(one.values()) for one in shown], tuple(shown[0]))
    else:
        print("no tokens: the software module has all keys ('cosemlab module init' makes some)")
    return failures.Exit.DONE


def _init(args: argparse.Namespace) -> int:
    workspace = Workspace(args.workspace)
    modules = workspace.modules
    known = modules.rows()
    done = []
    for actor in _parties(args):
        row = known.get(actor)
        if row is not None and args.library is not None:
            raise ModuleFileError(f"{actor.value} has a token already: {row.label or row.serial}")
        if row is None and args.library is not None:
            row = _of_vendor(args)
            new = modules.prepare(row, workspace.scope_secrets(actor))
            modules.add(actor, row)
        else:
            row = row or modules.new_softhsm(actor)
            new = modules.prepare(row, workspace.scope_secrets(actor))
        done.append({"party": actor.value, "token": row.label or row.serial, "new": list(new)})
    if args.json:
        print_json(done)
    else:
        for one in done:
            added = ", ".join(one["new"]) or "nothing new"
            print(f"{one['party']}: {one['token']}: {added}")
    return failures.Exit.DONE


def _of_vendor(args: argparse.Namespace) -> TokenRow:
    if not args.party:
        raise ModuleFileError("a vendor's token is for one party: give --party")
    if not (args.label or args.serial):
        raise ModuleFileError("which token of the library: give --label or --serial")
    if not (args.pin_file or args.pin_env):
        raise ModuleFileError("where the PIN is: give --pin-file or --pin-env")
    return TokenRow(
        library=str(args.library.resolve()),
        label=args.label,
        serial=args.serial,
        pin=args.pin_env or str(args.pin_file.resolve()),
        pin_in_environment=bool(args.pin_env),
        softhsm=False,
        module_class=args.module_class,
    )


def _check(args: argparse.Namespace) -> int:
    modules = Workspace(args.workspace).modules
    rows = modules.rows()
    shown = [
        {"party": actor.value, **_facts(modules, rows[actor])}
        for actor in _parties(args)
        if actor in rows
    ]
    if not shown:
        raise ModuleFileError("no such party has a token: make some with 'cosemlab module init'")
    if args.json:
        print_json(shown)
        return failures.Exit.DONE
    for number, one in enumerate(shown):
        if number:
            print()
        print_table([(name, _cell(value)) for name, value in one.items()])
    return failures.Exit.DONE


def _facts(modules: ModuleFile, row: TokenRow) -> dict[str, Any]:
    module = modules.open(row, None, lambda ref: 0)
    try:
        facts = module.token.facts
        resident = module.token.run(lambda connection: sorted(connection.resident))
        return {
            "module": module.name,
            "class": module.module_class.text,
            "emulated": module.emulated,
            "manufacturer": facts.manufacturer,
            "model": facts.model,
            "serial": facts.serial,
            "lacks": [str(lack) for lack in facts.lacks],
            "keys that stay": resident,
        }
    finally:
        module.close()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "nothing"
    return str(value)
