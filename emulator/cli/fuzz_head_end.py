"""``fuzz run --head-end``: a head end is met by a meter that misbehaves."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from collections.abc import Sequence
from typing import Any

from emulator.cli import failures
from emulator.cli.fuzz_options import SECONDS
from emulator.cli.output import print_json
from emulator.fuzz.breach import Breach
from emulator.fuzz.head_ends.mischief import Encounter
from emulator.fuzz.head_ends.scene import HeadEndUnderTest, Ran
from emulator.fuzz.head_ends.searching import Searched, search


def search_head_end(args: argparse.Namespace) -> int:
    """``--steps`` are encounters, of several errands each."""
    command = shlex.split(args.head_end)
    if not any("{material}" in part for part in command):
        raise ValueError("--head-end: {material} is missing, the file with keys and addresses")
    head_end = HeadEndUnderTest(command=command, answer=args.answer, keeps=not args.forgets)
    seconds = SECONDS if args.seconds is None and args.steps is None else args.seconds

    def tell(
        number: int, encounter: Encounter, ran: Sequence[Ran], found: Sequence[Breach]
    ) -> None:
        for breach in found:
            print(f"encounter {number}: {breach}", file=sys.stderr)

    searched = asyncio.run(
        search(
            head_end,
            most=args.steps,
            seconds=seconds,
            seed=args.seed,
            stop_at_first=args.first,
            on_encounter=tell,
        )
    )
    if args.json:
        print_json(_json(searched))
    else:
        _print(searched)
    return failures.Exit.FAILED if searched.caught else failures.Exit.DONE


def _lines(encounter: Encounter) -> list[str]:
    lines = [] if encounter.meter == "none" else [f"the meter: {encounter.meter}"]
    for errand in encounter.errands:
        power = ", after a loss of power" if errand.power else ""
        lines.append(f"{errand.task}{power}")
        lines += [f"  {mischief}" for mischief in errand.mischiefs]
    return lines


def _print(searched: Searched) -> None:
    for one in searched.caught:
        print(f"{one.breach}")
        for line in _lines(one.encounter):
            print(f"  {line}")
        print(f"  found in encounter {one.number}, after {one.seconds:.1f} s")
    print(
        f"{len(searched.caught)} found; {searched.encounters} encounters of"
        f" {searched.errands} errands, {searched.seconds:.1f} s"
    )


def _json(searched: Searched) -> dict[str, Any]:
    return {
        "encounters": searched.encounters,
        "errands": searched.errands,
        "seconds": round(searched.seconds, 3),
        "found": [
            {
                "invariant": one.breach.invariant,
                "shape": one.breach.shape,
                "words": one.breach.words,
                "number": one.number,
                "seconds": round(one.seconds, 3),
                "encounter": {
                    "meter": one.encounter.meter,
                    "seed": one.encounter.seed,
                    "errands": [
                        {
                            "task": errand.task,
                            "power": errand.power,
                            "mischiefs": [[bad.at, bad.kind] for bad in errand.mischiefs],
                        }
                        for errand in one.encounter.errands
                    ],
                },
            }
            for one in searched.caught
        ],
    }
