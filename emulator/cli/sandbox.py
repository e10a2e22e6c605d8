"""``status``, ``clock``, ``power`` ...: what is done to a running sandbox."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from emulator.cli import failures, options
from emulator.cli.output import print_json, print_table
from emulator.control.actions.customer import PRESSES
from emulator.control.actions.handling import KINDS
from emulator.control.client import ask
from emulator.virtual_clock import MAX_FACTOR
from emulator.workspace import CONTROL, WorkspaceError

_CLOCK = f"""\
Virtual time begins when the sandbox does and never goes back. A change of mode keeps the moment
that it is: --real lets it go on from there as fast as in reality ('--real --to now' besides catches
up with this machine). --advance and --to step at once, 400 days at most, by way of all that happens
at the meters meanwhile; the command returns when they have lived through it.
Factors are at most {MAX_FACTOR}; if that is faster than this machine, time waits for the meters."""


def register(subparsers: options.SubParsers) -> None:
    status = subparsers.add_parser(
        "status", help="how a running sandbox is: time, power, relays, balances, connections"
    )
    status.add_argument("meter", nargs="?", help="default: all of them")
    _finish(status, "status")

    clock = subparsers.add_parser(
        "clock",
        help="the virtual time of a running sandbox: show it, change its pace, step forward",
        description=_CLOCK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    pace = clock.add_mutually_exclusive_group()
    pace.add_argument(
        "--real",
        dest="mode",
        action="store_const",
        const="real",
        help="let time go on as fast as in reality",
    )
    pace.add_argument(
        "--freeze",
        dest="mode",
        action="store_const",
        const="frozen",
        help="let it stand still",
    )
    pace.add_argument(
        "--factor", type=options.factor, metavar="N", help="let N seconds go by in one real second"
    )
    step = clock.add_mutually_exclusive_group()
    step.add_argument("--advance", metavar="DURATION", help="step forward, for example by 1d12h")
    step.add_argument(
        "--to", metavar="TIME", help="step forward to a time: ISO 8601 (UTC if no zone), or now"
    )
    _finish(clock, "clock", "mode", "factor", "advance", "to")

    power = subparsers.add_parser(
        "power",
        help="take the mains of a meter away, or give them back",
        description="Without mains a meter drops whoever is connected and whoever comes, and"
        " forgets what it does not keep. It comes back on the same ports.",
    )
    options.add_meter(power)
    power.add_argument("what", choices=("on", "off", "cut"), help="cut: for some seconds")
    power.add_argument(
        "seconds", nargs="?", metavar="SECONDS", help="of virtual time, or a duration as 1h30m"
    )
    _finish(power, "power", "what", "seconds")

    reboot = subparsers.add_parser(
        "reboot", help="let a meter begin anew with what it keeps; nobody stays connected"
    )
    options.add_meter(reboot)
    _finish(reboot, "reboot")

    customer = subparsers.add_parser(
        "customer",
        help="what a customer does at a meter: press a button, key in a token",
        description="reconnect and disconnect are for the relay, where its control mode lets a"
        " hand move it; emergency-credit activates it where it is on offer.",
    )
    options.add_meter(customer)
    customer.add_argument("what", choices=(*PRESSES, "token"))
    customer.add_argument("digits", nargs="?", help="of a token")
    _finish(customer, "customer", "what", "digits")

    tamper = subparsers.add_parser("tamper", help="tamper with a meter")
    options.add_meter(tamper)
    tamper.add_argument("kind", choices=tuple(KINDS), help="what is tampered with")
    _finish(tamper, "tamper", "kind")


def _finish(parser: argparse.ArgumentParser, action: str, *arguments: str) -> None:
    options.add_workspace(parser)
    options.add_json(parser)
    parser.set_defaults(run=lambda args: failures.run(_run(args, action, arguments)))


async def _run(args: argparse.Namespace, action: str, names: tuple[str, ...]) -> int:
    given = {name: getattr(args, name) for name in names}
    if isinstance(given.get("seconds"), str) and given["seconds"].isdigit():
        given["seconds"] = int(given["seconds"])
    if given.get("factor") is not None:
        given["mode"] = "factor"
    result = await asked(args.workspace, action, getattr(args, "meter", None), given)
    if args.json:
        print_json(result)
    elif action == "status":
        _show_status(result)
    else:
        _show(result)
    return failures.Exit.DONE


async def asked(
    workspace: Path, action: str, meter: str | None, given: dict[str, Any]
) -> dict[str, Any]:
    """What became of an action of the sandbox that is up in ``workspace``."""
    try:
        return await ask(workspace / CONTROL, action, meter, given)
    except (FileNotFoundError, ConnectionRefusedError):
        raise WorkspaceError(
            f"no sandbox is up in {workspace}: start one with 'cosemlab up'"
        ) from None


def _show(result: dict[str, Any]) -> None:
    print_table([(name, _cell(value)) for name, value in result.items()])


def _show_status(result: dict[str, Any]) -> None:
    _show(result["clock"])
    print()
    meters: dict[str, dict[str, Any]] = result["meters"]
    header = tuple(next(iter(meters.values()), {}))
    rows = [(name, *(_cell(row[part]) for part in header)) for name, row in meters.items()]
    print_table(rows, ("meter", *header))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
