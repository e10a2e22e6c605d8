"""``fuzz octets``: octets thrown at every parser, guided by coverage."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from emulator.cli import failures
from emulator.cli.output import print_json, print_table
from emulator.fuzz.octets import corpus, covering, crash, merging, registry, replaying, running
from emulator.fuzz.octets.harness import Harness
from emulator.fuzz.octets.progress import Progress
from emulator.fuzz.octets.running import Plan, Ran

_EVERY = 5.0
"""Seconds between two lines of one harness on the terminal."""


def octets(args: argparse.Namespace) -> int:
    if args.coverage:
        return _coverage(args)
    chosen = registry.chosen(args.harnesses, args.file)
    if args.list:
        return _list(chosen, args)
    if args.replay is not None:
        return _replay(chosen, args)
    return _run(chosen, args)


def _list(chosen: tuple[Harness, ...], args: argparse.Namespace) -> int:
    rows = [(one.name, len(corpus.read(args.corpus, one.name)), one.takes) for one in chosen]
    if args.json:
        keys = ("harness", "corpus", "takes")
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
    else:
        print_table([(name, f"{count}", takes) for name, count, takes in rows],
                    ("harness", "corpus", "takes"))  # fmt: skip
    return failures.Exit.DONE


# Running -----------------------------------------------------------------------------------------


class _Teller:
    """Lines of progress, not too many of them, where people see them and programs do not."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last.get(progress.harness, now - _EVERY) >= _EVERY:
            self._last[progress.harness] = now
            print(progress, file=sys.stderr, flush=True)


def _run(chosen: tuple[Harness, ...], args: argparse.Namespace) -> int:
    plan = Plan(
        out=args.out,
        folder=args.corpus,
        seconds=args.seconds,
        runs=-1 if args.runs is None else args.runs,
        seed=args.seed,
        jobs=args.jobs,
        file=args.file,
    )
    by_name = {one.name: one for one in chosen}

    def ran(one: Ran) -> None:
        print(f"{one.progress}, {one.seconds:.0f} s", file=sys.stderr, flush=True)
        if args.keep:
            _keep(by_name[one.harness], one, args.corpus)

    results = running.run(chosen, plan, _Teller().tell, ran)
    crashes = [found for one in results for found in one.crashes]
    if args.json:
        print_json([_ran_json(one) for one in results])
    else:
        print_table([_ran_row(one) for one in results],
                    ("harness", "runs", "runs/s", "edges", "corpus", "crashes"))  # fmt: skip
        for found in crashes:
            print(f"{found.harness}: {found.kind} at {found.place}: {found.words}")
            print(f"  {len(found.octets)} octets in {args.out / found.file_name}")
    return failures.Exit.FAILED if crashes else failures.Exit.DONE


def _keep(harness: Harness, ran: Ran, folder: Path) -> None:
    before = corpus.read(folder, harness.name)
    entries = merging.merged(harness, ran.found, before)
    path = corpus.write(folder, harness.name, entries)
    print(f"{path}: {len(before)} entries before, {len(entries)} now", file=sys.stderr, flush=True)


def _ran_row(ran: Ran) -> tuple[str, ...]:
    progress = ran.progress
    numbers = (progress.runs, progress.rate, progress.edges, progress.corpus, len(ran.crashes))
    return (ran.harness, *map(str, numbers))


def _ran_json(ran: Ran) -> dict[str, object]:
    progress = ran.progress
    return {
        "harness": ran.harness,
        "seconds": round(ran.seconds, 1),
        "runs": progress.runs,
        "runs_per_second": progress.rate,
        "edges": progress.edges,
        "corpus": progress.corpus,
        "crashes": [found.as_json() for found in ran.crashes],
    }


# Replaying ---------------------------------------------------------------------------------------


def _replay(chosen: tuple[Harness, ...], args: argparse.Namespace) -> int:
    if args.replay:
        return _replay_files(args)
    results = replaying.play_corpus(args.corpus, chosen)
    bad = [one for one in results if not one.is_good]
    if args.json:
        print_json([_replayed_json(one) for one in results])
    else:
        print_table(
            [
                (one.harness, f"{one.entries}", f"{len(one.crashes)}", f"{len(one.others)}")
                for one in results
            ],
            ("harness", "entries", "crashes", "other outcomes"),
        )
        for one in bad:
            for found in one.crashes:
                print(f"{one.harness}: {found.kind} at {found.place}: {found.words}")
    return failures.Exit.FAILED if bad else failures.Exit.DONE


def _replayed_json(one: replaying.Replayed) -> dict[str, object]:
    return {
        "harness": one.harness,
        "entries": one.entries,
        "crashes": [found.as_json() for found in one.crashes],
        "others": [entry.octets.hex().upper() for entry in one.others],
    }


def _replay_files(args: argparse.Namespace) -> int:
    rows = []
    for path in args.replay:
        before = crash.read(path)
        harness = registry.get(before.harness, args.file)
        now = crash.found(harness, before.octets)
        rows.append((path, before, now))
        if now is None and args.keep:
            corpus.add_once(args.corpus, harness, before.octets, f"{before.kind} {before.place}")
    if args.json:
        print_json([
            {"file": str(path), "same": now is not None and now.mark == before.mark,
             "crash": None if now is None else now.as_json()}
            for path, before, now in rows
        ])  # fmt: skip
    else:
        for path, before, now in rows:
            print(f"{path}: {before.harness}, {len(before.octets)} octets")
            print(f"  {before.octets.hex().upper()}")
            if before.decoded:
                print(f"  {before.decoded}")
            if now is None:
                print("  nothing happens any more")
                continue
            print(f"  {now.kind} at {now.place}: {now.words}")
            for frame in now.frames:
                print(f"    {frame}")
    return failures.Exit.FAILED if any(now for *_, now in rows) else failures.Exit.DONE


# Coverage ----------------------------------------------------------------------------------------


def _coverage(args: argparse.Namespace) -> int:
    found = covering.measured(args.corpus, args.harnesses)
    if args.json:
        print_json([{"file": one.file, "lines": one.lines, "missing": one.missing}
                    for one in found])  # fmt: skip
        return failures.Exit.DONE
    rows = [(one.file, f"{one.lines}", f"{one.percent:.0f} %", one.missed) for one in found]
    lines = sum(one.lines for one in found)
    there = lines - sum(len(one.missing) for one in found)
    print_table(rows, ("file", "lines", "reached", "never"))
    print(f"{there} of {lines} lines reached, {100 * there / max(lines, 1):.1f} %")
    return failures.Exit.DONE
