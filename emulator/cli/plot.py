"""``plot``: consumption and credit of a meter as a picture."""

from __future__ import annotations

import argparse
import datetime as dt
from decimal import Decimal
from pathlib import Path

from emulator.cli import custody_options, failures, options, parties, plugins, recording, running
from emulator.cli.output import print_json
from emulator.plotting.alone import live_alone
from emulator.plotting.asked import ask
from emulator.plotting.drawing import draw
from emulator.plotting.series import Series
from emulator.profiles import load
from emulator.sandbox import FIRST_SERIAL
from emulator.workspace import Workspace

MAX_DAYS = 395
"""Thirteen months: what a meter holds."""


def register(subparsers: options.SubParsers) -> None:
    plot = subparsers.add_parser("plot", help="draw consumption and credit of a meter")
    plot.add_argument(
        "meter", help="name of a meter of the running sandbox; with --alone a profile or its file"
    )
    plot.add_argument("--out", type=Path, metavar="FILE", help="FILE.png or FILE.svg")
    plot.add_argument(
        "--days", type=options.whole(1, MAX_DAYS), default=14, help="how many (default: 14)"
    )
    plot.add_argument(
        "--alone",
        type=dt.datetime.fromisoformat,
        metavar="ISO",
        help="no sandbox: a meter of that profile which nobody touches, from this moment on",
    )
    plot.add_argument(
        "--credit",
        type=options.pounds,
        default=Decimal(30),
        metavar="POUNDS",
        help="with --alone: the balance at the beginning (default: 30)",
    )
    options.add_workspace(plot)
    options.add_database(plot)
    custody_options.add_custody(plot)
    options.add_keylog(plot)
    options.add_json(plot)
    plot.set_defaults(run=lambda args: failures.run(_plot(args)))


async def _plot(args: argparse.Namespace) -> int:
    path = args.out or Path(f"{Path(args.meter).stem}.png")
    series = await _series(args)
    draw(series, path)
    if args.json:
        shown = {"meter": series.meter, "file": str(path), "half_hours": len(series.used)}
        print_json({**shown, "events": len(series.events), "credit": len(series.credit)})
    else:
        print(f"{path}: {len(series.used)} half-hours, {len(series.events)} events")
    return failures.Exit.DONE


async def _series(args: argparse.Namespace) -> Series:
    if args.alone is not None:
        begin = args.alone if args.alone.tzinfo else args.alone.replace(tzinfo=dt.UTC)
        plugins.say_plugins()
        return live_alone(load(args.meter), FIRST_SERIAL, begin, args.days, args.credit)
    workspace = Workspace(args.workspace)
    meter, profile = running.find_meter(workspace, args.meter)
    with (
        recording.recorded(workspace.database(args.database), keep=False) as ledger,
        parties.head_end(workspace, args, ledger, meter, profile) as head_end,
    ):
        return await ask(head_end, meter, profile, args.days)
