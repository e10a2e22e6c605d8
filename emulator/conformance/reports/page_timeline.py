"""Invocation counters and keys of a case, over its time: a picture, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from emulator.conformance.reports.document import Document
from emulator.conformance.reports.markup import Markup, joined, tag
from emulator.conformance.reports.showing import Counted, counters

_WIDTH, _LANE, _LEFT, _RIGHT = 600, 28, 10, 590
"""Of the picture, in units of its own: it is scaled to where it stands."""


def timeline(case: Document) -> Markup:
    """Nothing, for a case without protected APDUs."""
    found = list(counters(case))
    if not found:
        return Markup()
    points = [Point(_lane(one), one.at, one.rises) for one in found]
    return joined((tag("h4", "Counters and keys"), picture(points), _table(found)))


def _lane(one: Counted) -> str:
    sender = "tester" if one.direction == "->" else "target"
    return f"{sender}, {one.key or 'key not told'}"


class Point(NamedTuple):
    """A mark in a picture: in which lane, how far along, and whether its counter rises there."""

    lane: str
    at: float
    rises: bool


def picture(points: Sequence[Point]) -> Markup:
    """Lanes one beneath the other, with a dot for what rises and a square for what does not."""
    lanes = list(dict.fromkeys(one.lane for one in points))
    last = max(one.at for one in points) or 1.0
    parts: list[Markup] = []
    for number, lane in enumerate(lanes):
        middle = number * _LANE + 20
        parts.append(tag("text", lane, x=_LEFT, y=middle - 8))
        parts.append(tag("line", x1=_LEFT, x2=_RIGHT, y1=middle, y2=middle))
    for one in points:
        across = round(_LEFT + (_RIGHT - _LEFT) * one.at / last)
        middle = lanes.index(one.lane) * _LANE + 20
        shape = (
            tag("circle", cx=across, cy=middle, r=4)
            if one.rises
            else tag("rect", x=across - 4, y=middle - 4, width=8, height=8, class_="back")
        )
        parts.append(shape)
    height = len(lanes) * _LANE + 4
    return tag(
        "svg", *parts, viewBox=f"0 0 {_WIDTH} {height}", class_="timeline", aria_hidden="true"
    )


def _table(found: list[Counted]) -> Markup:
    names = ("At", "From", "Key", "Counter", "Entry")
    head = tag("tr", *(tag("th", one, scope="col") for one in names))
    rows = [
        tag(
            "tr",
            tag("td", f"{one.at:.3f} s"),
            tag("td", "tester" if one.direction == "->" else "target"),
            tag("td", one.key or "not told"),
            tag("td", str(one.counter), "" if one.rises else " (does not rise)"),
            tag("td", str(one.entry)),
            class_=None if one.rises else "back",
        )
        for one in found
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    wide = tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Counters")
    return tag("details", tag("summary", f"{len(found)} protected APDUs"), wide)
