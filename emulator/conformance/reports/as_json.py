"""A run as a JSON document: the source of every other report."""

from __future__ import annotations

from emulator.conformance import DISCLAIMER, Catalogue, UnknownCheck
from emulator.conformance.catalogue.check import Check
from emulator.conformance.catalogue.describing import origin_of
from emulator.conformance.catalogue.describing import to_json as check_json
from emulator.conformance.probing.record import Entry
from emulator.conformance.reports.document import SCHEMA, VERSION, Document, counted
from emulator.conformance.running.result import CaseResult, Difference, RunResult, StepResult


def to_json(run: RunResult, catalogue: Catalogue) -> Document:
    """The document. Octets are hexadecimal, as they were on the line: it may hold a password that
    was sent in clear, and with ``key_log`` the secrets of TLS sessions. Comments of a key log are
    left out.

    :class:`~emulator.conformance.UnknownCheck` if a case is of no check of the catalogue.
    """
    checks = [_check_of(one, catalogue) for one in run.cases]
    cases = [_case(one, check, catalogue) for one, check in zip(run.cases, checks, strict=True)]
    groups = catalogue.words.groups
    used = {one.group for one in checks}
    return {
        "schema": SCHEMA,
        "schema_version": VERSION,
        "disclaimer": DISCLAIMER,
        "device": run.device,
        "declaration": run.declaration,
        "way": run.way,
        "transport": run.transport.value,
        "port": run.port,
        "called": run.called,
        "seed": run.seed,
        "started": run.started,
        "version": run.version,
        "strict": run.strict,
        "summary": counted(cases),
        "groups": [
            {"name": name, "title": group.title, "document": group.document}
            for name, group in groups.items()
            if name in used
        ],
        "cases": cases,
        "key_log": [line for line in run.key_log if line and not line.startswith("#")],
    }


def _check_of(case: CaseResult, catalogue: Catalogue) -> Check:
    try:
        return catalogue.checks[case.id]
    except KeyError:
        raise UnknownCheck(f"a case of {case.id!r}, of which there is no check") from None


def _case(case: CaseResult, check: Check, catalogue: Catalogue) -> Document:
    return {
        "id": case.id,
        "verdict": case.verdict.value,
        "standing": case.standing.value,
        "reasons": list(case.reasons),
        "expected": case.expected,
        "seconds": case.seconds,
        "requirement": _requirement(check, catalogue),
        "steps": [_step(one) for one in case.steps],
        "record": [_entry(one) for one in case.record],
    }


def _requirement(check: Check, catalogue: Catalogue) -> Document:
    words = catalogue.words
    evidence = check.evidence
    labels = dict.fromkeys((*evidence.purpose, *evidence.steps, *evidence.clause))
    return {
        **check_json(check),
        "origin_says": origin_of(check, words),
        "start_says": words.starts[check.start],
        "evidence_says": {one: words.evidence[one] for one in labels},
    }


def _step(step: StepResult) -> Document:
    return {
        "step": step.step,
        "subtest": step.subtest,
        "sends": step.sends,
        "verdict": step.verdict.value,
        "answer": step.answer,
        "seen": step.seen,
        "differences": [_difference(one) for one in step.differences],
        "entries": list(step.entries),
        "reason": step.reason,
        "notes": list(step.notes),
    }


def _difference(difference: Difference) -> Document:
    return {
        "answer": difference.answer,
        "expected": difference.expected,
        "actual": difference.actual,
        "entry": difference.entry,
        "offset": difference.offset,
    }


def _entry(entry: Entry) -> Document:
    return {
        "at": entry.at,
        "direction": entry.direction.value,
        "level": entry.level.value,
        "octets": entry.octets.hex(),
        "text": entry.text,
        "line": entry.line,
        "pair": None if entry.pair is None else list(entry.pair),
        "key": entry.key,
        "counter": entry.counter,
    }
