"""A CSV file as lines with their numbers, and what its first lines say of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from emulator.products.errors import ProductsError

MAX_OCTETS = 4 * 1024 * 1024
MAX_LINES = 20_000
"""More than all combinations that there ever were have Device Models, and little to hold."""
MAX_PROBLEMS = 50
"""So many are told of; who reads more of them has another kind of file."""


class Line(NamedTuple):
    """``where`` is file and line, as errors begin with it."""

    where: str
    cells: dict[str, str]


@dataclass(slots=True)
class Problems:
    """What is wrong, gathered, so that all of it is told at once."""

    found: list[str] = field(default_factory=list)

    def add(self, where: str, problem: object) -> None:
        self.found.append(f"{where}: {problem}")

    def end(self) -> None:
        """:class:`ProductsError` if there was any."""
        if self.found:
            more = len(self.found) - MAX_PROBLEMS
            rest = [f"and {more} more"] if more > 0 else []
            raise ProductsError("\n".join([*self.found[:MAX_PROBLEMS], *rest]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``about`` are the lines ``# name: value`` before the header, by name; ``header_at`` is where
    the header stands, ``where`` the place of each of those.
    """

    columns: tuple[str, ...]
    header_at: str
    about: dict[str, str]
    where: dict[str, str]
    lines: tuple[Line, ...]


def read_table(octets: bytes, file: str) -> Table:
    """:class:`ProductsError` says in which lines it is no table."""
    if len(octets) > MAX_OCTETS:
        raise ProductsError(f"{file}: has more than {MAX_OCTETS} octets")
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = octets.count(b"\n", 0, error.start) + 1
        raise ProductsError(f"{file}:{number}: is not UTF-8") from None
    rows = [*io.StringIO(text, newline="")]
    if len(rows) > MAX_LINES:
        raise ProductsError(f"{file}: has more than {MAX_LINES} lines")
    about: dict[str, str] = {}
    where: dict[str, str] = {}
    start = 0
    while start < len(rows) and (rows[start].startswith("#") or not rows[start].strip()):
        name, _, value = rows[start].lstrip("# ").partition(":")
        about[name.strip()], where[name.strip()] = value.strip(), f"{file}:{start + 1}"
        start += 1
    if start == len(rows):
        raise ProductsError(f"{file}:{start + 1}: it has no header")
    return _table(rows[start:], start, file, about, where)


def _table(
    rows: Iterable[str], before: int, file: str, about: dict[str, str], where: dict[str, str]
) -> Table:
    problems = Problems()
    reader = csv.reader(rows, strict=True)
    columns: tuple[str, ...] = ()
    lines: list[Line] = []
    header_at = f"{file}:{before + 1}"
    try:
        columns = tuple(cell.strip() for cell in next(reader))
        for cells in reader:
            at = f"{file}:{before + reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                problems.add(at, f"has {len(cells)} cells where the header has {len(columns)}")
                continue
            lines.append(Line(at, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        problems.add(f"{file}:{before + reader.line_num}", f"is no CSV: {error}")
    for name in columns:
        if columns.count(name) > 1:
            problems.add(header_at, f"has column {name!r} more than once")
            break
    problems.end()
    return Table(columns=columns, header_at=header_at, about=about, where=where, lines=tuple(lines))
