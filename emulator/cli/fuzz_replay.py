"""``fuzz replay``: one file step by step, with the octets and what they mean."""

from __future__ import annotations

import argparse

from emulator.cli import failures
from emulator.cli.fuzz_scenarios import chosen_of
from emulator.cli.fuzz_target import target_of
from emulator.cli.output import print_json
from emulator.fuzz.findings.comparing import remark
from emulator.fuzz.scenario.describing import result_json, step_lines
from emulator.fuzz.scenario.playing import Result, play
from emulator.fuzz.scenario.reading import read


def replay(args: argparse.Namespace) -> int:
    """Play what is in a file."""
    chosen = chosen_of(read(args.file), args.names)
    make = target_of(args)
    results = [result for one in chosen for result in play(one, make=make)]
    if args.json:
        print_json([_json(result) for result in results])
    else:
        for result in results:
            _print(result)
    bad = any(not result.passed for result in results)
    return failures.Exit.FAILED if bad else failures.Exit.DONE


def _json(result: Result) -> dict[str, object]:
    found = result.scenario.found
    return {**result_json(result), **({} if found is None else {"remark": remark(found, result)})}


def _print(result: Result) -> None:
    scenario, course = result.scenario, result.course
    print(f"{scenario.id}: {scenario.title}")
    if course is not None and course.binding:
        print(f"  with {course.binding}")
    for plant in scenario.plants:
        print(f"  planted: {plant}")
    for played in result.played:
        for line in step_lines(played):
            print(f"  {line}")
    for problem in result.problems:
        print(f"  NOT AS EXPECTED: {problem}")
    if scenario.found is not None:
        print(f"  {remark(scenario.found, result)}")
        if result.passed:
            print(f"  nothing is broken: {scenario.found.invariant} holds here")
    print()
