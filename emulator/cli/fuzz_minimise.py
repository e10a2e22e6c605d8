"""``fuzz minimise``: a scenario that breaks something, as small as it gets."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

from emulator.cli import failures
from emulator.cli.fuzz_encounters import print_smaller, smaller, smaller_json
from emulator.cli.fuzz_scenarios import chosen_of
from emulator.cli.fuzz_target import target_name, target_of
from emulator.cli.output import print_json
from emulator.fuzz.findings.encounters import filing
from emulator.fuzz.findings.filing import written
from emulator.fuzz.findings.finding import Finding, Key
from emulator.fuzz.findings.minimising import NothingBroken, Shrunk, minimise
from emulator.fuzz.findings.words import in_words
from emulator.fuzz.head_ends.driven import Driven
from emulator.fuzz.head_ends.searching import Caught
from emulator.fuzz.judge.course import Make
from emulator.fuzz.scenario import writing
from emulator.fuzz.scenario.model import Course, Scenario
from emulator.fuzz.scenario.place import ScenarioError
from emulator.fuzz.scenario.reading import read


def minimise_file(args: argparse.Namespace) -> int:
    """Make the scenarios of a file smaller, and write them."""
    make, target = target_of(args), target_name(args)
    read_in = chosen_of(read(args.file), args.names)
    chosen = [(one, course) for one in read_in for course in one.courses]
    met = [one for one in read_in if one.encounter is not None]
    if not chosen and not met:
        raise ScenarioError(f"{args.file}: there is nothing in it that is played")
    done: list[tuple[Finding, Shrunk, float]] = []
    caught: list[tuple[Scenario, Caught, Driven]] = []
    trying = read_in[0]
    try:
        for trying, course in chosen:
            done.append(_minimised(trying, course, make, target, args.plays))
        for trying in met:
            caught.append((trying, *smaller(trying, args)))
    except NothingBroken as error:
        print(f"cosemlab: {args.file}: {trying.id}: {error}", file=sys.stderr)
        return failures.Exit.FAILED
    out = args.out or args.file
    scenarios = [written(finding, make) for finding, _, _ in done]
    scenarios += [filing.written(one, driven) for _, one, driven in caught]
    writing.write(out, scenarios)
    if args.json:
        print_json([*(_json(*one) for one in done), *(smaller_json(*one) for one in caught)])
    else:
        for each in done:
            _print(*each)
        for scenario, one, _ in caught:
            print_smaller(scenario, one)
        print(f"written: {out}")
    return failures.Exit.DONE


def _minimised(
    scenario: Scenario, course: Course, make: Make, target: str, plays: int
) -> tuple[Finding, Shrunk, float]:
    found = scenario.found
    actions = [step.action for step in course.steps]
    key = None if found is None else Key(found.invariant, found.shape)
    began = time.monotonic()
    shrunk = minimise(scenario.setting, actions, key, make, plays=plays)
    seconds = time.monotonic() - began
    finding = Finding(breach=shrunk.breach, trail=shrunk.trail, was=len(actions), target=target)
    if found is not None:
        finding = replace(
            finding,
            seed=found.seed,
            process=found.process,
            steps=found.steps,
            seconds=found.seconds,
            was=found.was or len(actions),
        )
    return finding, shrunk, seconds


def _json(finding: Finding, shrunk: Shrunk, seconds: float) -> dict[str, object]:
    return {
        "name": finding.name,
        "invariant": finding.breach.invariant,
        "shape": finding.breach.shape,
        "was": shrunk.was,
        "steps": [writing.step(action) for action in finding.actions],
        "plays": shrunk.plays,
        "seconds": round(seconds, 3),
        "is_done": shrunk.is_done,
    }


def _print(finding: Finding, shrunk: Shrunk, seconds: float) -> None:
    print(f"{finding.name}: {finding.breach}")
    for number, action in enumerate(finding.actions, 1):
        print(f"  {number}. {in_words(action)}")
    rest = "" if shrunk.is_done else "; the plays were over, it may get smaller"
    print(
        f"  {shrunk.was} steps, shrunk to {len(finding.actions)} in {shrunk.plays} plays,"
        f" {seconds:.1f} s{rest}"
    )
