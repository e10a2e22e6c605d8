"""One case of a run: what is required, what was done in each step, what came, and the record."""

from __future__ import annotations

import re

from emulator.conformance.catalogue.check import Origin
from emulator.conformance.reports.document import Document
from emulator.conformance.reports.markup import Markup, facts, joined, tag
from emulator.conformance.reports.page_matrix import verdict_class
from emulator.conformance.reports.page_record import conversation
from emulator.conformance.reports.page_timeline import timeline
from emulator.conformance.reports.showing import Showing
from emulator.conformance.running.result import Standing

_NO_ANCHOR = re.compile(r"[^A-Za-z0-9_.-]")


class Anchors:
    """Names of places in a page, no two alike."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def of(self, id: str) -> str:
        name = f"case-{_NO_ANCHOR.sub('_', id)}"
        count = self._given[name] = self._given.get(name, 0) + 1
        return name if count == 1 else f"{name}--{count}"


def case_page(case: Document, showing: Showing, anchors: Anchors) -> Markup:
    """Folded up, unless something is wrong."""
    requirement = case["requirement"]
    anchor = anchors.of(case["id"])
    wrong = case["standing"] in (Standing.BAD.value, Standing.UNEXPECTED_PASS.value)
    return tag(
        "details",
        _summary(case),
        tag(
            "div",
            _reasons(case),
            _requirement(requirement),
            tag("h4", "Steps"),
            *(_step(one, requirement, anchor) for one in case["steps"]),
            *([] if case["steps"] else [tag("p", "None was carried out.")]),
            timeline(case),
            conversation(case, showing, anchor),
            tag("p", tag("a", "This case", href=f"#{anchor}"), f", {case['seconds']:.3f} s"),
            class_="case-body",
        ),
        id=anchor,
        class_="case",
        data_verdict=case["verdict"],
        open=wrong,
    )


def _summary(case: Document) -> Markup:
    requirement = case["requirement"]
    badges = [_verdict(case["verdict"])]
    if case["standing"] in (Standing.EXPECTED_FAILURE.value, Standing.UNEXPECTED_PASS.value):
        badges.append(tag("span", case["standing"], class_="badge"))
    derived = requirement["origin"] == Origin.DERIVED.value
    origin = tag("span", requirement["origin"], class_="badge derived" if derived else "badge")
    return tag(
        "summary",
        *badges,
        " ",
        tag("code", case["id"]),
        " ",
        tag("span", requirement["title"], class_="title"),
        " ",
        origin,
    )


def _verdict(verdict: str) -> Markup:
    return tag("span", verdict, class_=f"badge {verdict_class(verdict)}")


def _reasons(case: Document) -> Markup:
    items = [tag("li", one) for one in case["reasons"]]
    if case["expected"]:
        items.append(tag("li", f"declared to fail: {case['expected']}"))
    return tag("ul", *items, class_="reasons") if items else Markup()


def _requirement(requirement: Document) -> Markup:
    says = requirement["evidence_says"]
    told: list[tuple[str, str]] = [
        ("Clause", requirement["clause"]),
        ("Origin", requirement["origin_says"]),
        ("Severity", f"{requirement['severity']} (our judgement)"),
        ("Applies to", requirement["applies"]),
        ("Starts from", f"{requirement['start']}: {requirement['start_says']}"),
    ]
    for name, key in (("Also called", "aliases"), ("Rules", "rules"), ("Near", "corresponds")):
        if requirement[key] and requirement[key] != [requirement["id"]]:
            told.append((name, ", ".join(requirement[key])))
    told += [
        (f"Evidence of {name}", "; ".join(f"{one}: {says[one]}" for one in labels))
        for name, labels in requirement["evidence"].items()
    ]
    return joined((tag("h4", "Requirement"), facts(told)))


def _step(step: Document, requirement: Document, anchor: str) -> Markup:
    subtest = f" (subtest {step['subtest']})" if step["subtest"] else ""
    told = [("Sent", step["sends"])]
    for name, key in (("Answer", "answer"), ("Seen", "seen"), ("Reason", "reason")):
        if step[key]:
            told.append((name, step[key]))
    told += [("Note", one) for one in step["notes"]]
    first, behind = step["entries"]
    where = Markup()
    if behind > first:
        where = tag(
            "p",
            tag("a", f"Entries {first} to {behind - 1}", href=f"#{anchor}-entry-{first}"),
            " of the record",
        )
    return tag(
        "section",
        tag("h5", step["step"], subtest, " ", _verdict(step["verdict"])),
        facts(told),
        _differences(step, anchor),
        _accepted(step, requirement),
        where,
        class_="step",
    )


def _differences(step: Document, anchor: str) -> Markup:
    if not step["differences"]:
        return Markup()
    head = tag("tr", *(tag("th", one, scope="col") for one in ("Accepted", "Expected", "Actual")))
    rows = [
        tag(
            "tr",
            tag("th", one["answer"], scope="row"),
            tag("td", one["expected"]),
            tag("td", one["actual"], *_place(one, anchor)),
        )
        for one in step["differences"]
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="differences")
    return tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Differences")


def _place(difference: Document, anchor: str) -> list[str]:
    if difference["entry"] is None:
        return []
    octet = "" if difference["offset"] is None else f", octet {difference['offset']}"
    text = f"entry {difference['entry']}{octet}"
    return [" (", tag("a", text, href=f"#{anchor}-entry-{difference['entry']}"), ")"]


def _accepted(step: Document, requirement: Document) -> Markup:
    """What the catalogue accepts in the step, if it has it."""
    answers = [
        answer
        for one in requirement["steps"]
        if one["name"] == step["step"]
        for answer in one["answers"]
    ]
    if not answers:
        return Markup()
    items = [
        tag(
            "li",
            tag("span", one["verdict"], class_="badge"),
            f" {one['name']}",
            f" ({one['detail']})" if one["detail"] else "",
            f": {one['says']}",
            f", because {one['reason']}" if one["reason"] else "",
        )
        for one in answers
    ]
    return tag("details", tag("summary", "Accepted answers"), tag("ul", *items))
