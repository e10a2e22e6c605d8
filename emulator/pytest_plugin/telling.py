"""What came of a check, for people: the rule, what was sent, what came, and where it differs."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.conformance import Check
from emulator.conformance.probing.record import Direction, Entry, Level
from emulator.conformance.running.result import CaseResult, Difference, StepResult, Verdict

_GOOD = (Verdict.PASSED, Verdict.INFORMATIONAL)
_ROW = 16
"""Octets in a line."""


def told(check: Check, result: CaseResult) -> str:
    """Several lines: the check, why it is not plainly passed, and each step that is not good."""
    return "\n".join(_lines(check, result))


def _lines(check: Check, result: CaseResult) -> Iterator[str]:
    yield f"{result.verdict.value}  {check.id}: {check.title}"
    yield f"{check.origin.value}, {check.severity.value}; {check.clause}"
    if check.rules:
        yield f"rules: {', '.join(check.rules)}"
    for reason in result.reasons:
        yield f"reason: {reason}"
    for step in result.steps:
        if step.verdict not in _GOOD or step.notes:
            yield ""
            yield from _step(step, result.record)


def _step(step: StepResult, record: tuple[Entry, ...]) -> Iterator[str]:
    subtest = f" (subtest {step.subtest})" if step.subtest else ""
    yield f"step {step.step}{subtest}: {step.verdict.value}: {step.sends}"
    if step.reason:
        yield f"  reason: {step.reason}"
    if step.answer:
        yield f"  answer: {step.answer}"
    if step.seen:
        yield f"  seen: {step.seen}"
    for note in step.notes:
        yield f"  note: {note}"
    for difference in step.differences:
        yield from _difference(difference, record)
    first, behind = step.entries
    if step.verdict not in _GOOD and first < behind:
        yield "  on the line:"
        for entry in record[first:behind]:
            yield from _entry(entry)


def _difference(difference: Difference, record: tuple[Entry, ...]) -> Iterator[str]:
    yield f"  not {difference.answer}: expected {difference.expected}, got {difference.actual}"
    if difference.entry is not None and difference.offset is not None:
        yield f"    octet {difference.offset}:"
        octets = record[difference.entry].octets
        start = difference.offset - difference.offset % _ROW
        yield f"    {start:04X}  {octets[start : start + _ROW].hex(' ').upper()}"
        yield f"          {' ' * 3 * (difference.offset - start)}^^"


def _entry(entry: Entry) -> Iterator[str]:
    head = f"    {entry.at:8.3f} s  {entry.direction.value} "
    if entry.direction is Direction.NOTE:
        yield f"{head} {entry.text}"
        return
    counter = "" if entry.counter is None else f" IC={entry.counter}"
    key = f" key={entry.key}" if entry.key else ""
    yield f"{head} {entry.level.value}{key}{counter} {entry.text}".rstrip()
    if entry.level is Level.NOTE:
        return
    for start in range(0, len(entry.octets), _ROW):
        yield f"      {start:04X}  {entry.octets[start : start + _ROW].hex(' ').upper()}"
