"""A run as SARIF 2.1.0 (OASIS): a rule for each check, a result for each case.

A case has no place in a source file: its result is of the declaration, and of check and step as
logical locations. What went over the line in a step that failed is a code flow.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote

from emulator.conformance.catalogue.check import Severity
from emulator.conformance.reports.document import Document, is_failure
from emulator.conformance.reports.exit_code import RunExit, exit_code
from emulator.conformance.reports.reading import started_of
from emulator.conformance.reports.showing import Showing, blamed
from emulator.conformance.running.result import Standing, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL.value: "error",
    Severity.MAJOR.value: "error",
    Severity.MINOR.value: "warning",
    Severity.INFORMATIONAL.value: "note",
}
_KINDS = {
    Verdict.PASSED.value: "pass",
    Verdict.NON_STRICT.value: "fail",
    Verdict.INFORMATIONAL.value: "informational",
    Verdict.INAPPLICABLE.value: "notApplicable",
    Verdict.INCONCLUSIVE.value: "open",
    Verdict.FAILED.value: "fail",
    Verdict.ERROR.value: "open",
}
_ENTRIES = 200
"""Entries of a code flow: more are not looked through by anybody."""


def sarif(document: Document) -> Document:
    """The log. Of NON_STRICT the level is "note", unless the run was strict; what could not be
    judged has kind "open", and a tester that failed is an error of the invocation besides.
    """
    showing = Showing(document)
    shown = showing.document
    requirements = {one["id"]: one["requirement"] for one in shown["cases"]}
    places = {id: number for number, id in enumerate(requirements)}
    started = started_of(shown["started"]).astimezone(dt.UTC)
    status = exit_code(document)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cosemlab conform",
                        "version": shown["version"],
                        "fullDescription": {"text": shown["disclaimer"]},
                        "rules": [_rule(one) for one in requirements.values()],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": status is not RunExit.NOT_JUDGED,
                        "startTimeUtc": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "exitCode": int(status),
                        "toolExecutionNotifications": [
                            _notification(one, places[one["id"]])
                            for one in shown["cases"]
                            if one["verdict"] == Verdict.ERROR.value
                        ],
                    }
                ],
                "results": [_result(one, places[one["id"]], showing) for one in shown["cases"]],
                "columnKind": "unicodeCodePoints",
                "properties": {
                    name: shown[name]
                    for name in ("device", "declaration", "way", "seed", "strict", "disclaimer")
                },
            }
        ],
    }


def _rule(requirement: Document) -> Document:
    steps = [f"{one['name']}: {one['sends']}" for one in requirement["steps"]]
    help_text = "\n".join(
        [
            f"{requirement['clause']} ({requirement['origin_says']}).",
            *(f"Rules: {', '.join(requirement['rules'])}." for _ in requirement["rules"][:1]),
            f"Applies to: {requirement['applies']}.",
            *(steps or ["Which steps it has is not known."]),
        ]
    )
    return {
        "id": requirement["id"],
        "shortDescription": {"text": requirement["title"]},
        "fullDescription": {"text": f"{requirement['title']}. {requirement['origin_says']}."},
        "help": {"text": help_text},
        "defaultConfiguration": {"level": _LEVELS[requirement["severity"]]},
        "properties": {
            "tags": [requirement["group"], requirement["origin"]],
            "origin": requirement["origin"],
            "severity": requirement["severity"],
            "clause": requirement["clause"],
        },
    }


def _notification(case: Document, place: int) -> Document:
    return {
        "level": "error",
        "message": {"text": "; ".join(case["reasons"]) or "The tester failed."},
        "associatedRule": {"id": case["id"], "index": place},
    }


def _result(case: Document, place: int, showing: Showing) -> Document:
    shown = showing.document
    kind, level = _judged(case, strict=shown["strict"])
    result: Document = {
        "ruleId": case["id"],
        "ruleIndex": place,
        "kind": kind,
        "level": level,
        "message": {"text": _message(case)},
        "locations": [_location(case, shown)],
        "partialFingerprints": {"check/v1": case["id"]},
        "properties": {
            "verdict": case["verdict"],
            "standing": case["standing"],
            "seconds": case["seconds"],
        },
    }
    if case["standing"] == Standing.EXPECTED_FAILURE.value:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": case["expected"]}
        ]
    flows = [flow for step in blamed(case) for flow in _flow(step, case, showing)]
    if flows and kind == "fail":
        result["codeFlows"] = flows
    return result


def _judged(case: Document, *, strict: bool) -> tuple[str, str]:
    """Kind and level. A level other than "none" goes with kind "fail" alone (3.27.9, 3.27.10)."""
    severity = _LEVELS[case["requirement"]["severity"]]
    if case["standing"] == Standing.UNEXPECTED_PASS.value:
        return "fail", severity
    kind = _KINDS[case["verdict"]]
    if kind != "fail":
        return kind, "none"
    non_strict = case["verdict"] == Verdict.NON_STRICT.value
    return kind, "note" if non_strict and not is_failure(case, strict=strict) else severity


def _message(case: Document) -> str:
    """What became of it; of each step that is not plainly passed, what was expected and came."""
    lines = [f"{case['requirement']['title']}: {case['verdict']}"]
    if case["standing"] == Standing.UNEXPECTED_PASS.value:
        lines[0] += f", though it was declared to fail: {case['expected']}"
    lines += case["reasons"]
    for step in blamed(case):
        said = step["reason"] or step["answer"] or step["seen"]
        lines.append(f"step {step['step']} ({step['sends']}): {step['verdict']} {said}".rstrip())
        lines += [
            f"  {one['answer']}: expected {one['expected']}; was {one['actual']}"
            for one in step["differences"]
        ]
    return "\n".join(lines)


def _location(case: Document, shown: Document) -> Document:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(shown["declaration"], safe="/.") or "declaration"}
        },
        "logicalLocations": [
            {
                "name": case["id"],
                "fullyQualifiedName": f"{shown['device']}/{case['id']}",
                "kind": "module",
            }
        ],
    }


def _flow(step: Document, case: Document, showing: Showing) -> list[Document]:
    """What went over the line in a step; none if nothing did."""
    first, behind = step["entries"]
    numbers = range(first, behind)[:_ENTRIES]
    if not numbers:
        return []
    locations = [
        {
            "executionOrder": order,
            "location": {
                "message": {"text": _said(number, case, showing)},
                "logicalLocations": [
                    {
                        "name": step["step"],
                        "fullyQualifiedName": f"{case['id']}/{step['step']}/entry {number}",
                        "kind": "member",
                    }
                ],
            },
            "importance": "essential" if _is_blamed(number, step) else "important",
        }
        for order, number in enumerate(numbers, 1)
    ]
    return [{"message": {"text": step["sends"]}, "threadFlows": [{"locations": locations}]}]


def _is_blamed(number: int, step: Document) -> bool:
    return any(one["entry"] == number for one in step["differences"])


def _said(number: int, case: Document, showing: Showing) -> str:
    entry = case["record"][number]
    picture = showing.picture(case, number)
    octets = "".join(picture.octets[:64])
    rest = "..." if len(picture.octets) > 64 else ""
    marked = "".join(f" (octet {at} at fault)" for at in sorted(picture.marks))
    parts = [entry["direction"], entry["level"], picture.says, entry["text"], f"{octets}{rest}"]
    return " ".join(part for part in parts if part) + marked
