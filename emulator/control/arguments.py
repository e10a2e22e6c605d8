"""Arguments of actions: described as data, and checked by their description.

They come as JSON has them. Moments and durations are text there; a duration may be a number of
seconds, too.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from emulator.control.errors import bad_argument

MAX_TEXT = 200
"""Characters: no name, number or time is as long."""

_SHOWN = 40
_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,12}}){unit})?" for unit in _UNITS), re.ASCII)


class Kind(Enum):
    """What an argument is, in words that stand behind "is"."""

    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    FLAG = "true or false"
    MOMENT = "a moment in ISO 8601, in UTC if it says no zone, or 'now'"
    TABLE = "an object of names with values"
    DURATION = "a duration, as 1d12h or 90s, or a number of seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """``least`` and ``most`` bound numbers, and durations in seconds; both are allowed. ``choices``
    are all texts that are.
    """

    name: str
    kind: Kind
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    def take(self, value: object) -> Any:
        """``value`` as a handler has it: text, a number, an aware moment, a timedelta, a dict.
        :class:`~emulator.control.errors.ControlError` if it is not what is described.
        """
        taken = _TAKERS[self.kind](value)
        chosen = not self.choices or taken in self.choices
        if taken is None or not chosen or not self._is_within(taken):
            raise bad_argument(f"{self.name} is {self.expected()}, not {shown(value)}")
        return taken

    def _is_within(self, value: object) -> bool:
        size = value.total_seconds() if isinstance(value, dt.timedelta) else value
        if not isinstance(size, int | float):
            return True
        return (self.least is None or self.least <= size) and (
            self.most is None or size <= self.most
        )

    def expected(self) -> str:
        """What it is, with its range or choices."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        bounds = [
            f"{word} {self._bound(bound)}"
            for word, bound in (("at least", self.least), ("at most", self.most))
            if bound is not None
        ]
        return " ".join((self.kind.value, *([f"({', '.join(bounds)})"] if bounds else ())))

    def _bound(self, bound: float) -> str:
        if self.kind is not Kind.DURATION:
            return str(bound)
        days, rest = divmod(bound, _UNITS["d"])
        return f"{days:g}d" if days and not rest else f"{bound:g}s"

    def to_json(self) -> dict[str, object]:
        row: dict[str, object] = {
            "name": self.name,
            "type": self.kind.name.lower(),
            "required": self.required,
            "help": self.help,
        }
        if self.choices:
            row["choices"] = list(self.choices)
        if self.least is not None:
            row["least"] = self.least
        if self.most is not None:
            row["most"] = self.most
        return row


def taken(arguments: Sequence[Argument], given: Mapping[str, object]) -> dict[str, Any]:
    """What was given, checked; what was not given is not there, and ``None`` is not given."""
    known = {argument.name: argument for argument in arguments}
    for name in given:
        if name not in known:
            there = f"there are: {', '.join(known)}" if known else "there are none"
            raise bad_argument(f"no argument {shown(name)}; {there}")
    there_is = {name: known[name].take(value) for name, value in given.items() if value is not None}
    for argument in arguments:
        if argument.required and argument.name not in there_is:
            raise bad_argument(f"{argument.name} is missing: {argument.expected()}")
    return there_is


def shown(value: object) -> str:
    """Anything a peer has sent, in few characters of one line."""
    text = ascii(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def duration(text: str) -> dt.timedelta | None:
    """``1w2d3h4m5s``, any of them in that order; ``None`` if it is none."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        return None
    seconds = sum(
        int(count) * size
        for count, size in zip(found.groups(), _UNITS.values(), strict=True)
        if count
    )
    return _seconds(seconds)


def moment(text: str) -> dt.datetime | None:
    """ISO 8601, in UTC if it says no zone, or ``now``: the time of this machine."""
    if text == "now":
        return dt.datetime.now(dt.UTC)
    try:
        found = dt.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _text(value: object) -> str | None:
    good = isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()
    return value if good and isinstance(value, str) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: object) -> dt.datetime | None:
    text = _text(value)
    return None if text is None else moment(text)


def _duration(value: object) -> dt.timedelta | None:
    text, number = _text(value), _number(value)
    if text is not None:
        return duration(text)
    return None if number is None else _seconds(number)


def _seconds(count: float) -> dt.timedelta | None:
    try:
        return dt.timedelta(seconds=count)
    except OverflowError:
        return None


def _table(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) and all(map(_text, value)) else None


_TAKERS: dict[Kind, Callable[[object], object]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.MOMENT: _moment,
    Kind.DURATION: _duration,
    Kind.TABLE: _table,
}
