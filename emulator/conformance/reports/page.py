"""A run as one HTML file: it loads nothing from anywhere, and can be read without script."""

from __future__ import annotations

from emulator.conformance.reports.document import Document
from emulator.conformance.reports.markup import Markup, facts, joined, tag
from emulator.conformance.reports.page_case import Anchors, case_page
from emulator.conformance.reports.page_frame import framed, package_file
from emulator.conformance.reports.page_matrix import matrix
from emulator.conformance.reports.showing import Showing
from emulator.conformance.running.result import Verdict


def html(document: Document) -> str:
    """The file."""
    showing = Showing(document)
    shown = showing.document
    return framed(
        f"Conformance of {shown['device']}",
        tag("a", "To the cases", class_="skip", href="#cases"),
        _header(shown),
        tag("main", matrix(showing), _cases(showing)),
        script=package_file("page.js"),
    )


def _header(shown: Document) -> Markup:
    told = [
        ("Declaration", shown["declaration"]),
        ("Reached", shown["way"]),
        ("Started", shown["started"]),
        ("Seed", shown["seed"]),
        ("Version", f"cosemlab {shown['version']}"),
        ("Strict", "yes: NON_STRICT counts as a failure" if shown["strict"] else "no"),
    ]
    return tag(
        "header",
        tag("h1", f"Conformance of {shown['device']}"),
        tag("p", shown["disclaimer"], class_="disclaimer", role="note"),
        facts(told, class_="facts"),
    )


def _cases(showing: Showing) -> Markup:
    anchors = Anchors()
    sections = [
        tag(
            "section",
            tag("h3", f"{group['name']}: {group['title']}"),
            tag("p", group["document"], class_="source"),
            *(case_page(one, showing, anchors) for one in showing.of_group(group["name"])),
            id=f"group-{group['name']}",
            class_="group",
            data_group=group["name"],
        )
        for group in showing.document["groups"]
    ]
    nothing = tag("p", "No case was run.") if not sections else Markup()
    return tag(
        "section", tag("h2", "Cases"), _filter(showing), nothing, joined(sections), id="cases"
    )


def _filter(showing: Showing) -> Markup:
    """Fields to choose cases by, hidden until the script shows them: without it they do nothing."""
    groups = [one["name"] for one in showing.document["groups"]]
    return tag(
        "form",
        tag("label", "Text ", tag("input", type="search", id="filter-text", autocomplete="off")),
        tag("label", "Verdict ", _select("filter-verdict", [one.value for one in Verdict])),
        tag("label", "Group ", _select("filter-group", groups)),
        tag("button", "All", type="reset"),
        tag("output", "", id="filter-count", aria_live="polite"),
        id="filter",
        hidden=True,
        role="search",
    )


def _select(name: str, values: list[str]) -> Markup:
    options = [tag("option", "all", value=""), *(tag("option", one, value=one) for one in values)]
    return tag("select", *options, id=name)
