"""One finding: what is broken, each step with its octets, counters over its time, and its keys."""

from __future__ import annotations

from emulator.conformance.probing.record import Level
from emulator.conformance.reports.fields import fields_of
from emulator.conformance.reports.markup import Markup, facts, joined, tag
from emulator.conformance.reports.page_record import octets_of
from emulator.conformance.reports.printable import printable
from emulator.conformance.reports.showing import Picture
from emulator.fuzz.findings.clauses import clause_of
from emulator.fuzz.findings.reports.page_counters import counters
from emulator.fuzz.findings.reports.reported import Filed
from emulator.fuzz.scenario.found import Found, Witnessed
from emulator.fuzz.target import Direction

_WAYS = {
    Direction.SENT.value: ("sent", "{} → meter"),
    Direction.RECEIVED.value: ("received", "{} ← meter"),
    Direction.LOST.value: ("note", "{}: lost on its way"),
    "--": ("note", "{}"),
}


def anchor_of(at: int) -> str:
    """Of the ``at``-th finding of a page."""
    return f"finding-{at + 1}"


def finding_page(filed: Filed, anchor: str) -> Markup:
    """All of it."""
    found = filed.found
    return tag(
        "section",
        tag("h3", tag("code", found.invariant), " ", printable(found.shape)),
        _broken(found),
        _circumstances(filed),
        tag("h4", "Steps"),
        *(_step(at, filed) for at in range(len(filed.steps))),
        _in_the_end(filed),
        counters(found),
        _keys(found),
        tag("h4", "Again"),
        tag("pre", f"cosemlab fuzz replay {filed.path}\n", tabindex=0),
        tag(
            "p",
            "It exits with 1 as long as the invariant is broken. Copied to fixtures/scenarios the"
            " file is a test from then on.",
        ),
        id=anchor,
    )


def _broken(found: Found) -> Markup:
    clause = clause_of(found.invariant)
    told = [("Seen", printable(found.words))]
    if clause is not None:
        told += [("Must be", clause.says), ("Source", clause.source)]
    return facts(told)


def _circumstances(filed: Filed) -> Markup:
    found = filed.found
    told = [
        ("Target", found.target),
        ("Profile", filed.scenario.profile),
        ("Found", f"after {found.steps} {filed.unit}, {found.seconds:.1f} s"),
        ("Seed", f"{found.seed}, process {found.process}"),
        ("Shrunk", f"from {found.was} {filed.parts} to {filed.size}"),
        ("Version", f"cosemlab {found.version}"),
    ]
    told += [("Planted", str(one)) for one in filed.scenario.plants]
    return facts(told, class_="facts")


def _step(at: int, filed: Filed) -> Markup:
    found = filed.found
    breaks = at + 1 == found.step
    seen = found.seen[at] if at < len(found.seen) else None
    mark = [" ", tag("span", "breaks it", class_="badge v-failed")] if breaks else []
    return tag(
        "details",
        tag("summary", f"{at + 1}. ", tag("span", printable(filed.steps[at])), *mark),
        tag("div", *([] if seen is None else _seen(seen, filed)), class_="case-body"),
        class_="case",
        open=breaks,
    )


def _in_the_end(filed: Filed) -> Markup:
    """What shows when all is quiet, if that is where it breaks."""
    found = filed.found
    if found.step or len(found.seen) <= len(filed.steps):
        return Markup()
    mark = tag("span", "breaks it", class_="badge v-failed")
    return tag(
        "details",
        tag("summary", "In the end, when all is quiet ", mark),
        tag("div", *_seen(found.seen[-1], filed), class_="case-body"),
        class_="case",
        open=True,
    )


def _seen(seen: Witnessed, filed: Filed) -> list[Markup]:
    parts = [tag("li", _passed(one), class_=_WAYS[one[0]][0]) for one in seen.line]
    if seen.left_out:
        parts.append(tag("li", f"... {seen.left_out} more APDUs"))
    said = f": {printable(seen.says)}" if seen.says else ""
    told = [
        ("Outcome", f"{seen.outcome}{said}"),
        *(("Breaks", printable(one)) for one in seen.breaks),
    ]
    if filed.scenario.encounter is None:  # else the head end is looked at, and not the meter
        told.append(("Open", ", ".join(seen.open) or "no association"))
    disagree = [name for name, same in seen.agree.items() if not same]
    if disagree:
        told.append(("Keys", f"the ends of {', '.join(disagree)} have different ones"))
    return [tag("ol", *parts, class_="conversation") if parts else Markup(), facts(told)]


def _passed(one: tuple[str, ...]) -> Markup:
    direction, client, octets, says = one
    head = tag("p", tag("span", _WAYS[direction][1].format(client), class_="arrow"))
    if not octets:  # nothing passed: something was done
        return tag("p", printable(says), class_="says")
    try:
        raw = bytes.fromhex(octets)
    except ValueError:  # what may hold a secret of somebody else's was left out
        return joined((head, tag("p", printable(says), class_="says"), tag("p", octets)))
    picture = Picture(
        says, tuple(f"{one:02x}" for one in raw), fields_of(raw, Level.APDU), frozenset()
    )
    return joined((head, tag("p", printable(says), class_="says"), octets_of(picture)))


def _keys(found: Found) -> Markup:
    if not found.keys:
        return Markup()
    head = tag("tr", *(tag("th", one, scope="col") for one in ("Key", "Held by", "Octets")))
    rows = [
        tag("tr", tag("td", one.name), tag("td", one.holder), tag("td", tag("code", one.octets)))
        for one in found.keys
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    wide = tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Test keys")
    return tag("details", tag("summary", f"{len(rows)} test keys"), wide)
