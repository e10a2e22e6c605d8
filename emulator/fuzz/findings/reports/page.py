"""Findings as one HTML file: it loads nothing from anywhere, and has no script."""

from __future__ import annotations

from emulator.conformance.reports.markup import Markup, facts, tag
from emulator.conformance.reports.page_frame import framed
from emulator.fuzz.findings.reports.page_finding import anchor_of, finding_page
from emulator.fuzz.findings.reports.reported import Reported
from emulator.fuzz.findings.summary import Summary


def html(report: Reported, version: str) -> str:
    """The file; ``version`` is that of cosemlab."""
    return framed(
        "What a search has found",
        tag("a", "To the findings", class_="skip", href="#findings"),
        _header(report, version),
        tag("main", _table(report), _findings(report)),
    )


def _header(report: Reported, version: str) -> Markup:
    count = len(report.findings)
    said = "Nothing was found." if not count else f"{count} finding{'s' * (count > 1)}."
    return tag(
        "header",
        tag("h1", "What a search has found"),
        tag(
            "p",
            f"{said} Made by cosemlab {version}. All keys that are shown are test keys: they"
            " can be derived by anybody who has cosemlab, or were made for one encounter.",
            class_="disclaimer",
            role="note",
        ),
        *(_search(one) for one in report.searches),
    )


def _search(search: Summary) -> Markup:
    told = [
        ("Target", search.target),
        ("Profile", search.profile),
        ("Seed", f"{search.seed}, on {search.processes} processes"),
        ("Steps", f"{search.steps} in {search.runs} runs, {search.steps_per_second:.0f} a second"),
        ("Time", f"{search.seconds:.1f} s" + ", interrupted" * search.was_interrupted),
        ("Covered", f"{search.states} states, {search.transitions} transitions"),
    ]
    if search.seconds_to_first is not None:
        told.append(("First", f"after {search.seconds_to_first:.1f} s"))
    told += [("Planted", one) for one in search.plants]
    return tag(
        "section",
        facts(told, class_="facts"),
        _covered(search),
    )


def _covered(search: Summary) -> Markup:
    """Which transitions there were, folded up."""
    if not search.covered:
        return Markup()
    rows = [tag("tr", *(tag("td", part) for part in one)) for one in search.covered]
    head = tag("tr", tag("th", "State", scope="col"), tag("th", "What happened", scope="col"))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    wide = tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Transitions")
    return tag("details", tag("summary", f"{search.transitions} transitions"), wide)


def _table(report: Reported) -> Markup:
    if not report.findings:
        return Markup()
    names = ("Invariant", "What", "Steps", "Found after")
    head = tag("tr", *(tag("th", one, scope="col") for one in names))
    rows = [
        tag(
            "tr",
            tag("td", one.found.invariant),
            tag("td", tag("a", one.found.shape, href=f"#{anchor_of(at)}")),
            tag("td", str(len(one.steps))),
            tag("td", f"{one.found.steps} {one.unit}, {one.found.seconds:.1f} s"),
        )
        for at, one in enumerate(report.findings)
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Findings")


def _findings(report: Reported) -> Markup:
    pages = [finding_page(one, anchor_of(at)) for at, one in enumerate(report.findings)]
    return tag("section", tag("h2", "Findings"), *pages, id="findings")
