"""The matrix of a run: groups, and how many cases of each verdict they have."""

from __future__ import annotations

from collections import Counter

from emulator.conformance.reports.document import Document
from emulator.conformance.reports.markup import Markup, tag
from emulator.conformance.reports.showing import Showing
from emulator.conformance.running.result import Standing, Verdict


def matrix(showing: Showing) -> Markup:
    """A row for each group, and one for all."""
    shown = showing.document
    verdicts = [one.value for one in Verdict]
    head = tag(
        "tr",
        tag("th", "Group", scope="col"),
        *(tag("th", one, scope="col", class_=verdict_class(one)) for one in verdicts),
        tag("th", "All", scope="col"),
    )
    rows = [_row(one, showing.of_group(one["name"]), verdicts) for one in shown["groups"]]
    totals = shown["summary"]["verdicts"]
    foot = tag(
        "tr",
        tag("th", "All", scope="row"),
        *(tag("td", str(totals[one]), class_=_cell_class(one, totals[one])) for one in verdicts),
        tag("td", str(shown["summary"]["cases"])),
    )
    table = tag("table", tag("thead", head), tag("tbody", *rows), tag("tfoot", foot))
    wide = tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Matrix")
    return tag("section", tag("h2", "Result"), wide, *_standings(shown))


def verdict_class(verdict: str) -> str:
    return f"v-{verdict.lower().replace('_', '-')}"


def _cell_class(verdict: str, count: int) -> str:
    return verdict_class(verdict) if count else "none"


def _row(group: Document, cases: list[Document], verdicts: list[str]) -> Markup:
    counts = Counter(one["verdict"] for one in cases)
    name = group["name"]
    cells = [
        tag(
            "td",
            _link(name, one, str(counts[one])) if counts[one] else "0",
            class_=_cell_class(one, counts[one]),
        )
        for one in verdicts
    ]
    return tag(
        "tr",
        tag("th", _link(name, "", name), " ", tag("small", group["title"]), scope="row"),
        *cells,
        tag("td", str(len(cases))),
    )


def _link(group: str, verdict: str, text: str) -> Markup:
    """To the group; the script shows only the cases of that verdict then."""
    says = f"{group}, {verdict}: {text}" if verdict else None
    return tag(
        "a",
        text,
        href=f"#group-{group}",
        data_show_group=group,
        data_show_verdict=verdict,
        aria_label=says,
    )


def _standings(shown: Document) -> list[Markup]:
    found = shown["summary"]["standings"]
    return [
        tag("p", f"{found[one.value]} {one.value}")
        for one in (Standing.EXPECTED_FAILURE, Standing.UNEXPECTED_PASS)
        if found[one.value]
    ]
