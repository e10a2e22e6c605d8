"""``fuzz replay`` and ``fuzz minimise`` of what was found at a head end."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace

from emulator.cli.fuzz_head_end import lines
from emulator.fuzz.findings.encounters.filing import name_of, written
from emulator.fuzz.findings.encounters.replaying import MetAgain, meet_again, minimised, names_of
from emulator.fuzz.head_ends.driven import Driven, command_of
from emulator.fuzz.head_ends.searching import Caught
from emulator.fuzz.scenario.found import Witnessed
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.writing_fields import table


def driven_of(scenario: Scenario, args: argparse.Namespace) -> Driven:
    """The head end of the file, or with the command of ``--command``. What will be started is said
    before it is.
    """
    driven = scenario.head_end
    if args.command is not None:
        try:
            driven = replace(driven, command=command_of(args.command))
        except ValueError as error:
            raise ValueError(f"--command: {error}") from None
    print(f"{scenario.id}: the head end is {driven}", file=sys.stderr)
    return driven


def met(scenario: Scenario, args: argparse.Namespace) -> MetAgain:
    """Play it again. ``OSError`` if the head end cannot be started."""
    return asyncio.run(meet_again(scenario, driven_of(scenario, args)))


def met_json(met: MetAgain) -> dict[str, object]:
    scenario = met.scenario
    return {
        "name": scenario.name,
        "title": scenario.title,
        "head_end": table(met.driven),
        "passed": met.passed,
        "problems": list(met.problems),
        "errands": [
            {"number": number, "words": words, **table(one)}
            for number, words, one in _numbered(met)
        ],
    }


def print_met(met: MetAgain) -> None:
    scenario = met.scenario
    print(f"{scenario.id}: {scenario.title}")
    print(f"  the head end: {met.driven}")
    if scenario.encounter is not None and scenario.encounter.meter != "none":
        print(f"  the meter: {scenario.encounter.meter}")
    for number, words, one in _numbered(met):
        print(f"  {number}. {words}")
        for direction, who, octets, says in one.line:
            if not octets:  # nothing passed: something was done
                print(f"     {direction} {says}")
                continue
            print(f"     {direction} {who}: {octets}")
            print(f"        {says}")
        if one.left_out:
            print(f"     ... and {one.left_out} more")
        print(f"     = {one.says}")
        for said in one.breaks:
            print(f"     {said}")
    for problem in met.problems:
        print(f"  NOT AS EXPECTED: {problem}")
    if met.passed and scenario.found is not None:
        print(f"  nothing is broken: {scenario.found.invariant} holds here")
    print()


def _numbered(met: MetAgain) -> list[tuple[int, str, Witnessed]]:
    assert met.scenario.encounter is not None
    names = names_of(met.scenario.encounter)
    return [
        (number, name, one)
        for number, (name, one) in enumerate(zip(names, met.errands, strict=False), 1)
    ]


def smaller(scenario: Scenario, args: argparse.Namespace) -> tuple[Caught, Driven]:
    """Made smaller. :class:`~emulator.fuzz.findings.minimising.NothingBroken` if nothing is broken,
    ``OSError`` if the head end cannot be started.
    """
    driven = driven_of(scenario, args)
    return asyncio.run(minimised(scenario, driven)), driven


def smaller_json(scenario: Scenario, caught: Caught, driven: Driven) -> dict[str, object]:
    assert scenario.encounter is not None
    return {
        "name": name_of(caught),
        "invariant": caught.breach.invariant,
        "shape": caught.breach.shape,
        "was": scenario.encounter.size,
        "encounter": written(caught, driven)["encounter"],
    }


def print_smaller(scenario: Scenario, caught: Caught) -> None:
    assert scenario.encounter is not None
    print(f"{name_of(caught)}: {caught.breach}")
    for line in lines(caught.encounter):
        print(f"  {line}")
    was = scenario.encounter.size
    print(f"  {was} errands and mischiefs, shrunk to {caught.encounter.size}")
