"""Arguments of a Service Request: how each type is written, so that one value has one spelling."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import NamedTuple

from emulator.requests.documents import Value

_MAX_TEXT = 200
_PLACES = 5
"""Decimal places of an amount: a milli-pence is 0.00001 GBP."""
_SHA256 = re.compile(r"[0-9A-F]{64}")
_TIME_OF_DAY = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


class ArgumentError(ValueError):
    """An argument is missing, unknown, badly written or out of range."""


class Type(Enum):
    DECIMAL = "decimal"
    """Text, a decimal fraction with no zeros at its end, such as ``20`` and ``-0.5``."""
    WHOLE = "whole"
    """A whole number, a number of JSON."""
    CHOICE = "choice"
    TIME = "time"
    """Text, ISO 8601 in UTC to the second: ``2026-11-28T08:00:00Z``."""
    TIME_OF_DAY = "time-of-day"
    """Text, ``HH:MM``."""
    SHA256 = "sha256"
    """Text, 64 upper-case hexadecimal digits."""
    TEXT = "text"


class Argument(NamedTuple):
    """``least`` and ``most`` are included; ``kinds`` are the kinds of meter that take it."""

    name: str
    type: Type
    unit: str
    choices: tuple[str, ...]
    least: Decimal | None
    most: Decimal | None
    kinds: tuple[str, ...]
    optional: bool

    def canonical(self, given: object) -> Value:
        """``given`` as it is written in a document. :class:`ArgumentError` if it is no value of
        this argument.
        """
        if isinstance(given, bool) or not isinstance(given, str | int):
            raise self._error("is neither text nor a whole number")
        text = str(given)
        if len(text) > _MAX_TEXT:
            raise self._error("is too long")
        if self.type is Type.CHOICE and text not in self.choices:
            raise self._error(f"is {text!r}, not one of {', '.join(self.choices)}")
        value = _SPELT[self.type](self, text)
        self._check_range(value)
        return value

    def check(self, written: Value) -> None:
        """:class:`ArgumentError` unless ``written`` is as :meth:`canonical` writes it."""
        found = self.canonical(written)
        if found != written or type(found) is not type(written):
            raise self._error(f"is {written!r}, which is to be written {found!r}")

    def _check_range(self, value: Value) -> None:
        if self.least is not None and self.most is not None:
            number = Decimal(value)
            if not self.least <= number <= self.most:
                raise self._error(f"is {value}, not in {self.least}..{self.most} {self.unit}")

    def _error(self, text: str) -> ArgumentError:
        return ArgumentError(f"argument {self.name} {text}")

    # Spellings ----------------------------------------------------------------------------------

    def decimal(self, text: str) -> str:
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number.adjusted()) > 12:
            raise self._error(f"is {text!r}, no amount of {self.unit}")
        exponent = number.normalize().as_tuple().exponent
        assert isinstance(exponent, int)  # it is finite
        if -exponent > _PLACES:
            raise self._error(f"is {text}, with more than {_PLACES} decimal places")
        return "0" if not number else f"{number.normalize():f}"

    def whole(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise self._error(f"is {text!r}, no whole number") from None

    def time(self, text: str) -> str:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            raise self._error(f"is {text!r}, no time of ISO 8601") from None
        if moment.tzinfo is None:
            raise self._error(f"is {text!r}, which says no time zone")
        try:
            moment = moment.astimezone(dt.UTC)
        except OverflowError:
            raise self._error(f"is {text!r}, out of range") from None
        return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"

    def time_of_day(self, text: str) -> str:
        if _TIME_OF_DAY.fullmatch(text) is None:
            raise self._error(f"is {text!r}, not HH:MM")
        return text

    def sha256(self, text: str) -> str:
        if _SHA256.fullmatch(text.upper()) is None:
            raise self._error("is no SHA-256 in hexadecimal")
        return text.upper()

    def text(self, text: str) -> str:
        return text


_SPELT: dict[Type, Callable[[Argument, str], Value]] = {
    Type.DECIMAL: Argument.decimal,
    Type.WHOLE: Argument.whole,
    Type.CHOICE: Argument.text,
    Type.TIME: Argument.time,
    Type.TIME_OF_DAY: Argument.time_of_day,
    Type.SHA256: Argument.sha256,
    Type.TEXT: Argument.text,
}


def moment_of(written: Value) -> dt.datetime:
    """The moment that an argument of type ``time`` says."""
    return dt.datetime.fromisoformat(str(written))
