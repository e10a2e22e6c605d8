"""A run as JUnit XML: a suite for each group, a test case for each case.

The elements and attributes are those that Ant's JUnit task wrote first and CI systems read.
"""

from __future__ import annotations

import datetime as dt
from xml.etree import ElementTree as ET

from emulator.conformance.reports.document import Document, is_failure
from emulator.conformance.reports.reading import started_of
from emulator.conformance.reports.showing import Showing, blamed
from emulator.conformance.running.result import Standing, Verdict

_SKIPPED = (Verdict.INAPPLICABLE.value, Verdict.INCONCLUSIVE.value)


def junit(document: Document) -> str:
    """The XML, with its declaration. NON_STRICT passes, unless the run was strict."""
    showing = Showing(document)
    shown = showing.document
    root = ET.Element("testsuites", name=f"cosemlab conform: {shown['device']}")
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    seconds = 0.0
    # Ant's form of a time is of UTC and does not say so.
    started = started_of(shown["started"]).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    for group in shown["groups"]:
        cases = showing.of_group(group["name"])
        suite = ET.SubElement(root, "testsuite", name=f"{group['name']}: {group['title']}")
        properties = ET.SubElement(suite, "properties")
        for name, value in _properties(shown, group):
            ET.SubElement(properties, "property", name=name, value=value)
        for case in cases:
            suite.append(_test_case(case, strict=shown["strict"]))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            count = len(suite.findall(f"testcase/{tag}"))
            suite.set(name, str(count))
            totals[name] += count
        spent = sum(one["seconds"] for one in cases)
        suite.set("tests", str(len(cases)))
        suite.set("time", f"{spent:.3f}")
        suite.set("timestamp", started)
        totals["tests"] += len(cases)
        seconds += spent
    for name, count in totals.items():
        root.set(name, str(count))
    root.set("time", f"{seconds:.3f}")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(shown: Document, group: Document) -> list[tuple[str, str]]:
    names = ("device", "declaration", "way", "seed", "version", "disclaimer")
    found = [(name, shown[name]) for name in names]
    return [*found, ("strict", str(shown["strict"]).lower()), ("document", group["document"])]


def _test_case(case: Document, *, strict: bool) -> ET.Element:
    requirement = case["requirement"]
    element = ET.Element(
        "testcase",
        name=f"{case['id']}: {requirement['title']}",
        classname=f"conform.{requirement['group']}",
        time=f"{case['seconds']:.3f}",
    )
    reasons = "; ".join(case["reasons"])
    if case["standing"] == Standing.UNEXPECTED_PASS.value:
        message = f"unexpected pass: it was declared to fail, because {case['expected']}"
        _add(element, "failure", message, case, kind=case["standing"])
    elif case["verdict"] == Verdict.ERROR.value:
        _add(element, "error", reasons or "the tester failed", case)
    elif case["standing"] == Standing.EXPECTED_FAILURE.value:
        message = f"expected failure ({case['verdict']}): {case['expected']}"
        ET.SubElement(element, "skipped", message=message)
    elif is_failure(case, strict=strict):
        _add(element, "failure", reasons or requirement["title"], case)
    elif case["verdict"] in _SKIPPED:
        ET.SubElement(element, "skipped", message=f"{case['verdict']}: {reasons}")
    ET.SubElement(element, "system-out").text = "\n".join(_output(case))
    return element


def _add(element: ET.Element, tag: str, message: str, case: Document, kind: str = "") -> None:
    child = ET.SubElement(element, tag, message=message, type=kind or case["verdict"])
    child.text = "\n".join(line for step in blamed(case) for line in _step(step))


def _step(step: Document) -> list[str]:
    lines = [f"step {step['step']}: {step['verdict']}", f"  sent: {step['sends']}"]
    lines += [f"  {name}: {step[name]}" for name in ("answer", "seen", "reason") if step[name]]
    for one in step["differences"]:
        place = "" if one["offset"] is None else f" (entry {one['entry']}, octet {one['offset']})"
        lines.append(f"  {one['answer']}: expected {one['expected']}; was {one['actual']}{place}")
    return lines


def _output(case: Document) -> list[str]:
    requirement = case["requirement"]
    lines = [
        f"{case['verdict']} ({case['standing']})",
        f"{requirement['clause']}; {requirement['origin_says']}",
        *case["reasons"],
    ]
    for step in case["steps"]:
        lines.append(f"{step['step']}: {step['verdict']} {step['answer'] or step['seen']}")
        lines += [f"  {note}" for note in step["notes"]]
    return lines
