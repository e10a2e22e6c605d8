"""``make bench``: our speed beside that of two other packages, in the same run.

Ends by itself in less than three minutes. The exit code is 1 if a row misses what it promises; such
a row gets a second try first, for the machine is shared.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import sys
from collections.abc import Iterator
from typing import TextIO

import peers
import place
import rows_ciphering
import rows_codec
import rows_custody
import rows_loopback
import rows_server
import table
from measure import FULL, QUICK, Effort, Result, Row, measure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds, and worth as much")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    effort = QUICK if args.quick else FULL
    out = sys.stdout  # before the peers' prints are sent elsewhere
    progress = None if args.json else out
    with peers.silenced(), place.opened() as where:
        rows = itertools.chain(
            rows_codec.rows(),
            rows_ciphering.rows(),
            rows_loopback.rows(where),
            rows_server.rows(where),
            rows_custody.rows(where),
        )
        results = _measure_all(rows, effort, progress)
    if args.json:
        print(json.dumps(table.as_json(results), indent=2))
    else:
        print(f"\n{table.verdict(results)}\n{table.LEGEND}")
    return int(any(result.missed for result in results))


def _measure_all(rows: Iterator[Row], effort: Effort, progress: TextIO | None) -> list[Result]:
    gc.freeze()  # what has been imported need not be looked at before every batch
    results: list[Result] = []
    if progress is not None:
        print(table.HEADER, file=progress)
    group = ""
    for row in rows:
        result = measure(row, effort)
        if result.missed:
            result = measure(row, effort)
        results.append(result)
        if progress is not None:
            if row.group != group:
                group = row.group
                print(f"\n{group}", file=progress)
            print(table.line(result), file=progress, flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
