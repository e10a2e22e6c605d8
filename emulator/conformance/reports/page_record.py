"""The record of a case as a sequence: who sent what, and what its octets mean."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.conformance.probing.record import Direction, Level
from emulator.conformance.reports import hexadecimal
from emulator.conformance.reports.document import Document
from emulator.conformance.reports.fields import Field
from emulator.conformance.reports.markup import Markup, joined, tag
from emulator.conformance.reports.showing import Picture, Showing

_ARROWS = {
    Direction.SENT.value: ("sent", "tester → target"),
    Direction.RECEIVED.value: ("received", "tester ← target"),
    Direction.NOTE.value: ("note", "note"),
}
_OCTETS = 12
"""In a line beside the name of their field."""

_LINES = 40
"""Of a field that are listed: a long value has more."""

_MOST = 200
"""Entries of a record that are shown."""

_AROUND = 10
"""Entries that are shown before and behind one that a difference is about."""

_FIELDS = 150
"""Fields of one entry that are shown: an object list has more."""


def conversation(case: Document, showing: Showing, anchor: str) -> Markup:
    """Every entry of the record, folded up unless an octet in it is at fault."""
    if not case["record"]:
        return tag("p", "Nothing went over the line.")
    entries, behind = [], 0
    for number in _shown(case):
        if number > behind:
            entries.append(tag("li", f"... {number - behind} entries, which the JSON has"))
        entries.append(_entry(number, case, showing.picture(case, number), anchor))
        behind = number + 1
    wrong = any("<mark" in one for one in entries)
    return tag(
        "details",
        tag("summary", f"Conversation, {len(case['record'])} entries"),
        tag("ol", *entries, class_="conversation", start=0),
        class_="record",
        open=wrong,
    )


def _shown(case: Document) -> list[int]:
    """The numbers of entries that are shown: of a long record its ends, and what is around each
    that a difference is about. Who reads every attribute of a meter exchanges thousands.
    """
    total = len(case["record"])
    if total <= _MOST:
        return list(range(total))
    shown = {*range(_MOST // 2), *range(total - _MOST // 2, total)}
    for step in case["steps"]:
        for difference in step["differences"]:
            entry = difference["entry"]
            if entry is not None:
                shown |= set(range(max(entry - _AROUND, 0), min(entry + _AROUND, total)))
    return sorted(shown)


def _entry(number: int, case: Document, picture: Picture, anchor: str) -> Markup:
    entry = case["record"][number]
    kind, arrow = _ARROWS[entry["direction"]]
    head = tag(
        "p",
        tag("span", f"{entry['at']:.3f} s", class_="at"),
        " ",
        tag("span", arrow, class_="arrow"),
        " ",
        tag("span", _circumstances(entry), class_="circumstances"),
    )
    says = [tag("p", one, class_="says") for one in (picture.says, entry["text"]) if one]
    return tag(
        "li",
        head,
        *says,
        octets_of(picture, told_next=_is_told_next(number, case["record"]))
        if picture.octets
        else Markup(),
        class_=kind,
        id=f"{anchor}-entry-{number}",
        value=number,
    )


def _circumstances(entry: Document) -> str:
    parts = [entry["level"], f"connection {entry['line']}" if entry["line"] else ""]
    if entry["pair"] is not None:
        parts.append(f"SAPs {entry['pair'][0]}, {entry['pair'][1]}")
    if entry["key"]:
        parts.append(f"key {entry['key']}")
    if entry["counter"] is not None:
        parts.append(f"counter {entry['counter']}")
    return ", ".join(part for part in parts if part)


def octets_of(picture: Picture, *, told_next: bool = False) -> Markup:
    """Where an octet is at fault, as a dump and a table of fields; else only the fields, or a dump
    of a frame whose APDU is an entry of its own. A whole run has many thousands of them.
    """
    size = f"{picture.size} octets"
    if picture.marks:
        size += ", at fault: " + ", ".join(str(one) for one in sorted(picture.marks))
        inside = joined((tag("pre", _dump(picture), tabindex=0), _fields(picture)))
    elif told_next:
        inside = tag("pre", _dump(picture), tabindex=0)
    else:
        inside = tag("pre", "".join(_listing(picture)), tabindex=0)
    return tag("details", tag("summary", size), inside, open=bool(picture.marks))


def _listing(picture: Picture) -> Iterator[str]:
    """A line for each field, with all of its octets unless they are very many."""
    for one in picture.fields[:_FIELDS]:
        octets = picture.octets[one.start : one.stop]
        value = f": {one.value}" if one.value else ""
        yield f"{one.start:04x}  {''.join(octets[:_OCTETS]):{2 * _OCTETS}}  {one.name}{value}\n"
        for start in range(_OCTETS, min(len(octets), _LINES * _OCTETS), _OCTETS):
            yield f"{one.start + start:04x}  {''.join(octets[start : start + _OCTETS])}\n"
        rest = len(octets) - _LINES * _OCTETS
        if rest > 0:
            yield f"      ... {rest} octets, which the JSON has\n"
    rest = len(picture.fields) - _FIELDS
    if rest > 0:
        yield f"      ... {rest} fields\n"


def _is_told_next(number: int, record: list[Document]) -> bool:
    """Whether the APDU in these octets is the entry behind them."""
    if number + 1 >= len(record) or record[number]["level"] != Level.OCTETS.value:
        return False
    behind = record[number + 1]
    is_apdu = behind["level"] == Level.APDU.value and bool(behind["octets"])
    return is_apdu and behind["octets"] in record[number]["octets"]


def _dump(picture: Picture) -> Markup:
    parts: list[str] = []
    for row in hexadecimal.rows(picture):
        if row.skipped:
            parts.append(f"... {row.skipped} octets\n")
        parts.append(f"{row.start:04x} ")
        for at, octet in enumerate(row.octets):
            parts.append(" ")
            fault = row.start + at in row.marks
            parts.append(tag("mark", octet, title="at fault") if fault else octet)
        parts.append("\n")
    rest = hexadecimal.left_out(picture)
    if rest:
        parts.append(f"... {rest} octets, which the JSON has\n")
    return joined(parts)


def _fields(picture: Picture) -> Markup:
    rows = [_field(one, picture) for one in picture.fields[:_FIELDS]]
    rest = len(picture.fields) - len(rows)
    if rest:
        rows.append(tag("tr", tag("td", f"... {rest} fields", colspan=4)))
    head = tag("tr", *(tag("th", one, scope="col") for one in ("From", "Octets", "Field", "Value")))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="fields")
    return tag("div", table, class_="wide", tabindex=0, role="region", aria_label="Fields")


def _field(field: Field, picture: Picture) -> Markup:
    octets = picture.octets[field.start : field.stop]
    more = "…" if len(octets) > _OCTETS else ""
    wrong = any(field.start <= place < field.stop for place in picture.marks)
    return tag(
        "tr",
        tag("td", str(field.start)),
        tag("td", tag("code", "".join(octets[:_OCTETS]), more)),
        tag("td", tag("mark", field.name) if wrong else field.name),
        tag("td", field.value),
        class_="wrong" if wrong else None,
    )
