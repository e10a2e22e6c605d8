"""Anomaly Detection Thresholds, as a TOML file says them for each party.

``[[s1sp.volume]]`` and ``[[dco.volume]]`` have ``count`` requests in ``period`` seconds, and may
have ``variant`` (else of any) and ``user``: an EUI-64, or ``each`` for every User by itself (else
all Users together). ``[[s1sp.value]]`` and ``[[dco.value]]`` have ``variant``, ``argument`` and
``least``, ``most`` or both, which are still allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from emulator.requests.arguments import Type
from emulator.requests.documents import EUI_LENGTH, ServiceRequest
from emulator.requests.variants import variants

PARTIES = ("s1sp", "dco")
EACH = "each"
_NUMBERS = (Type.DECIMAL, Type.WHOLE)
_MAX_PERIOD = 366 * 86400
_MAX_COUNT = 10**9


class ThresholdError(ValueError):
    """The file is not what it should be; the text says where."""


class Volume(NamedTuple):
    """More than ``allowed`` requests in ``period`` seconds are a breach. Empty ``variant``: of any;
    empty ``user``: all Users together.
    """

    user: str
    variant: str
    allowed: int
    period: int

    def concerns(self, request: ServiceRequest) -> bool:
        whose = self.user in ("", EACH, request.originator.hex().upper())
        return whose and self.variant in ("", request.variant)

    def __str__(self) -> str:
        what = self.variant or "any variant"
        who = {"": "all Users together", EACH: "a User"}.get(self.user, self.user)
        return f"{self.allowed} of {what} in {self.period} s by {who}"


class Limit(NamedTuple):
    """A value of an argument beyond ``least`` or ``most`` is a breach."""

    variant: str
    argument: str
    least: Decimal | None
    most: Decimal | None

    def breached_by(self, request: ServiceRequest) -> bool:
        if request.variant != self.variant or self.argument not in request.arguments:
            return False
        value = Decimal(request.arguments[self.argument])
        below = self.least is not None and value < self.least
        return below or (self.most is not None and value > self.most)

    def __str__(self) -> str:
        least, most = ("" if bound is None else bound for bound in (self.least, self.most))
        return f"{self.argument} of {self.variant} in {least}..{most}"


class Thresholds(NamedTuple):
    """Of one party."""

    volumes: tuple[Volume, ...] = ()
    limits: tuple[Limit, ...] = ()


def read_thresholds(text: str) -> dict[str, Thresholds]:
    """The thresholds by party. :class:`ThresholdError` if anything in it is wrong."""
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # of TOML, or of a number that is too long
        raise ThresholdError(f"no TOML: {error}") from None
    except RecursionError:
        raise ThresholdError("no TOML: nested too deeply") from None
    for party in document:
        if party not in PARTIES:
            raise ThresholdError(f"{party!r} is no party: {', '.join(PARTIES)}")
    return {party: _party(party, document.get(party, {})) for party in PARTIES}


def _party(party: str, table: Any) -> Thresholds:
    if not isinstance(table, dict) or not table.keys() <= {"volume", "value"}:
        raise ThresholdError(f"{party} has something else than volume and value")
    return Thresholds(
        tuple(_volume(row, f"{party}.volume {n}") for n, row in _rows(table, "volume", party)),
        tuple(_limit(row, f"{party}.value {n}") for n, row in _rows(table, "value", party)),
    )


def _rows(table: Mapping[str, Any], name: str, party: str) -> list[tuple[int, dict[str, Any]]]:
    rows = table.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ThresholdError(f"{party}.{name} is to be written [[{party}.{name}]]")
    return list(enumerate(rows, 1))


def _volume(row: dict[str, Any], where: str) -> Volume:
    _only(row, {"count", "period"}, {"user", "variant"}, where)
    user, variant = str(row.get("user", "")), str(row.get("variant", ""))
    if user not in ("", EACH):
        user = user.upper()
        if len(user) != 2 * EUI_LENGTH or not set(user) <= set("0123456789ABCDEF"):
            raise ThresholdError(f"{where}: user is neither an EUI-64 nor {EACH!r}")
    if variant and variant not in variants():
        raise ThresholdError(f"{where}: there is no variant {variant!r}")
    allowed = _whole(row, "count", 0, _MAX_COUNT, where)
    return Volume(user, variant, allowed, _whole(row, "period", 1, _MAX_PERIOD, where))


def _limit(row: dict[str, Any], where: str) -> Limit:
    _only(row, {"variant", "argument"}, {"least", "most"}, where)
    variant = variants().get(str(row["variant"]))
    if variant is None:
        raise ThresholdError(f"{where}: there is no variant {row['variant']!r}")
    argument = variant.arguments.get(str(row["argument"]))
    if argument is None or argument.type not in _NUMBERS:
        raise ThresholdError(f"{where}: {variant.number} has no number {row['argument']!r}")
    least, most = (_decimal(row.get(name), f"{where}: {name}") for name in ("least", "most"))
    if least is None and most is None:
        raise ThresholdError(f"{where} needs least, most or both")
    if least is not None and most is not None and least > most:
        raise ThresholdError(f"{where}: least is more than most")
    return Limit(variant.number, argument.name, least, most)


def _only(row: dict[str, Any], needed: set[str], allowed: set[str], where: str) -> None:
    if not needed <= row.keys() <= needed | allowed:
        raise ThresholdError(
            f"{where} needs {', '.join(sorted(needed))} and may have {', '.join(sorted(allowed))}"
        )


def _whole(row: dict[str, Any], name: str, least: int, most: int, where: str) -> int:
    value = row[name]
    if type(value) is not int or not least <= value <= most:
        raise ThresholdError(f"{where}: {name} is no whole number in {least}..{most}")
    return value


def _decimal(value: Any, where: str) -> Decimal | None:
    if value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise ThresholdError(f"{where} is no number")
    return number
