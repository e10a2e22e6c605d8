"""The end of a run in a terminal: what went wrong, and how much went well."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TextIO

from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.reports import hexadecimal
from emulator.conformance.reports.document import Document
from emulator.conformance.reports.showing import Picture, Showing, blamed
from emulator.conformance.running.result import Standing, Verdict

ROWS = 8
"""Rows of octets of one entry, besides those around a mark."""

_RED, _GREEN, _YELLOW, _DIM = "31", "32", "33", "2"
_COLOURS = {
    Verdict.PASSED.value: _GREEN,
    Verdict.NON_STRICT.value: _YELLOW,
    Verdict.INCONCLUSIVE.value: _YELLOW,
    Verdict.FAILED.value: _RED,
    Verdict.ERROR.value: _RED,
    Verdict.INAPPLICABLE.value: _DIM,
}


class Painter:
    """Colours, or none: not without a terminal, and not if NO_COLOR is set to anything."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    @classmethod
    def of(cls, out: TextIO) -> Painter:
        return cls(colours=out.isatty() and not os.environ.get("NO_COLOR"))

    def verdict(self, verdict: str, text: str = "") -> str:
        return self._painted(text or verdict, _COLOURS.get(verdict, ""))

    def mark(self, text: str) -> str:
        return self._painted(text, _RED)

    def dim(self, text: str) -> str:
        return self._painted(text, _DIM)

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours and colour else text


def summary(document: Document, painter: Painter) -> Iterator[str]:
    """The report, line by line."""
    showing = Showing(document)
    shown = showing.document
    yield f"{shown['device']} ({shown['declaration']}), {shown['way']}, seed {shown['seed']}"
    for group in shown["groups"]:
        cases = [one for one in showing.of_group(group["name"]) if _is_told(one)]
        if cases:
            yield ""
            yield f"{group['name']}: {group['title']}"
        for case in cases:
            yield from _case(case, showing, painter)
    yield ""
    yield from counts(shown, painter)
    yield ""
    yield shown["disclaimer"]


def counts(document: Document, painter: Painter) -> Iterator[str]:
    """How many cases there are of each verdict, and of what was not expected."""
    found = document["summary"]
    parts = [
        painter.verdict(name, f"{count} {name}")
        for name, count in found["verdicts"].items()
        if count
    ]
    yield f"{found['cases']} cases: {', '.join(parts) or 'none was run'}"
    for standing in (Standing.EXPECTED_FAILURE, Standing.UNEXPECTED_PASS):
        count = found["standings"][standing.value]
        if count:
            yield f"{count} of them {standing.value}"


def _is_told(case: Document) -> bool:
    """Whether there is more to say of a case than that it is well."""
    return case["verdict"] not in (Verdict.PASSED.value, Verdict.INAPPLICABLE.value) or (
        case["standing"] != Standing.GOOD.value
    )


def _case(case: Document, showing: Showing, painter: Painter) -> Iterator[str]:
    requirement = case["requirement"]
    verdict = painter.verdict(case["verdict"])
    standing = "" if case["standing"] in ("good", "bad") else f", {case['standing']}"
    yield f"  {verdict}  {case['id']}  {requirement['title']}{standing}"
    for reason in case["reasons"]:
        yield f"      {reason}"
    if case["expected"]:
        yield f"      declared to fail: {case['expected']}"
    failed = case["verdict"] in (Verdict.FAILED.value, Verdict.NON_STRICT.value)
    if not failed:
        return
    rules = f"; {', '.join(requirement['rules'])}" if requirement["rules"] else ""
    yield f"      {requirement['clause']}{rules} ({requirement['origin_says']})"
    for step in blamed(case):
        yield from _step(step, case, showing, painter)


def _step(step: Document, case: Document, showing: Showing, painter: Painter) -> Iterator[str]:
    subtest = f" (subtest {step['subtest']})" if step["subtest"] else ""
    yield f"      step {step['step']}{subtest}: {painter.verdict(step['verdict'])}"
    yield f"        sent      {step['sends']}"
    if step["answer"]:
        yield f"        answer    {step['answer']}"
    if step["seen"]:
        yield f"        seen      {step['seen']}"
    if step["reason"]:
        yield f"        reason    {step['reason']}"
    for difference in step["differences"]:
        yield f"        {difference['answer']}"
        yield f"          expected  {difference['expected']}"
        yield f"          actual    {difference['actual']}"
    for note in step["notes"]:
        yield f"        note      {note}"
    for number in _entries(step, case["record"]):
        yield from _entry(number, case, showing, painter)


def _entries(step: Document, record: list[Document]) -> list[int]:
    """Those that a difference is about, and what was sent last before each on the same level; with
    an APDU beneath its protection also the protected ones. Without any, all of the step.
    """
    first, behind = step["entries"]
    told = {one["entry"] for one in step["differences"] if one["entry"] is not None}
    for one in tuple(told):
        if record[one]["level"] != Level.PLAIN.value:
            told.update(_last(record, Direction.SENT, record[one]["level"], first, one))
            continue
        told.update(_last(record, Direction.RECEIVED, Level.APDU.value, first, one))
        sent = _last(record, Direction.SENT, Level.APDU.value, first, one)
        told.update(
            sent, *(_last(record, Direction.SENT, Level.PLAIN.value, at - 1, at) for at in sent)
        )
    return sorted(told) if told else list(range(first, behind))


def _last(
    record: list[Document], direction: Direction, level: str, first: int, behind: int
) -> list[int]:
    """The last entry of a kind from ``first`` on and before ``behind``, if there is one."""
    found = [
        number
        for number in range(max(first, 0), behind)
        if record[number]["direction"] == direction.value and record[number]["level"] == level
    ]
    return found[-1:]


def _entry(number: int, case: Document, showing: Showing, painter: Painter) -> Iterator[str]:
    entry = case["record"][number]
    picture = showing.picture(case, number)
    says = " ".join(part for part in (picture.says, entry["text"]) if part)
    yield f"        {entry['at']:9.3f} {entry['direction']} {entry['level']}: {says}"
    yield from _octets(picture, painter)
    for place in sorted(picture.marks):
        named = [one for one in picture.fields if one.start <= place < one.stop]
        field = f" in {named[0].name}" if named else " is not there"
        yield painter.mark(f"                  octet {place}{field}")


def _octets(picture: Picture, painter: Painter) -> Iterator[str]:
    for row in hexadecimal.rows(picture, ROWS):
        if row.skipped:
            yield painter.dim(f"                  ... {row.skipped} octets")
        cells = [
            painter.mark(octet) if row.start + at in row.marks else octet
            for at, octet in enumerate(row.octets)
        ]
        yield f"            {row.start:04x}  {' '.join(cells)}"
        if row.marks:
            under = "".join(
                "^^ " if row.start + at in row.marks else "   " for at in range(len(row.octets))
            )
            yield painter.mark(f"                  {under.rstrip()}")
    rest = hexadecimal.left_out(picture, ROWS)
    if rest:
        yield painter.dim(f"                  ... {rest} octets")
