"""SARIF 2.1.0, held against the parts of its schema and text that are used here.

The official schema is in no package that the tests need, so what it asks of these objects is
written down again; that the log is valid was checked once with the SARIF Multitool (5.7.0).
"""

from __future__ import annotations

import re
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from emulator.conformance import DISCLAIMER, built_in
from emulator.conformance.reports import Document, to_json
from emulator.conformance.reports.sarif import sarif
from emulator.conformance.running.result import RunResult


def _object(needed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**needed, **more},
        "required": list(needed),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
MESSAGE = _object({"text": {"type": "string", "minLength": 1}})
LEVEL = {"enum": ["none", "note", "warning", "error"]}
BAG = {"type": "object"}
LOGICAL = {"type": "array", "items": _object({}, name=TEXT, fullyQualifiedName=TEXT, kind=TEXT)}
LOCATION = _object(
    {},
    message=MESSAGE,
    logicalLocations=LOGICAL,
    physicalLocation=_object({"artifactLocation": _object({"uri": TEXT})}),
)
RULE = _object(
    {"id": TEXT},
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    defaultConfiguration=_object({}, level=LEVEL),
    properties=BAG,
)
FLOW = _object(
    {
        "threadFlows": {
            "type": "array",
            "minItems": 1,
            "items": _object(
                {
                    "locations": {
                        "type": "array",
                        "minItems": 1,
                        "items": _object(
                            {},
                            location=LOCATION,
                            executionOrder={"type": "integer", "minimum": -1},
                            importance={"enum": ["important", "essential", "unimportant"]},
                        ),
                    }
                }
            ),
        }
    },
    message={"type": "object"},
)
RESULT = _object(
    {"message": MESSAGE},
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    kind={"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
    level=LEVEL,
    locations={"type": "array", "items": LOCATION},
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    codeFlows={"type": "array", "items": FLOW},
    suppressions={
        "type": "array",
        "items": _object(
            {"kind": {"enum": ["inSource", "external"]}},
            status={"enum": ["accepted", "underReview", "rejected"]},
            justification=TEXT,
        ),
    },
    properties=BAG,
)
INVOCATION = _object(
    {"executionSuccessful": {"type": "boolean"}},
    startTimeUtc={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    exitCode={"type": "integer"},
    toolExecutionNotifications={
        "type": "array",
        "items": _object(
            {"message": MESSAGE},
            level=LEVEL,
            associatedRule=_object({}, id=TEXT, index={"type": "integer"}),
        ),
    },
)
LOG = _object(
    {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": _object(
                {
                    "tool": _object(
                        {
                            "driver": _object(
                                {"name": TEXT},
                                version=TEXT,
                                fullDescription=MESSAGE,
                                rules={"type": "array", "uniqueItems": True, "items": RULE},
                            )
                        }
                    )
                },
                invocations={"type": "array", "items": INVOCATION},
                results={"type": "array", "items": RESULT},
                columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                properties=BAG,
            ),
        },
    },
    **{"$schema": {"type": "string", "format": "uri"}},
)


def _checked(document: Document) -> dict[str, Any]:
    log = sarif(document)
    jsonschema.validate(log, LOG)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        # 3.27.10: a level is of failures alone.
        assert (result["level"] == "none") is (result["kind"] != "fail")
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)
    return run  # type: ignore[no-any-return]


def test_what_becomes_of_each(rich: Document) -> None:
    run = _checked(rich)
    found = {one["ruleId"]: (one["kind"], one["level"]) for one in run["results"]}
    assert found == {
        "HDLC_FRAME_P1": ("pass", "none"),
        "HDLC_FRAME_N1": ("fail", "error"),
        "HDLC_FRAME_N2": ("fail", "error"),
        "HDLC_FRAME_P3": ("notApplicable", "none"),
        "APPL_IDLE_N1": ("open", "none"),
        "APPL_OPEN_2": ("fail", "error"),
        "APPL_OPEN_4": ("fail", "note"),
        "COSEM_X_Y": ("informational", "none"),
        "X_WPDU_VER": ("open", "none"),
    }
    suppressed = {
        one["ruleId"]: one["suppressions"] for one in run["results"] if "suppressions" in one
    }
    assert list(suppressed) == ["HDLC_FRAME_N1"]
    assert suppressed["HDLC_FRAME_N1"][0]["justification"] == "known since v2"
    (invocation,) = run["invocations"]
    assert invocation["exitCode"] == 1
    assert invocation["startTimeUtc"] == "2026-11-28T11:00:00Z"
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "the connection was refused"
    assert run["tool"]["driver"]["fullDescription"]["text"] == DISCLAIMER
    rules = {one["id"]: one for one in run["tool"]["driver"]["rules"]}
    assert rules["X_WPDU_VER"]["properties"]["origin"] == "derived"
    assert "no official test" in rules["X_WPDU_VER"]["help"]["text"]
    assert rules["APPL_OPEN_4"]["defaultConfiguration"]["level"] == "warning"


def test_strict(rich_strict: Document) -> None:
    run = _checked(rich_strict)
    (loose,) = [one for one in run["results"] if one["ruleId"] == "APPL_OPEN_4"]
    assert (loose["kind"], loose["level"]) == ("fail", "warning")


def test_the_conversation_of_a_failure(rich: Document) -> None:
    run = _checked(rich)
    (failed,) = [one for one in run["results"] if one["ruleId"] == "APPL_OPEN_2"]
    (flow,) = failed["codeFlows"]
    locations = flow["threadFlows"][0]["locations"]
    assert [one["executionOrder"] for one in locations] == list(range(1, 10))
    text = locations[1]["location"]["message"]["text"]
    assert text.startswith("<- apdu AARE ACCEPTED NULL 6129a109")
    assert text.endswith("(octet 17 at fault)")
    assert locations[1]["importance"] == "essential"
    assert "rejected: expected result 1; was result 0" in failed["message"]["text"]


@settings(max_examples=40)
@given(st.data())
def test_any_run(runs: SearchStrategy[RunResult], data: st.DataObject) -> None:
    document = to_json(data.draw(runs), built_in())
    assert len(_checked(document)["results"]) == len(document["cases"])
