"""``fuzz replay``: one file step by step, with the octets and what they mean."""

from __future__ import annotations

import argparse

from emulator.cli import failures
from emulator.cli.fuzz_scenarios import chosen_of
from emulator.cli.fuzz_target import target_of
from emulator.cli.output import print_json
from emulator.fuzz.findings.comparing import remark
from emulator.fuzz.findings.replaying import Replayed
from emulator.fuzz.findings.replaying import replay as again
from emulator.fuzz.scenario.describing import result_json, step_lines
from emulator.fuzz.scenario.reading import read


def replay(args: argparse.Namespace) -> int:
    """Play what is in a file."""
    chosen = chosen_of(read(args.file), args.names)
    make = target_of(args)
    replayed = [each for one in chosen for each in again(one, make)]
    if args.json:
        print_json([_json(each) for each in replayed])
    else:
        for each in replayed:
            _print(each)
    bad = any(not each.result.passed for each in replayed)
    return failures.Exit.FAILED if bad else failures.Exit.DONE


def _json(replayed: Replayed) -> dict[str, object]:
    result = replayed.result
    found = result.scenario.found
    told = result_json(result, replayed.insight.words())
    return {**told, **({} if found is None else {"remark": remark(found, result)})}


def _print(replayed: Replayed) -> None:
    result, words = replayed.result, replayed.insight.words()
    scenario, course = result.scenario, result.course
    print(f"{scenario.id}: {scenario.title}")
    if course is not None and course.binding:
        print(f"  with {course.binding}")
    for plant in scenario.plants:
        print(f"  planted: {plant}")
    for played in result.played:
        for line in step_lines(played, words):
            print(f"  {line}")
    for problem in result.problems:
        print(f"  NOT AS EXPECTED: {problem}")
    if scenario.found is not None:
        print(f"  {remark(scenario.found, result)}")
        if result.passed:
            print(f"  nothing is broken: {scenario.found.invariant} holds here")
    print()
