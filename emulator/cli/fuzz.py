"""``fuzz``: the life of keys tried out: scenarios, searches, and what they find.

Only the options are here. What a command needs is imported when it is chosen: nobody waits for
Hypothesis to get a meter.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from emulator.cli import (
    failures,
    fuzz_gallery_options,
    fuzz_learning_options,
    fuzz_octets_options,
    fuzz_options,
    options,
)

SCENARIOS = Path(__file__).parents[2] / "fixtures" / "scenarios"
"""Those of the repository; an installed package has none."""


def register(subparsers: options.SubParsers) -> None:
    fuzz = subparsers.add_parser(
        "fuzz", help="the life of keys tried out: scenarios, searches, and what they find"
    )
    whats = fuzz.add_subparsers(dest="what", metavar="WHAT", required=True)
    _register_scenarios(whats)
    _register_replay(whats)
    fuzz_options.register(whats, later)
    fuzz_gallery_options.register(whats, later)
    fuzz_learning_options.register(whats, later)
    fuzz_octets_options.register(whats, later)


def later(module: str, name: str) -> Callable[[argparse.Namespace], int]:
    """The command of that name, whose module is imported when it runs."""

    def run(args: argparse.Namespace) -> int:
        def command() -> int:
            status: int = getattr(import_module(f"emulator.cli.{module}"), name)(args)
            return status

        return failures.guard(command)

    return run


def _register_scenarios(whats: options.SubParsers) -> None:
    scenarios = whats.add_parser(
        "scenarios",
        help="play scenarios on a meter, and print what came of them",
        description="Without a NAME all are played; a NAME is that of a scenario, or what several"
        " begin with, KL-IC for example. Exit status 1 if any came out otherwise than it says.",
    )
    scenarios.add_argument("names", nargs="*", metavar="NAME", help="which, by name")
    scenarios.add_argument(
        "--from", dest="folder", type=Path, metavar="DIR", default=SCENARIOS,
        help="folder of *.json, by default fixtures/scenarios of the repository",
    )  # fmt: skip
    scenarios.add_argument("--list", action="store_true", help="only say which there are")
    fuzz_options.add_target(scenarios)
    options.add_json(scenarios)
    scenarios.set_defaults(run=later("fuzz_scenarios", "scenarios"))


def _register_replay(whats: options.SubParsers) -> None:
    replay = whats.add_parser(
        "replay",
        help="play one file step by step, with the octets and what they mean",
        description="A file of scenarios, or a finding: with it all invariants are looked after,"
        " and those that are broken are named. Octets that were recorded must pass again. Exit"
        " status 1 if anything is not as expected.",
    )
    replay.add_argument("file", type=Path, metavar="FILE")
    replay.add_argument("names", nargs="*", metavar="NAME", help="of those in the file, by name")
    fuzz_options.add_target(replay)
    fuzz_options.add_command(replay)
    options.add_json(replay)
    replay.set_defaults(run=later("fuzz_replay", "replay"))
