"""``listen``: what a meter says unasked, as it comes."""

from __future__ import annotations

import argparse
import asyncio
import sys

from devices.profile import Profile
from emulator.cli import custody_options, failures, options, parties, recording, running
from emulator.cli.output import print_json
from emulator.cli.values import readable
from emulator.client import NothingSaid, Notice
from emulator.client.objects import instance_of
from emulator.head_end.services import HeadEnd
from emulator.meter_address import MeterAddress
from emulator.serving.host import INACTIVITY_TIMEOUT
from emulator.workspace import Workspace

DEFAULT_SECONDS = 60.0
MAX_SECONDS = INACTIVITY_TIMEOUT - 10
"""A meter hangs up on a client of which it has heard nothing for its inactivity time-out."""
MAX_COUNT = 10_000
_PUSH_SETUP = "0-0:25.9.0.255"


def register(subparsers: options.SubParsers) -> None:
    listen = subparsers.add_parser("listen", help="print what a meter says unasked")
    options.add_meter(listen)
    listen.add_argument(
        "--push",
        nargs="?",
        const=_PUSH_SETUP,
        metavar="NAME",
        help=f"invoke a Push setup first (default: {_PUSH_SETUP})",
    )
    listen.add_argument(
        "--count", type=options.whole(1, MAX_COUNT), metavar="N", help="end after N notifications"
    )
    listen.add_argument(
        "--seconds",
        type=_seconds,
        default=DEFAULT_SECONDS,
        metavar="N",
        help=f"end after N seconds (default: {DEFAULT_SECONDS:g}, at most {MAX_SECONDS:g})",
    )
    options.add_workspace(listen)
    options.add_database(listen)
    custody_options.add_custody(listen)
    options.add_keylog(listen)
    options.add_json(listen)
    listen.set_defaults(run=lambda args: failures.run(_listen(args)))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError
    return seconds


async def _listen(args: argparse.Namespace) -> int:
    """Not done if fewer have come than were to be counted."""
    workspace = Workspace(args.workspace)
    meter, profile = running.find_meter(workspace, args.meter)
    with (
        recording.recorded(workspace.database(args.database), keep=False) as ledger,
        parties.head_end(workspace, args, ledger, meter, profile) as head_end,
    ):
        return await _hear(args, head_end, meter, profile)


async def _hear(
    args: argparse.Namespace, head_end: HeadEnd, meter: MeterAddress, profile: Profile
) -> int:
    push = None if args.push is None else instance_of(args.push)
    loop = asyncio.get_running_loop()
    heard = 0
    async with head_end.listening(meter, profile, push) as session:
        end = loop.time() + args.seconds
        try:
            while args.count is None or heard < args.count:
                notice = await session.notification(max(end - loop.time(), 0))
                heard += 1
                _show(meter.name, notice, args.json)
        except NothingSaid:
            if args.count is not None:
                print(f"cosemlab: {heard} of {args.count} notifications came", file=sys.stderr)
                return failures.Exit.FAILED
    return failures.Exit.DONE


def _show(meter: str, notice: Notice, as_json: bool) -> None:
    values = readable(notice.values)
    time = "" if notice.time is None else str(notice.time)
    if as_json:
        print_json({"meter": meter, "kind": notice.kind, "time": time, "values": values})
    else:
        pairs = values.items() if isinstance(values, dict) else enumerate(values, 1)
        shown = ", ".join(f"{name} {value}" for name, value in pairs)
        print("  ".join(part for part in (time, notice.kind, shown) if part))
    sys.stdout.flush()
