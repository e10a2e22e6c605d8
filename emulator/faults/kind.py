"""A kind of fault: where it acts, its parameters, what a client sees, and the function that acts.

A new kind is a function and a row: :data:`emulator.faults.kinds.KINDS`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.control.arguments import Argument
from emulator.control.errors import bad_argument
from emulator.serving.taps import WAYS

if TYPE_CHECKING:
    from emulator.faults.fault import Fault


class Parameter(NamedTuple):
    """``default`` is written as it is given; with ``None`` the parameter is not there."""

    argument: Argument
    default: object = None
    unit: str = ""

    @property
    def name(self) -> str:
        return self.argument.name

    def to_json(self) -> dict[str, object]:
        return {**self.argument.to_json(), "default": self.default, "unit": self.unit}


def _every_way(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return WAYS


class Kind(NamedTuple):
    """``place`` says where it acts and ``seen`` what a client sees, for people.

    ``begin`` makes it act: it puts effects on ways, or does something to the meter. ``ways`` are
    those on which it can act with some parameters. A kind that ``lasts`` goes on until it is
    cleared, its time is over or, where it ``counts``, it has acted so many times; others are done
    once.
    """

    name: str
    place: str
    help: str
    seen: str
    begin: Callable[[Fault], None]
    parameters: tuple[Parameter, ...] = ()
    lasts: bool = True
    counts: bool = True
    ways: Callable[[Mapping[str, Any]], tuple[str, ...]] = _every_way

    def taken(self, given: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, Any]:
        """The parameters as the fault has them: those given, else the defaults of a row of the
        catalogue, else those of the kind.

        :class:`~emulator.control.errors.ControlError` for one that is unknown, or is not what is
        described.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                there = f"it has: {', '.join(known)}" if known else "it has none"
                raise bad_argument(f"{self.name} has no parameter {name!r}; {there}")
        written = {name: parameter.default for name, parameter in known.items()}
        written |= {**defaults, **given}
        return {
            name: None if value is None else known[name].argument.take(value)
            for name, value in written.items()
        }

    def to_json(self) -> dict[str, object]:
        return {
            "kind": self.name,
            "place": self.place,
            "help": self.help,
            "seen": self.seen,
            "lasts": self.lasts,
            "counts": self.lasts and self.counts,
            "parameters": [parameter.to_json() for parameter in self.parameters],
        }


def plain(value: object) -> object:
    """A parameter as JSON has it: a duration in seconds."""
    return value.total_seconds() if isinstance(value, dt.timedelta) else value
