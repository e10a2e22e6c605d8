"""``fuzz gallery``: whether the fuzzer finds the bugs that are planted, and nothing else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from emulator.cli import failures
from emulator.cli.output import print_json, print_table
from emulator.control.errors import bad_argument
from emulator.fuzz.gallery.bug import Bug, bugs, settings
from emulator.fuzz.gallery.measuring import Bounds, Clean, Measured, clean, measure, medians
from emulator.fuzz.gallery.table import as_json, drawn_into, read

_CLEAN = 600.0


def gallery(args: argparse.Namespace) -> int:
    if args.into is not None:
        args.into.write_text(
            drawn_into(args.into.read_text("utf-8"), bugs(), read(args.kept)), "utf-8"
        )
        return failures.Exit.DONE
    chosen = _chosen(args.names)
    if args.list:
        return _list(chosen, as_json=args.json)
    bounds = Bounds(
        seconds=None if args.steps else args.seconds,
        steps=args.steps,
        seed=args.seed,
        processes=args.processes,
    )
    measured = [_measured(bug, bounds, quiet=args.json) for bug in chosen]
    without = list(_clean(args))
    if args.json:
        print_json(as_json(bounds, measured, without))
    else:
        _sum(measured, without)
    bad = any(not one.found for one in measured) or any(one.found for one in without)
    return failures.Exit.FAILED if bad else failures.Exit.DONE


def _chosen(names: Sequence[str]) -> list[Bug]:
    every = bugs()
    for name in names:
        if name not in every:
            raise bad_argument(f"no bug {name!r} in the gallery; there are: {', '.join(every)}")
    return [bug for name, bug in every.items() if not names or name in names]


def _list(chosen: Sequence[Bug], *, as_json: bool) -> int:
    rows = [
        {"name": one.name, "rule": one.rule, "case": one.case, "title": one.title} for one in chosen
    ]
    if as_json:
        print_json(rows)
    else:
        print_table([tuple(row.values()) for row in rows], ("bug", "rule", "case", "what is wrong"))
    return failures.Exit.DONE


def _measured(bug: Bug, bounds: Bounds, *, quiet: bool) -> Measured:
    one = measure(bug, bounds)
    if one.found:
        said = f"{one.invariant} after {one.steps} steps, {one.seconds:.1f} s; {one.length} steps"
    else:
        said = f"NOT FOUND in {one.steps} steps, {one.seconds:.1f} s: {one.why}"
    print(f"{bug.name:26} {said}", file=sys.stderr if quiet else sys.stdout, flush=True)
    return one


def _clean(args: argparse.Namespace) -> list[Clean]:
    seconds = args.clean
    if seconds is None and not args.names:
        seconds = _CLEAN
    if not seconds and not args.clean_steps:
        return []
    out = sys.stderr if args.json else sys.stdout
    bounds = Bounds(
        seconds=None if args.clean_steps else seconds,
        steps=args.clean_steps,
        seed=args.seed,
        processes=args.processes,
    )
    found = []
    for one in clean(settings(), bounds):
        said = "; ".join(one.found) or "nothing"
        print(
            f"no bug, {one.place:18} {said} in {one.steps} steps, {one.seconds:.1f} s",
            file=out,
            flush=True,
        )
        found.append(one)
    return found


def _sum(measured: Sequence[Measured], without: Sequence[Clean]) -> None:
    found = [one for one in measured if one.found]
    said = f"{len(found)} of {len(measured)} bugs found"
    middle = medians(measured)
    if middle is not None:
        said += (
            f"; median {middle.steps:g} steps, {middle.seconds:.1f} s, shrunk to"
            f" {middle.length:g} steps"
        )
    print(said)
    for one in measured:
        if not one.found:
            print(f"NOT FOUND: {one.name}: {one.why}")
    if without:
        steps, seconds = (
            sum(getattr(one, what) for one in without) for what in ("steps", "seconds")
        )
        odd = sum(len(one.found) for one in without)
        print(f"without bugs: {odd or 'no'} findings in {steps} steps, {seconds:.0f} s")
