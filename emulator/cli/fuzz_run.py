"""``fuzz run``: a search for what must never be."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from emulator.cli import failures
from emulator.cli.fuzz_head_end import search_head_end
from emulator.cli.fuzz_options import SECONDS
from emulator.cli.fuzz_plant import plant
from emulator.cli.fuzz_progress import ProgressLine
from emulator.cli.fuzz_run_file import RUN
from emulator.cli.fuzz_target import declared_of, declared_settings, target_name, target_of
from emulator.cli.output import print_json
from emulator.fuzz.findings.filing import file, path_in
from emulator.fuzz.findings.finding import Finding
from emulator.fuzz.findings.summary import write, written
from emulator.fuzz.findings.words import in_words
from emulator.fuzz.hunting.hunt import HuntFailed, hunt
from emulator.fuzz.hunting.hunted import Hunted
from emulator.fuzz.machine.settings import settings as settings_of
from emulator.fuzz.scenario.writing import step
from emulator.fuzz.setting import Setting


def run(args: argparse.Namespace) -> int:
    """Search, and tell what was found."""
    seconds = SECONDS if args.seconds is None and args.steps is None else args.seconds
    if args.head_end:
        return search_head_end(args)
    declared = declared_of(args)
    settings = _settings(args) if declared is None else declared_settings(declared, args)
    make = target_of(args) if declared is None else declared
    for setting in settings:
        make(setting)  # what is wrong with it is said before anything begins
    line = ProgressLine(sys.stderr)

    def found(finding: Finding) -> None:
        line.found(finding)
        if args.out is not None:
            file(args.out, finding, make)

    try:
        hunted = hunt(
            settings,
            seconds=seconds,
            steps=args.steps,
            seed=args.seed,
            processes=args.processes if declared is None else 1,
            on_progress=line,
            on_finding=found,
            stop_at_first=args.first,
            make=make,
            target=target_name(args),
        )
    except HuntFailed as error:
        line.finish()
        failures.say(error)
        return failures.Exit.CONNECTION
    line.finish()
    summary = hunted.summary(settings[0], target_name(args))
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        write(args.out / RUN, summary)
    if args.json:
        print_json({**written(summary), "found": [_json(one, args) for one in hunted.findings]})
    else:
        _print(hunted, args)
    if hunted.was_interrupted and not hunted.findings:
        return failures.Exit.INTERRUPTED
    return failures.Exit.FAILED if hunted.findings else failures.Exit.DONE


def _settings(args: argparse.Namespace) -> list[Setting]:
    """Those that are asked for, with what is planted."""
    there = settings_of(args.profile)
    for name in args.setting:
        if name not in there:
            names = ", ".join(there)
            raise ValueError(f"{args.profile} has no setting {name!r}; there are: {names}")
    plants = tuple(plant(one) for one in args.plant)
    return [replace(there[name], plants=plants) for name in args.setting or there]


def _json(finding: Finding, args: argparse.Namespace) -> dict[str, object]:
    return {
        "name": finding.name,
        "invariant": finding.breach.invariant,
        "shape": finding.breach.shape,
        "words": finding.breach.words,
        "steps": finding.steps,
        "seconds": round(finding.seconds, 3),
        "was": finding.was,
        "shrunk": [step(action) for action in finding.actions],
        "file": None if args.out is None else str(path_in(args.out, finding)),
    }


def _print(hunted: Hunted, args: argparse.Namespace) -> None:
    for finding in hunted.findings:
        print(f"{finding.name}: {finding.breach}")
        for number, action in enumerate(finding.actions, 1):
            mark = "  <- breaks it" if number == finding.step else ""
            print(f"  {number}. {in_words(action)}{mark}")
        if not finding.step:
            print("  in the end, when all is quiet  <- breaks it")
        print(
            f"  found after {finding.steps} steps, {finding.seconds:.1f} s;"
            f" {finding.was} steps, shrunk to {len(finding.actions)}"
        )
        if args.out is not None:
            print(f"  {path_in(args.out, finding)}")
        print()
    interrupted = ", interrupted" if hunted.was_interrupted else ""
    print(
        f"{len(hunted.findings)} found; {hunted.steps} steps in {hunted.runs} runs,"
        f" {hunted.seconds:.1f} s on {hunted.processes} processes,"
        f" {hunted.steps_per_second:.0f} steps/s; {hunted.states} states,"
        f" {hunted.transitions} transitions; seed {hunted.seed}{interrupted}"
    )
