"""``conform report``: the reports of a run that was kept as JSON."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emulator.cli import failures, options
from emulator.conformance import DISCLAIMER
from emulator.conformance.reports import Kind, read, write
from emulator.conformance.reports.terminal import Painter, summary

FILES = {
    Kind.HTML: "a page that needs nothing else",
    Kind.JUNIT: "JUnit XML, for CI systems",
    Kind.SARIF: "SARIF 2.1.0, for code scanning",
    Kind.PCAPNG: "what went over the line, for Wireshark",
}
"""What the options that take a file are for."""


def register(whats: options.SubParsers) -> None:
    report = whats.add_parser(
        "report", help="reports of a run, from its JSON", description=DISCLAIMER
    )
    report.add_argument("result", type=Path, metavar="RESULT.json", help="what a run has written")
    add_files(report)
    report.add_argument(
        "--text", action="store_true", help="print the report, as is done without any option"
    )
    report.set_defaults(run=lambda args: failures.guard(lambda: _report(args)))


def add_files(parser: argparse.ArgumentParser) -> None:
    """An option for each report that goes into a file."""
    for kind, says in FILES.items():
        parser.add_argument(f"--{kind.value}", type=Path, metavar="FILE", help=says)


def asked_for(args: argparse.Namespace) -> dict[Kind, Path]:
    """The files that options of :func:`add_files` name."""
    found = {kind: getattr(args, kind.value) for kind in FILES}
    return {kind: path for kind, path in found.items() if path is not None}


def _report(args: argparse.Namespace) -> int:
    document = read(args.result)
    files = asked_for(args)
    for kind, path in files.items():
        write(document, kind, path)
    if args.text or not files:
        for line in summary(document, Painter.of(sys.stdout)):
            print(line)
    return failures.Exit.DONE
