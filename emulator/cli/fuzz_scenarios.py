"""``fuzz scenarios``: cases of the life of keys, played, and what came of them."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace

from emulator.cli import failures
from emulator.cli.fuzz_encounters import met_json
from emulator.cli.fuzz_target import target_of
from emulator.cli.output import print_json, print_table
from emulator.fuzz.findings.encounters.replaying import MetAgain, meet_again
from emulator.fuzz.scenario.describing import scenario_json
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.place import ScenarioError
from emulator.fuzz.scenario.playing import Result, play
from emulator.fuzz.scenario.reading import read_all


def chosen_of(scenarios: Sequence[Scenario], names: Sequence[str]) -> list[Scenario]:
    """Those whose names begin with one of ``names``; without any, all."""
    for name in names:
        if not any(one.id.startswith(name) for one in scenarios):
            raise ScenarioError(f"no scenario's name begins with {name!r}")
    return [one for one in scenarios if not names or one.id.startswith(tuple(names))]


def scenarios(args: argparse.Namespace) -> int:
    """Play them."""
    files = sorted(args.folder.glob("*.json"))
    if not files:
        raise ScenarioError(f"{args.folder}: there are no scenarios; say where with --from")
    chosen = chosen_of(read_all(files), args.names)
    if args.list:
        return _list(chosen, as_json=args.json)
    make = target_of(args)
    results = {one.id: play(one, make=make) for one in chosen}
    bad = [result for several in results.values() for result in several if not result.passed]
    met = {one.id: _met(one) for one in chosen if one.encounter is not None}
    failed = [one for one in met.values() if not one.passed]
    if args.json:
        print_json(
            [
                met_json(met[one.id]) if one.id in met else scenario_json(one, results[one.id])
                for one in chosen
            ]
        )
    else:
        rows = [
            _row(one, [met[one.id].passed])
            if one.id in met
            else _row(one, [result.passed for result in results[one.id]])
            for one in chosen
        ]
        print_table(rows, ("scenario", "", "title"))
        for result in bad:
            bound = "" if result.course is None else result.course.binding
            binding = f" ({bound})" if bound else ""
            for problem in result.problems:
                print(f"{result.scenario.id}{binding}: {problem}")
        for again in failed:
            for problem in again.problems:
                print(f"{again.scenario.id}: {problem}")
        print(_sum(chosen, results, len(bad), len(met), len(failed)))
    return failures.Exit.FAILED if bad or failed else failures.Exit.DONE


def _met(scenario: Scenario) -> MetAgain:
    """With our own head end, whosever it was found at: it must get along with it."""
    own = replace(scenario.head_end, command=(), forgets=False)
    return asyncio.run(meet_again(scenario, own))


def _sum(
    chosen: Sequence[Scenario],
    results: dict[str, tuple[Result, ...]],
    bad: int,
    met: int,
    met_badly: int,
) -> str:
    cases = {one.name for one in chosen if one.found is None and one.encounter is None}
    found = sum(one.found is not None and one.encounter is None for one in chosen)
    played = {one.name for one in chosen if one.courses and one.found is None}
    courses = sum(map(len, results.values()))
    left = len(cases - played)
    findings = f" and {found} findings" if found else ""
    said = (
        f"{len(cases)} cases{findings}, {len(played) + found} of them played in {courses} courses,"
        f" {bad} failed"
    )
    if left:
        said = f"{said}; {left} cannot be played here"
    if met:
        said = f"{said}; {met} encounters of our own head end, {met_badly} failed"
    return said


def _list(chosen: Sequence[Scenario], *, as_json: bool) -> int:
    if as_json:
        print_json([scenario_json(one, ()) for one in chosen])
    else:
        print_table(
            [(one.id, f"{len(one.courses)}", one.title) for one in chosen],
            ("scenario", "courses", "title"),
        )
    return failures.Exit.DONE


def _row(scenario: Scenario, passed: Sequence[bool]) -> tuple[str, str, str]:
    if scenario.not_here:
        return scenario.id, "not here", f"{scenario.title}: {scenario.not_here}"
    return scenario.id, "as expected" if all(passed) else "FAILED", scenario.title
