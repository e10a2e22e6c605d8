"""Parameters that several kinds have, and short ways to describe others."""

from __future__ import annotations

from emulator.control.arguments import Argument, Kind
from emulator.faults.kind import Parameter


def choice(name: str, choices: tuple[str, ...], default: str, help: str) -> Parameter:
    return Parameter(Argument(name=name, kind=Kind.TEXT, choices=choices, help=help), default)


def whole(name: str, least: int, most: int, default: int | None, unit: str, help: str) -> Parameter:
    argument = Argument(name=name, kind=Kind.INTEGER, least=least, most=most, help=help)
    return Parameter(argument, default, unit)


def number(name: str, least: float, most: float, default: float, unit: str, help: str) -> Parameter:
    argument = Argument(name=name, kind=Kind.NUMBER, least=least, most=most, help=help)
    return Parameter(argument, default, unit)


def duration(name: str, most: int, default: float, help: str) -> Parameter:
    argument = Argument(name=name, kind=Kind.DURATION, least=0, most=most, help=help)
    return Parameter(argument, default, "s")


def direction(default: str = "out") -> Parameter:
    return choice("direction", ("in", "out"), default, "in: to the meter; out: from it")


UNIT = choice(
    "of",
    ("apdu", "octets"),
    "apdu",
    "whole APDUs, or octets as they are read or written at once: HDLC frames, datagrams",
)
ASSOCIATION = Parameter(
    Argument(name="association", kind=Kind.TEXT, help="only APDUs of the association of this name")
)
