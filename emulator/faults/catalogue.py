"""The catalogue: named faults, each a kind with parameters, from TOML.

[deaf]
kind = "stall"
help = "the meter does not read any more"
parameters = { how = "deaf" }
for = "10m"        # of virtual time; may be left out
count = 3          # how many times it acts; may be left out
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from devices.profile.place import Place, Problems
from devices.profile.table import maybe, near, need, only
from emulator import toml_file
from emulator.control.arguments import Argument, shown
from emulator.control.arguments import Kind as ArgumentKind
from emulator.control.errors import ControlError, bad_argument
from emulator.faults.kind import Kind, plain
from emulator.faults.kinds import KINDS
from emulator.toml_file import Written

LONGEST = dt.timedelta(days=36_500)

FOR = Argument(
    name="for_seconds",
    kind=ArgumentKind.DURATION,
    least=0,
    most=LONGEST.total_seconds(),
    help="how long, in virtual time; else until it is cleared",
)
COUNT = Argument(
    name="count",
    kind=ArgumentKind.INTEGER,
    least=1,
    most=1_000_000,
    help="how many times it acts; else it is not bounded",
)
_FOR = replace(FOR, name="for")
_FILES = ("catalogue.toml", "key_life.toml")
_KEYS = {"kind", "help", "parameters", "for", "count"}


class Row(NamedTuple):
    """A named fault. ``parameters`` are as they were written, for those of the kind that differ."""

    name: str
    kind: Kind
    help: str
    parameters: Mapping[str, object] = MappingProxyType({})
    duration: dt.timedelta | None = None
    times: int | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "kind": self.kind.name,
            "help": self.help,
            "parameters": dict(self.parameters),
            "for_seconds": plain(self.duration),
            "count": self.times,
        }


class Catalogue(NamedTuple):
    """Rows by name."""

    rows: Mapping[str, Row]

    def find(self, name: str) -> Row:
        """The row of that name, or of the kind with nothing but defaults."""
        row = self.rows.get(name)
        if row is not None:
            return row
        kind = KINDS.get(name)
        if kind is not None:
            return Row(name, kind, kind.help)
        hint = near(name, (*self.rows, *KINDS))
        there = "" if hint else f"; there are: {', '.join(self.rows)}; kinds: {', '.join(KINDS)}"
        raise bad_argument(f"no fault {shown(name)}{hint}{there}")

    def extended(self, rows: Mapping[str, Row]) -> Catalogue:
        return Catalogue({**self.rows, **rows})


def built_in() -> Catalogue:
    """What comes with the package."""
    rows: dict[str, Row] = {}
    for name in _FILES:
        rows |= parse((resources.files("emulator.faults") / name).read_text("utf-8"), name, rows)
    return Catalogue(rows)


def load_file(path: Path, catalogue: Catalogue) -> Catalogue:
    """``catalogue`` with what a file adds. :class:`~devices.profile.ProfileError` says file, line,
    place and what was expected, of all that is wrong.
    """
    return catalogue.extended(_rows(toml_file.read(path), catalogue.rows))


def parse(text: str, file: str, known: Mapping[str, Row]) -> dict[str, Row]:
    """The rows of a TOML text; ``known`` are those that there are already."""
    return _rows(toml_file.parse(text, file), known)


def _rows(written: Written, known: Mapping[str, Row]) -> dict[str, Row]:
    place = written.place
    rows: dict[str, Row] = {}
    problems = Problems()
    for name, row in written.table.items():
        with problems.collected():
            if name in known or name in KINDS:
                what = "a fault" if name in known else "a kind"
                raise place.at(name).error(f"there is {what} of that name already")
            rows[name] = row_of(name, row, place.at(name))
    problems.settle()
    return rows


def row_of(name: str, written: object, place: Place) -> Row:
    """A row as a table has it. :class:`~devices.profile.ProfileError` says what is wrong."""
    only(written, _KEYS, place)
    assert isinstance(written, dict)  # only() has looked
    kind = KINDS.get(need(written, "kind", str, place))
    if kind is None:
        word = written["kind"]
        hint = near(word, KINDS)
        known = ", ".join(KINDS)
        raise place.at("kind").error(f"{shown(word)} is no kind{hint}; known are {known}")
    help = need(written, "help", str, place)
    parameters: dict[str, Any] = maybe(written, "parameters", dict, {}, place)
    _check_parameters(kind, parameters, place.at("parameters"))
    if not kind.lasts and (written.keys() & {"for", "count"}):
        raise place.error(f"{kind.name} is done once: it has neither 'for' nor 'count'")
    if not kind.counts and "count" in written:
        raise place.at("count").error(f"{kind.name} has no count: it acts as long as it is there")
    duration = _taken(_FOR, written["for"], place.at("for")) if "for" in written else None
    count = _taken(COUNT, written["count"], place.at("count")) if "count" in written else None
    return Row(name, kind, help, parameters, duration, count)


def _check_parameters(kind: Kind, given: Mapping[str, object], place: Place) -> None:
    known = {parameter.name: parameter for parameter in kind.parameters}
    problems = Problems()
    for name, value in given.items():
        with problems.collected():
            if name not in known:
                there = ", ".join(known) or "none"
                raise place.at(name).error(
                    f"{kind.name} has no such parameter{near(name, known)}; known are {there}"
                )
            _taken(known[name].argument, value, place.at(name))
    problems.settle()


def _taken(argument: Argument, value: object, place: Place) -> Any:
    try:
        return argument.take(value)
    except ControlError as error:
        raise place.error(error.text) from None
