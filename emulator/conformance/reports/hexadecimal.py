"""Octets in rows, with the one at fault marked beneath."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from emulator.conformance.reports.showing import Picture

WIDTH = 16
FIRST = 32
"""Rows that are shown from the beginning; of a longer entry besides them only those with a mark,
and one around each."""


class Row(NamedTuple):
    """``start`` is the place of the first octet; ``skipped`` how many were left out before it."""

    start: int
    octets: tuple[str, ...]
    marks: frozenset[int]
    skipped: int


def rows(picture: Picture, first: int = FIRST) -> Iterator[Row]:
    """The rows that are to be shown. Those behind the last one are :func:`left_out`."""
    octets, marks = picture.octets, picture.marks
    around = {at // WIDTH + near for at in marks for near in (-1, 0, 1)}
    behind = 0
    for start in range(0, len(octets), WIDTH):
        number = start // WIDTH
        if number < first or number in around:
            part = octets[start : start + WIDTH]
            here = frozenset(at for at in marks if start <= at < start + WIDTH)
            yield Row(start, part, here, start - behind)
            behind = start + len(part)


def left_out(picture: Picture, first: int = FIRST) -> int:
    """How many octets there are behind the last row."""
    end = 0
    for row in rows(picture, first):
        end = row.start + len(row.octets)
    return len(picture.octets) - end
