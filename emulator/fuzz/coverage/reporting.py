"""Coverage as a table, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from emulator.fuzz.coverage.judging import Judged, Verdict
from emulator.fuzz.coverage.measuring import Measured
from emulator.fuzz.coverage.scope import Place

HEAD = ("file", "lines", "reached", "%", "never")


def rows(found: Sequence[Measured]) -> list[tuple[str, str, str, str, str]]:
    """One for each file, and the sum."""
    table = [(one.file, len(one.lines), len(one.never)) for one in found]
    lines, never = sum(row[1] for row in table), sum(row[2] for row in table)
    return [
        (file, f"{count}", f"{count - left}", percent(count, left), f"{left or ''}")
        for file, count, left in [*table, ("all", lines, never)]
    ]


def percent(lines: int, never: int) -> str:
    return f"{100 * (lines - never) / lines:.1f}"


def by_play(found: Sequence[Measured]) -> list[tuple[str, str, str]]:
    """What each fuzzer reaches, and what only it does."""
    lines = sum(len(one.lines) for one in found)
    table = []
    for name in found[0].reached:
        reached = sum(len(one.reached[name]) for one in found)
        only = sum(
            len(
                one.reached[name].difference(
                    *(lines for other, lines in one.reached.items() if other != name)
                )
            )
            for one in found
        )
        table.append((name, f"{100 * reached / lines:.1f}", f"{only}"))
    return table


def listed(places: Sequence[Place]) -> list[str]:
    """Places under their functions."""
    lines = []
    for (file, function), group in groupby(places, key=lambda one: (one.file, one.function)):
        lines.append(f"{file}: {function}")
        lines += [f"    {place.text}" for place in group]
    return lines


def summed(judged: Judged) -> str:
    counts = dict.fromkeys(Verdict, 0)
    for _, row in judged.places:
        counts[row.verdict] += 1
    said = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())
    return f"never reached: {said}, {len(judged.open)} not judged"


def page(found: Sequence[Measured], judged: Judged) -> str:
    """The page of docs/, all of it."""
    lines = [
        "# Coverage of the protocol core by the fuzzers",
        "",
        "Written by `make fuzz-coverage`. Lines are those of functions: what runs when a module is"
        " imported is no matter of fuzzing. What plays is described in [fuzzing](fuzzing.md);"
        " judgements are in `emulator/fuzz/coverage/judged.toml`.",
        "",
        "| fuzzer | reaches, in % | lines that only it reaches |",
        "|---|--:|--:|",
        *(f"| {' | '.join(row)} |" for row in by_play(found)),
        "",
        f"| {' | '.join(HEAD)} |",
        "|---|--:|--:|--:|--:|",
        *(f"| {' | '.join(row)} |" for row in rows(found)),
        "",
        "## Never reached",
        "",
        f"{summed(judged).capitalize()}.",
    ]
    for verdict in Verdict:
        mine = [(place, row) for place, row in judged.places if row.verdict is verdict]
        if not mine:
            continue
        lines += [
            "",
            f"### {verdict.value.capitalize()}",
            "",
            "| where | lines | why |",
            "|---|--:|---|",
        ]
        groups: dict[tuple[str, str], list[Place]] = {}
        for place, row in mine:
            groups.setdefault((place.file, row.why), []).append(place)
        for (file, why), places in groups.items():
            functions = ", ".join(f"`{name}`" for name in dict.fromkeys(p.function for p in places))
            lines.append(f"| `{file}`: {functions} | {len(places)} | {why} |")
    if judged.open:
        lines += ["", "### Not judged", "", "```", *listed(judged.open), "```"]
    return "\n".join((*lines, ""))


def as_json(found: Sequence[Measured], judged: Judged) -> dict[str, Any]:
    return {
        "files": [
            {
                "file": one.file,
                "lines": len(one.lines),
                "reached": {name: len(lines) for name, lines in one.reached.items()},
                "never": list(one.never),
            }
            for one in found
        ],
        "judged": [
            {**place._asdict(), "verdict": row.verdict.value, "why": row.why}
            for place, row in judged.places
        ],
        "not_judged": [place._asdict() for place in judged.open],
        "idle_judgements": [row._asdict() | {"verdict": row.verdict.value} for row in judged.idle],
    }
