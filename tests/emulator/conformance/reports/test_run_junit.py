"""JUnit XML: read again by another parser, and held against what CI systems take."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from emulator.conformance import DISCLAIMER, built_in
from emulator.conformance.reports import Document, to_json
from emulator.conformance.reports.junit import junit
from emulator.conformance.running.result import RunResult

CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "properties": ["property"],
    "testcase": ["skipped", "error", "failure", "system-out"],
}
NEEDED = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
    "properties": set(),
}
"""Of the schema that Jenkins' xunit plug-in checks against, as far as it is used here."""


def _checked(text: str) -> ET.Element:
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == NEEDED[element.tag]
        order = [CHILDREN[element.tag].index(child.tag) for child in element]
        assert order == sorted(order)
        if "timestamp" in element.attrib:
            assert re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}", element.attrib["timestamp"])
        if element.tag in ("testsuites", "testsuite"):
            cases = list(element.iter("testcase"))
            assert int(element.attrib["tests"]) == len(cases)
            for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped",) * 2):
                assert int(element.attrib[name]) == len(list(element.iter(tag)))
    for case in root.iter("testcase"):
        outcomes = [child.tag for child in case if child.tag != "system-out"]
        assert len(outcomes) <= 1
    return root


def _outcomes(root: ET.Element) -> dict[str, tuple[str, str]]:
    """Tag and message by id; of what has passed both are empty."""
    found = {}
    for case in root.iter("testcase"):
        outcome = next((child for child in case if child.tag != "system-out"), None)
        tag, message = ("", "") if outcome is None else (outcome.tag, outcome.attrib["message"])
        found[case.attrib["name"].split(":")[0]] = (tag, message)
    return found


def test_what_becomes_of_each(rich: Document) -> None:
    root = _checked(junit(rich))
    found = _outcomes(root)
    failed = found.pop("APPL_OPEN_2")
    assert failed[0] == "failure"
    assert failed[1].startswith("step unlisted </script>")
    assert found == {
        "HDLC_FRAME_P1": ("", ""),
        "HDLC_FRAME_N1": ("skipped", "expected failure (FAILED): known since v2"),
        "HDLC_FRAME_N2": (
            "failure", "unexpected pass: it was declared to fail, because known since v3",
        ),
        "HDLC_FRAME_P3": ("skipped", "INAPPLICABLE: needs hdlc.inactivity > 0"),
        "APPL_IDLE_N1": ("skipped", "INCONCLUSIVE: no meter & no key"),
        "APPL_OPEN_4": ("", ""),
        "COSEM_X_Y": ("", ""),
        "X_WPDU_VER": ("error", "the connection was refused"),
    }  # fmt: skip
    suites = [one.attrib["name"] for one in root]
    assert suites[0] == "hdlc: HDLC data link"
    disclaimers = [one for one in root.iter("property") if one.attrib["name"] == "disclaimer"]
    assert [one.attrib["value"] for one in disclaimers] == [DISCLAIMER] * 4
    (loose,) = [one for one in root.iter("testcase") if "APPL_OPEN_4" in one.attrib["name"]]
    assert "NON_STRICT (good)" in (loose.findtext("system-out") or "")
    (derived,) = [one for one in root.iter("testcase") if "X_WPDU_VER" in one.attrib["name"]]
    assert "derived, no official test" in (derived.findtext("system-out") or "")


def test_strict(rich_strict: Document) -> None:
    found = _outcomes(_checked(junit(rich_strict)))
    assert found["APPL_OPEN_4"] == ("failure", "accepted all the same")


def test_a_failure_says_what_came(rich: Document) -> None:
    root = ET.fromstring(junit(rich))
    (failure,) = [one for one in root.iter("failure") if one.attrib["type"] == "FAILED"]
    text = failure.text or ""
    assert "step unlisted: FAILED" in text
    assert "silence: expected nothing; was AARE (entry 11, octet 3)" in text


@settings(max_examples=40)
@given(st.data())
def test_any_run(runs: SearchStrategy[RunResult], data: st.DataObject) -> None:
    document = to_json(data.draw(runs), built_in())
    root = _checked(junit(document))
    assert len(list(root.iter("testcase"))) == len(document["cases"])
