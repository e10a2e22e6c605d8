"""Counters and keys of the meter after each step of a finding: a picture, and as a table."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.conformance.reports.markup import Markup, joined, tag
from emulator.conformance.reports.page_timeline import Point, picture
from emulator.fuzz.scenario.found import Found

_WHAT = {"floors": "floor", "sends": "next", "versions": "version"}


def counters(found: Found) -> Markup:
    """Those that are not 0 all the time; nothing if there are none."""
    lanes = _lanes(found)
    if not lanes:
        return Markup()
    return joined(
        (tag("h4", "Counters and keys of the meter"), picture(_points(lanes)), _table(lanes))
    )


def _lanes(found: Found) -> dict[str, list[int]]:
    """By name, the number after each step."""
    lanes: dict[str, list[int]] = {}
    for field, what in _WHAT.items():
        tables: list[Mapping[str, int]] = [getattr(one, field) for one in found.seen]
        for name in dict.fromkeys(name for table in tables for name in table):
            numbers = [table.get(name, 0) for table in tables]
            if any(numbers):
                lanes[f"{name} {what}"] = numbers
    return lanes


def _points(lanes: Mapping[str, list[int]]) -> list[Point]:
    return [
        Point(lane, step + 1.0, rises=step == 0 or number >= numbers[step - 1])
        for lane, numbers in lanes.items()
        for step, number in enumerate(numbers)
        if step == 0 or number != numbers[step - 1]
    ]


def _table(lanes: Mapping[str, list[int]]) -> Markup:
    steps = max(map(len, lanes.values()))
    head = tag("tr", *(tag("th", one, scope="col") for one in ("Step", *lanes)))
    rows = [
        tag(
            "tr",
            tag("th", str(step + 1), scope="row"),
            *(_cell(numbers, step) for numbers in lanes.values()),
        )
        for step in range(steps)
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Counters")


def _cell(numbers: list[int], step: int) -> Markup:
    number, before = numbers[step], numbers[step - 1] if step else numbers[step]
    if number == before:
        return tag("td", str(number))
    back = number < before
    return tag("td", tag("strong", str(number)), " (back)" * back, class_="back" if back else None)
