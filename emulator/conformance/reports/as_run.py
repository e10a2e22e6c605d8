"""The run that a JSON document was made from."""

from __future__ import annotations

from emulator.conformance.probing.record import Direction, Entry, Level
from emulator.conformance.reports.document import Document
from emulator.conformance.running.result import (
    CaseResult,
    Difference,
    RunResult,
    Standing,
    StepResult,
    Transport,
    Verdict,
)


def to_run(document: Document) -> RunResult:
    """Of a document that was checked."""
    return RunResult(
        device=document["device"],
        declaration=document["declaration"],
        way=document["way"],
        seed=document["seed"],
        started=document["started"],
        version=document["version"],
        strict=document["strict"],
        cases=tuple(_case(one) for one in document["cases"]),
        key_log=tuple(document["key_log"]),
        transport=Transport(document["transport"]),
        port=document["port"],
        called=document["called"],
    )


def _case(case: Document) -> CaseResult:
    return CaseResult(
        id=case["id"],
        verdict=Verdict(case["verdict"]),
        standing=Standing(case["standing"]),
        reasons=tuple(case["reasons"]),
        steps=tuple(_step(one) for one in case["steps"]),
        record=tuple(entry_of(one) for one in case["record"]),
        seconds=case["seconds"],
        expected=case["expected"],
    )


def _step(step: Document) -> StepResult:
    first, behind = step["entries"]
    return StepResult(
        step=step["step"],
        subtest=step["subtest"],
        sends=step["sends"],
        verdict=Verdict(step["verdict"]),
        answer=step["answer"],
        seen=step["seen"],
        differences=tuple(Difference(**one) for one in step["differences"]),
        entries=(first, behind),
        reason=step["reason"],
        notes=tuple(step["notes"]),
    )


def entry_of(entry: Document) -> Entry:
    pair = entry["pair"]
    return Entry(
        at=entry["at"],
        direction=Direction(entry["direction"]),
        level=Level(entry["level"]),
        octets=bytes.fromhex(entry["octets"]),
        text=entry["text"],
        line=entry["line"],
        pair=None if pair is None else (pair[0], pair[1]),
        key=entry["key"],
        counter=entry["counter"],
    )
