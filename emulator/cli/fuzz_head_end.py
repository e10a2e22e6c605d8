"""``fuzz run --head-end``: a head end is met by a meter that misbehaves."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from emulator.cli import failures
from emulator.cli.fuzz_options import SECONDS
from emulator.cli.fuzz_run_file import RUN
from emulator.cli.output import print_json
from emulator.fuzz.breach import Breach
from emulator.fuzz.findings.encounters.filing import file, name_of, path_in
from emulator.fuzz.findings.summary import Summary, write
from emulator.fuzz.head_ends.driven import Driven, command_of
from emulator.fuzz.head_ends.mischief import TASKS, Encounter
from emulator.fuzz.head_ends.scene import HeadEndUnderTest, Ran
from emulator.fuzz.head_ends.searching import Caught, Searched, search
from emulator.fuzz.scenario.writing_fields import table


def search_head_end(args: argparse.Namespace) -> int:
    """``--steps`` are encounters, of several errands each."""
    driven = driven_of(args)
    seconds = SECONDS if args.seconds is None and args.steps is None else args.seconds

    def tell(
        number: int, encounter: Encounter, ran: Sequence[Ran], found: Sequence[Breach]
    ) -> None:
        for breach in found:
            print(f"encounter {number}: {breach}", file=sys.stderr)

    def keep(caught: Caught) -> None:
        if args.out is not None:
            file(args.out, caught, driven)

    searched = asyncio.run(
        search(
            HeadEndUnderTest.of(driven),
            most=args.steps,
            seconds=seconds,
            seed=args.seed,
            tasks=args.task or TASKS,
            stop_at_first=args.first,
            on_encounter=tell,
            on_caught=keep,
        )
    )
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        write(args.out / RUN, _summary(searched, driven, args.seed))
    if args.json:
        print_json(_json(searched, args))
    else:
        _print(searched, args)
    return failures.Exit.FAILED if searched.caught else failures.Exit.DONE


def driven_of(args: argparse.Namespace) -> Driven:
    """The head end of a command line. ``ValueError`` if the command is told nothing."""
    try:
        command = command_of(args.head_end)
    except ValueError as error:
        raise ValueError(f"--head-end: {error}") from None
    return Driven(command=command, way=args.way, answer=args.answer, forgets=args.forgets)


def _summary(searched: Searched, driven: Driven, seed: int) -> Summary:
    """Errands are its steps, and encounters its runs."""
    return Summary(
        target=f"head end: {driven}",
        profile="laboratory",
        seed=seed,
        processes=1,
        steps=searched.errands,
        runs=searched.encounters,
        seconds=round(searched.seconds, 3),
        cosemlab=version("cosemlab"),
        seconds_to_first=searched.to_first,
        findings=tuple(map(name_of, searched.caught)),
    )


def lines(encounter: Encounter) -> list[str]:
    """An encounter for people."""
    said = [] if encounter.meter == "none" else [f"the meter: {encounter.meter}"]
    for errand in encounter.errands:
        said.append(errand.head)
        said += [f"  {mischief}" for mischief in errand.mischiefs]
    return said


def _print(searched: Searched, args: argparse.Namespace) -> None:
    for one in searched.caught:
        print(f"{name_of(one)}: {one.breach}")
        for line in lines(one.encounter):
            print(f"  {line}")
        print(f"  found in encounter {one.number}, after {one.seconds:.1f} s")
        if args.out is not None:
            print(f"  {path_in(args.out, one)}")
    print(
        f"{len(searched.caught)} found; {searched.encounters} encounters of"
        f" {searched.errands} errands, {searched.seconds:.1f} s"
    )


def _json(searched: Searched, args: argparse.Namespace) -> dict[str, Any]:
    return {
        "encounters": searched.encounters,
        "errands": searched.errands,
        "seconds": round(searched.seconds, 3),
        "found": [
            {
                "name": name_of(one),
                "invariant": one.breach.invariant,
                "shape": one.breach.shape,
                "words": one.breach.words,
                "number": one.number,
                "seconds": round(one.seconds, 3),
                "encounter": table(one.encounter),
                "file": None if args.out is None else str(path_in(args.out, one)),
            }
            for one in searched.caught
        ],
    }
