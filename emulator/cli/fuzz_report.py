"""``fuzz report``: findings as a page, as JUnit XML, as SARIF, or in a table."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path

from emulator.cli import failures
from emulator.cli.output import print_table
from emulator.conformance.reports.writing import NotWritten, replace_file
from emulator.fuzz.findings.reports.junit import junit
from emulator.fuzz.findings.reports.page import html
from emulator.fuzz.findings.reports.reported import Reported, reported
from emulator.fuzz.findings.reports.sarif import sarif


def report(args: argparse.Namespace) -> int:
    """Write what is asked for; without any option, list the findings."""
    told = reported(args.files)
    if args.html is not None:
        _write(args.html, html(told, version("cosemlab")))
    if args.junit is not None:
        _write(args.junit, junit(told))
    if args.sarif is not None:
        _write(args.sarif, f"{json.dumps(sarif(told, version('cosemlab')), indent=1)}\n")
    if not (args.html or args.junit or args.sarif):
        _list(told)
    return failures.Exit.DONE


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {error.strerror}") from None


def _list(told: Reported) -> None:
    rows = [
        (
            one.found.invariant,
            f"{len(one.steps)}",
            f"{one.found.steps}",
            f"{one.found.seconds:.1f}",
            one.found.shape,
        )
        for one in told.findings
    ]
    if rows:
        print_table(rows, ("invariant", "steps", "found after", "seconds", "what"))
        print()
    steps = sum(one.steps for one in told.searches)
    searched = f" in {steps} steps" if told.searches else ""
    print(f"{len(rows)} found{searched}")
