"""What is to be said of lines that no fuzzer reaches (``judged.toml``)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from emulator import toml_file
from emulator.fuzz.coverage.scope import Place

FILE = Path(__file__).with_name("judged.toml")


class Verdict(Enum):
    CANNOT = "cannot be reached"
    """By nothing that the fuzzers play, for the reason that is given."""
    ELSEWHERE = "reached elsewhere"
    """By another target or another part, which is named; not in this process."""
    MISSING = "to be reached"
    """A rule, an action or a corpus is missing, which is named."""

    __hash__ = object.__hash__


class Judgement(NamedTuple):
    """Of lines in ``file`` and in functions like ``function`` whose text is like one of ``texts``
    (patterns of :mod:`fnmatch`; any text if there are none).
    """

    file: str
    function: str
    texts: tuple[str, ...]
    verdict: Verdict
    why: str

    def is_of(self, place: Place) -> bool:
        if not fnmatchcase(place.file, self.file):
            return False
        if not fnmatchcase(place.function, self.function):
            return False
        return not self.texts or any(_like(place.text, text) for text in self.texts)


def _like(text: str, pattern: str) -> bool:
    # The only wildcard is *: the brackets of Python are no classes of characters here.
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))


def judgements(path: Path = FILE) -> tuple[Judgement, ...]:
    """:class:`~devices.profile.ProfileError` if the file cannot be used."""
    written = toml_file.read(path)
    found = []
    for number, row in enumerate(written.table["place"]):
        try:
            found.append(
                Judgement(
                    row["file"],
                    row.get("function", "*"),
                    tuple(row.get("texts", ())),
                    Verdict[row["verdict"].upper()],
                    row["why"],
                )
            )
        except KeyError as error:
            place = written.place.at("place").at(str(number))
            raise place.error(f"{error} is not there, or no verdict") from None
    return tuple(found)


class Judged(NamedTuple):
    """``open`` are places that nobody has judged; ``idle`` judgements of nothing any more."""

    places: tuple[tuple[Place, Judgement], ...]
    open: tuple[Place, ...]
    idle: tuple[Judgement, ...]


def judged(places: Iterable[Place], rows: tuple[Judgement, ...]) -> Judged:
    """The first judgement that fits a place counts."""
    found: list[tuple[Place, Judgement]] = []
    left: list[Place] = []
    used: set[int] = set()
    for place in places:
        number = next((at for at, row in enumerate(rows) if row.is_of(place)), None)
        if number is None:
            left.append(place)
        else:
            used.add(number)
            found.append((place, rows[number]))
    idle = tuple(row for number, row in enumerate(rows) if number not in used)
    return Judged(tuple(found), tuple(left), idle)
