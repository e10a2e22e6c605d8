"""``fuzz coverage``: lines of the protocol core that the fuzzers reach, and those they do not."""

from __future__ import annotations

import argparse
from pathlib import Path

from emulator.cli import failures, options
from emulator.cli.output import print_json, print_table
from emulator.fuzz.coverage import reporting
from emulator.fuzz.coverage.judging import FILE, judged, judgements
from emulator.fuzz.coverage.measuring import measured
from emulator.fuzz.coverage.playing import PLAYS


def register(whats: options.SubParsers) -> None:
    coverage = whats.add_parser(
        "coverage",
        help="the lines of dlms/ and of the keys of devices/ that the fuzzers reach",
        description="Plays the scenarios, the machine, the corpora of octets, the learner and all"
        " that our client can ask, with the package coverage. Exit status 1 if a line that none of"
        " them reaches has no judgement in judged.toml. It takes some minutes.",
    )
    coverage.add_argument(
        "plays", nargs="*", metavar="FUZZER", help=f"only these: {', '.join(PLAYS)}"
    )
    coverage.add_argument("--into", type=Path, metavar="FILE", help="write the page into a file")
    coverage.add_argument(
        "--judged", type=Path, metavar="FILE", default=FILE, help="other judgements"
    )
    coverage.add_argument(
        "--unjudged", action="store_true", help="only list the lines that nobody has judged"
    )
    options.add_json(coverage)
    coverage.set_defaults(run=lambda args: failures.guard(lambda: _coverage(args)))


def _coverage(args: argparse.Namespace) -> int:
    for name in args.plays:
        if name not in PLAYS:
            raise ValueError(f"there is no fuzzer {name}: {', '.join(PLAYS)}")
    rows = judgements(args.judged)
    found = measured(args.plays or PLAYS)
    all_judged = judged((place for one in found for place in one.places), rows)
    if args.json:
        print_json(reporting.as_json(found, all_judged))
    elif args.unjudged:
        print("\n".join(reporting.listed(all_judged.open)))
    else:
        print_table(reporting.rows(found), reporting.HEAD)
        print()
        print_table(reporting.by_play(found), ("fuzzer", "%", "only by it"))
        print()
        print("\n".join(reporting.listed(all_judged.open)))
        for row in all_judged.idle if not args.plays else ():
            print(f"nothing is left of {row.file}: {row.function} ({', '.join(row.texts)})")
        print(reporting.summed(all_judged))
    if args.into is not None:
        args.into.write_text(reporting.page(found, all_judged), "utf-8")
    return failures.Exit.FAILED if all_judged.open else failures.Exit.DONE
