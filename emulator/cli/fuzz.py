"""``fuzz``: the life of keys, tried out: scenarios of cases, and of what was found."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from emulator.cli import failures, fuzz_coverage, fuzz_learn, fuzz_octets, options
from emulator.cli.output import print_json, print_table
from emulator.fuzz.scenario.describing import result_json, scenario_json, step_lines
from emulator.fuzz.scenario.model import Scenario
from emulator.fuzz.scenario.place import ScenarioError
from emulator.fuzz.scenario.playing import Result, play
from emulator.fuzz.scenario.reading import read, read_all

SCENARIOS = Path(__file__).parents[2] / "fixtures" / "scenarios"
"""Those of the repository; an installed package has none."""


def register(subparsers: options.SubParsers) -> None:
    fuzz = subparsers.add_parser(
        "fuzz", help="the life of keys tried out: scenarios with what must come of them"
    )
    whats = fuzz.add_subparsers(dest="what", metavar="WHAT", required=True)

    scenarios = whats.add_parser(
        "scenarios",
        help="play scenarios on a meter in this process, and print what came of them",
        description="Without a NAME all are played; a NAME is that of a scenario, or what several"
        " begin with, KL-IC for example. Exit status 1 if any came out otherwise than it says.",
    )
    scenarios.add_argument("names", nargs="*", metavar="NAME", help="which, by name")
    scenarios.add_argument(
        "--from", dest="folder", type=Path, metavar="DIR", default=SCENARIOS,
        help="folder of *.json, by default fixtures/scenarios of the repository",
    )  # fmt: skip
    scenarios.add_argument("--list", action="store_true", help="only say which there are")
    options.add_json(scenarios)
    scenarios.set_defaults(run=lambda args: failures.guard(lambda: _scenarios(args)))

    replay = whats.add_parser(
        "replay",
        help="play one file step by step, with the octets and what they mean",
        description="A file of scenarios, as a finding is written. Octets that were recorded must"
        " pass again.",
    )
    replay.add_argument("file", type=Path, metavar="FILE")
    replay.add_argument("names", nargs="*", metavar="NAME", help="of those in the file, by name")
    options.add_json(replay)
    replay.set_defaults(run=lambda args: failures.guard(lambda: _replay(args)))

    fuzz_learn.register(whats)
    fuzz_coverage.register(whats)
    fuzz_octets.register(whats)


def _chosen(scenarios: Sequence[Scenario], names: Sequence[str]) -> list[Scenario]:
    for name in names:
        if not any(one.id.startswith(name) for one in scenarios):
            raise ScenarioError(f"no scenario's name begins with {name!r}")
    return [one for one in scenarios if not names or one.id.startswith(tuple(names))]


def _scenarios(args: argparse.Namespace) -> int:
    files = sorted(args.folder.glob("*.json"))
    if not files:
        raise ScenarioError(f"{args.folder}: there are no scenarios; say where with --from")
    chosen = _chosen(read_all(files), args.names)
    if args.list:
        return _list(chosen, as_json=args.json)
    results = {one.id: play(one) for one in chosen}
    bad = [result for several in results.values() for result in several if not result.passed]
    if args.json:
        print_json([scenario_json(one, results[one.id]) for one in chosen])
    else:
        print_table([_row(one, results[one.id]) for one in chosen], ("scenario", "", "title"))
        for result in bad:
            bound = "" if result.course is None else result.course.binding
            binding = f" ({bound})" if bound else ""
            for problem in result.problems:
                print(f"{result.scenario.id}{binding}: {problem}")
        print(_sum(chosen, results, len(bad)))
    return failures.Exit.FAILED if bad else failures.Exit.DONE


def _sum(chosen: Sequence[Scenario], results: dict[str, tuple[Result, ...]], bad: int) -> str:
    cases = {one.name for one in chosen}
    played = {one.name for one in chosen if one.courses}
    courses = sum(map(len, results.values()))
    left = len(cases - played)
    said = f"{len(cases)} cases, {len(played)} of them played in {courses} courses, {bad} failed"
    return f"{said}; {left} cannot be played here" if left else said


def _list(chosen: Sequence[Scenario], *, as_json: bool) -> int:
    if as_json:
        print_json([scenario_json(one, ()) for one in chosen])
    else:
        print_table(
            [(one.id, f"{len(one.courses)}", one.title) for one in chosen],
            ("scenario", "courses", "title"),
        )
    return failures.Exit.DONE


def _row(scenario: Scenario, results: Sequence[Result]) -> tuple[str, str, str]:
    if scenario.not_here:
        return scenario.id, "not here", f"{scenario.title}: {scenario.not_here}"
    good = all(result.passed for result in results)
    return scenario.id, "as expected" if good else "FAILED", scenario.title


def _replay(args: argparse.Namespace) -> int:
    chosen = _chosen(read(args.file), args.names)
    results = [result for one in chosen for result in play(one)]
    if args.json:
        print_json([result_json(result) for result in results])
    else:
        for result in results:
            _print(result)
    bad = any(not result.passed for result in results)
    return failures.Exit.FAILED if bad else failures.Exit.DONE


def _print(result: Result) -> None:
    scenario, course = result.scenario, result.course
    print(f"{scenario.id}: {scenario.title}")
    if course is not None and course.binding:
        print(f"  with {course.binding}")
    for played in result.played:
        for line in step_lines(played):
            print(f"  {line}")
    for problem in result.problems:
        print(f"  NOT AS EXPECTED: {problem}")
    print()
