"""Rows of the catalogue that stand for one code, or for codes that differ in a number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

CHANNEL = 1
"""Group B is the channel; it has a place of its own in names."""

_TOKEN = re.compile(r"(\d+)\.\.(\d+)|(\d+)|([be])")
MAX_CHANNEL = 64
"""65 to 127 are for utilities, 128 to 199 for manufacturers."""
_LETTERS = {"b": (0, MAX_CHANNEL), "e": (0, 127)}


class Row(NamedTuple):
    """``groups`` are the lowest and highest number of each of the six groups."""

    groups: tuple[tuple[int, int], ...]
    name: str
    text: str
    class_id: int

    def matches(self, code: bytes) -> bool:
        return all(
            low <= number <= high for number, (low, high) in zip(code, self.groups, strict=True)
        )

    def free(self) -> list[int]:
        """The groups, other than the channel, that are not one number."""
        return [n for n, (low, high) in enumerate(self.groups) if low < high and n != CHANNEL]

    def numbers(self, code: bytes) -> list[int]:
        """What tells ``code`` from the lowest code of the row: the last of its free groups.

        A range that begins with 1 is a count, so its number is always told.
        """
        free = self.free()
        while free and code[free[0]] == self.groups[free[0]][0] != 1:
            free.pop(0)
        return [code[n] for n in free]

    def name_of(self, code: bytes) -> str:
        return "_".join((self.name, *map(str, self.numbers(code))))

    def lowest(self) -> bytes:
        return bytes(low for low, _ in self.groups)

    def code(self, numbers: list[int], channel: int) -> bytes | None:
        """The code of these :meth:`numbers`, or ``None`` if it is not of this row."""
        free = self.free()
        if len(numbers) > len(free):
            return None
        groups = list(self.lowest())
        groups[CHANNEL] = channel
        for place, number in zip(free[len(free) - len(numbers) :], numbers, strict=True):
            groups[place] = number
        if max(groups) > 0xFF:
            return None
        code = bytes(groups)
        return code if self.matches(code) else None


def parse(pattern: str) -> tuple[tuple[int, int], ...]:
    """Read the groups of ``0-b:43.1.e``; F is 255 if it is left out. ``ValueError`` otherwise."""
    groups = []
    for low, high, number, letter in _TOKEN.findall(pattern):
        if letter:
            groups.append(_LETTERS[letter])
        elif number:
            groups.append((int(number), int(number)))
        else:
            groups.append((int(low), int(high)))
    if len(groups) == 5:
        groups.append((0xFF, 0xFF))
    if len(groups) != 6 or any(not 0 <= low <= high <= 0xFF for low, high in groups):
        raise ValueError(f"{pattern!r} is no pattern of OBIS codes")
    return tuple(groups)


class Rows:
    """All rows, found by code or by name."""

    __slots__ = ("_by_c", "by_name")

    def __init__(self, table: Mapping[str, Iterable[object]]) -> None:
        self.by_name: dict[str, Row] = {}
        self._by_c: dict[int, list[Row]] = {}
        for pattern, (name, text, class_id) in table.items():
            assert isinstance(class_id, int)
            row = Row(parse(pattern), str(name), str(text), class_id)
            self.by_name[row.name] = row
            for c in range(row.groups[2][0], row.groups[2][1] + 1):
                self._by_c.setdefault(c, []).append(row)

    def find(self, code: bytes) -> Row | None:
        """The first row of the file that ``code`` matches."""
        return next((row for row in self._by_c.get(code[2], ()) if row.matches(code)), None)
