"""``fuzz replay``: one file step by step, with the octets and what they mean."""

from __future__ import annotations

import argparse

from emulator.cli import failures
from emulator.cli.fuzz_encounters import met, met_json, print_met
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
    met_again = [met(one, args) for one in chosen if one.encounter is not None]
    replayed = [each for one in chosen if one.encounter is None for each in again(one, make)]
    if args.json:
        print_json([*map(_json, replayed), *map(met_json, met_again)])
    else:
        for each in replayed:
            _print(each)
        for one in met_again:
            print_met(one)
    bad = not all(each.result.passed for each in replayed) or not all(
        one.passed for one in met_again
    )
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
