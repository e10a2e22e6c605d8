"""``fuzz coverage``: lines of the protocol core that the fuzzers reach, and those they do not."""

from __future__ import annotations

import argparse

from emulator.cli import failures
from emulator.cli.output import print_json, print_table
from emulator.fuzz.coverage import reporting
from emulator.fuzz.coverage.judging import FILE, judged, judgements
from emulator.fuzz.coverage.measuring import measured
from emulator.fuzz.coverage.playing import PLAYS


def coverage(args: argparse.Namespace) -> int:
    for name in args.plays:
        if name not in PLAYS:
            raise ValueError(f"there is no fuzzer {name}: {', '.join(PLAYS)}")
    rows = judgements(args.judged or FILE)
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
