"""Findings as SARIF 2.1.0 (OASIS): a rule for each invariant, a result for each finding.

A finding is at its own file: that is what one opens to play it again. Its steps are a code flow.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from emulator.conformance.reports.printable import printable
from emulator.conformance.reports.sarif import SCHEMA
from emulator.fuzz.findings.clauses import clause_of
from emulator.fuzz.findings.finding import Key
from emulator.fuzz.findings.reports.reported import Filed, Reported


def sarif(report: Reported, version: str) -> dict[str, Any]:
    """The log; ``version`` is that of cosemlab."""
    rules = list(dict.fromkeys(one.found.invariant for one in report.findings))
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cosemlab fuzz",
                        "version": version,
                        "rules": [_rule(one) for one in rules],
                    }
                },
                "results": [
                    _result(one, rules.index(one.found.invariant)) for one in report.findings
                ],
                "columnKind": "unicodeCodePoints",
                "properties": {
                    "searches": [
                        {
                            "target": one.target,
                            "seed": one.seed,
                            "steps": one.steps,
                            "seconds": one.seconds,
                            "states": one.states,
                            "transitions": one.transitions,
                        }
                        for one in report.searches
                    ]
                },
            }
        ],
    }


def _rule(invariant: str) -> dict[str, Any]:
    clause = clause_of(invariant)
    rule: dict[str, Any] = {"id": invariant, "defaultConfiguration": {"level": "error"}}
    if clause is not None:
        rule["shortDescription"] = {"text": clause.says}
        rule["help"] = {"text": f"{clause.says}\n{clause.source}"}
    return rule


def _result(filed: Filed, place: int) -> dict[str, Any]:
    found = filed.found
    key = Key(found.invariant, found.shape)
    return {
        "ruleId": found.invariant,
        "ruleIndex": place,
        "kind": "fail",
        "level": "error",
        "message": {"text": printable(f"{found.invariant}: {found.words}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(filed.path.as_posix(), safe="/.")}
                },
                "logicalLocations": [{"name": filed.scenario.name, "kind": "module"}],
            }
        ],
        "partialFingerprints": {"invariantAndShape/v1": key.name},
        "codeFlows": [{"threadFlows": [{"locations": _flow(filed)}]}],
        "properties": {
            "seed": found.seed,
            "steps": found.steps,
            "seconds": found.seconds,
            "target": found.target,
            "plants": [str(one) for one in filed.scenario.plants],
        },
    }


def _flow(filed: Filed) -> list[dict[str, Any]]:
    said = [f"{number}. {one}" for number, one in enumerate(filed.steps, 1)]
    if not filed.found.step:
        said.append("in the end, when all is quiet")
    blamed = filed.found.step or len(said)
    return [
        {
            "executionOrder": order,
            "location": {
                "message": {"text": printable(text)},
                "logicalLocations": [
                    {
                        "name": f"step {order}",
                        "fullyQualifiedName": f"{filed.scenario.name}/{order}",
                        "kind": "member",
                    }
                ],
            },
            "importance": "essential" if order == blamed else "important",
        }
        for order, text in enumerate(said, 1)
    ]
