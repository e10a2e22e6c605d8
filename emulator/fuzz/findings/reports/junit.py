"""Findings as JUnit XML: each a test case that fails, in a suite for each invariant."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from emulator.conformance.reports.printable import printable
from emulator.fuzz.findings.clauses import clause_of
from emulator.fuzz.findings.reports.reported import Filed, Reported


def junit(report: Reported) -> str:
    """The XML, with its declaration. A search that has found nothing is one case that passes."""
    root = ET.Element("testsuites", name="cosemlab fuzz")
    for invariant in dict.fromkeys(one.found.invariant for one in report.findings):
        cases = [one for one in report.findings if one.found.invariant == invariant]
        suite = _suite(root, invariant, cases=len(cases), failures=len(cases))
        suite.set("time", f"{sum(one.found.seconds for one in cases):.3f}")
        suite.extend([_case(one) for one in cases])
    if report.searches and not report.findings:
        seconds = sum(one.seconds for one in report.searches)
        suite = _suite(root, "search", cases=1, failures=0)
        suite.set("time", f"{seconds:.3f}")
        ET.SubElement(
            suite, "testcase", name="nothing is broken", classname="fuzz", time=f"{seconds:.3f}"
        )
    suites = root.findall("testsuite")
    for name in ("tests", "failures"):
        root.set(name, str(sum(int(one.get(name, "0")) for one in suites)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(root: ET.Element, name: str, *, cases: int, failures: int) -> ET.Element:
    return ET.SubElement(
        root, "testsuite", name=printable(name), tests=str(cases), failures=str(failures),
        errors="0", skipped="0",
    )  # fmt: skip


def _case(filed: Filed) -> ET.Element:
    found = filed.found
    case = ET.Element(
        "testcase",
        name=printable(f"{filed.scenario.name}: {found.shape}"),
        classname=printable(f"fuzz.{found.invariant}"),
        time=f"{found.seconds:.3f}",
    )
    failure = ET.SubElement(case, "failure", message=printable(found.words), type=found.invariant)
    failure.text = "\n".join(printable(line) for line in _lines(filed))
    ET.SubElement(case, "system-out").text = "\n".join(
        printable(line) for line in _circumstances(filed)
    )
    return case


def _lines(filed: Filed) -> list[str]:
    clause = clause_of(filed.found.invariant)
    lines = [] if clause is None else [f"{clause.says} ({clause.source})"]
    for number, step in enumerate(filed.steps, 1):
        mark = " <- breaks it" if number == filed.found.step else ""
        lines.append(f"{number}. {step}{mark}")
    if not filed.found.step:
        lines.append("in the end, when all is quiet <- breaks it")
    return lines


def _circumstances(filed: Filed) -> list[str]:
    found = filed.found
    return [
        f"target: {found.target}, profile {filed.scenario.profile}, cosemlab {found.version}",
        f"seed {found.seed}, process {found.process}: after {found.steps} {filed.unit},"
        f" {found.seconds:.1f} s",
        *(f"planted: {one}" for one in filed.scenario.plants),
        f"again: cosemlab fuzz replay {filed.path}",
    ]
