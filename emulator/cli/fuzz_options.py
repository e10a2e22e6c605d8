"""The options of ``fuzz run``, ``minimise`` and ``report``; those of the target for all of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from emulator.cli import options

SECONDS = 60.0
"""Of a search, if nobody says how long."""


def add_target(parser: argparse.ArgumentParser) -> None:
    """What it is about; :func:`emulator.cli.fuzz_target.target_of` makes it."""
    parser.add_argument(
        "--target", default="in-process", metavar="TARGET",
        help="our own meter 'in-process', or behind sockets of 'tcp' or 'tls'; or the file of a"
        " declaration, for any other meter (default: in-process)",
    )  # fmt: skip
    parser.add_argument(
        "--destructive", action="store_true",
        help="another's meter may be spoiled: keys changed, counters moved, values written",
    )  # fmt: skip


def add_command(parser: argparse.ArgumentParser) -> None:
    """For what was found at a head end."""
    parser.add_argument(
        "--command", metavar="COMMAND",
        help="what was found at a head end is tried with this one, and not with that of the file,"
        " which is started otherwise; 'own' is ours, in this process",
    )  # fmt: skip


def register(whats: options.SubParsers, later: options.Later) -> None:
    _register_run(whats, later)
    _register_minimise(whats, later)
    _register_report(whats, later)


def _register_run(whats: options.SubParsers, later: options.Later) -> None:
    run = whats.add_parser(
        "run",
        help="search for what must never be: runs that are drawn by lot, on all cores",
        description="Exit status 0 if nothing was found, 1 if something was. Ctrl-C ends it, and"
        " what was found by then is told.",
    )
    run.add_argument(
        "--seconds", type=float, metavar="S", help=f"how long (default: {SECONDS:g}, or --steps)"
    )
    run.add_argument("--steps", type=int, metavar="N", help="how many steps, on all processes")
    run.add_argument("--seed", type=int, default=0, metavar="N", help="(default: 0)")
    run.add_argument(
        "--processes", type=options.whole(1, 256), metavar="N", help="(default: one for each core)"
    )
    run.add_argument(
        "--profile", default="laboratory", metavar="NAME", help="of the meter (default: laboratory)"
    )
    run.add_argument(
        "--setting", action="append", default=[], metavar="NAME",
        help="one way in which clients and knobs are set, 'shared' for example; may be repeated"
        " (default: all that there are for the profile, in turn)",
    )  # fmt: skip
    run.add_argument(
        "--plant", action="append", default=[], metavar="FAULT[:NAME=VALUE,...]",
        help="a defect that the meter has, by its name in 'cosemlab fault list'; may be repeated",
    )  # fmt: skip
    run.add_argument(
        "--out", type=Path, metavar="DIR",
        help="write each finding there as a scenario, and run.json about the search",
    )  # fmt: skip
    run.add_argument(
        "--head-end", metavar="COMMAND",
        help="search a head end instead, which this command starts for each task: {task} and"
        " {material} in it stand for the task and the file with all the rest; 'own' is ours, in"
        " this process",
    )  # fmt: skip
    run.add_argument(
        "--way", choices=("tcp", "tls", "hdlc"), default="tcp",
        help="how a head end gets to the meter: the wrapper over TCP, over TLS with certificates at"
        " both ends, or HDLC over TCP (default: tcp)",
    )  # fmt: skip
    run.add_argument(
        "--task", action="append", default=[], choices=("read", "rotate-keys", "top-up"),
        help="what a head end is asked to do; may be repeated (default: all of them)",
    )  # fmt: skip
    run.add_argument(
        "--answer", type=float, default=0.5, metavar="S",
        help="seconds that a head end is told to await an answer (default: 0.5)",
    )  # fmt: skip
    run.add_argument(
        "--forgets", action="store_true",
        help="the head end keeps no counters from task to task: it is given one under each key",
    )  # fmt: skip
    run.add_argument("--first", action="store_true", help="end with the first finding")
    add_target(run)
    options.add_json(run)
    run.set_defaults(run=later("fuzz_run", "run"))


def _register_minimise(whats: options.SubParsers, later: options.Later) -> None:
    minimise = whats.add_parser(
        "minimise",
        help="make a scenario that breaks something as small as it gets",
        description="Keeps what breaks the same invariant in the same shape: fewer steps, simpler"
        " ones, a simpler beginning. Exit status 1 if nothing is broken.",
    )
    minimise.add_argument("file", type=Path, metavar="FILE")
    minimise.add_argument("names", nargs="*", metavar="NAME", help="of those in the file, by name")
    minimise.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="where to write it (default: FILE)"
    )
    minimise.add_argument(
        "--plays", type=options.whole(1, 1_000_000), default=3000, metavar="N",
        help="how often it may be played for that (default: 3000)",
    )  # fmt: skip
    add_target(minimise)
    add_command(minimise)
    options.add_json(minimise)
    minimise.set_defaults(run=later("fuzz_minimise", "minimise_file"))


def _register_report(whats: options.SubParsers, later: options.Later) -> None:
    report = whats.add_parser(
        "report",
        help="reports of findings, from their files",
        description="FILEs are findings, and run.json of the search if it is to be told too."
        " Without an option the findings are listed.",
    )
    report.add_argument("files", nargs="+", type=Path, metavar="FILE")
    report.add_argument("--html", type=Path, metavar="FILE", help="a page that needs nothing else")
    report.add_argument("--junit", type=Path, metavar="FILE", help="JUnit XML, for CI systems")
    report.add_argument("--sarif", type=Path, metavar="FILE", help="SARIF 2.1.0, for code scanning")
    report.set_defaults(run=later("fuzz_report", "report"))
