"""What a meter with a given seed shows at a given time."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from devices.metrology import curves
from devices.metrology.chance import chance
from devices.metrology.curves import Curve
from devices.metrology.weather import FIRST_DAY, YEARS

INSTALLED = dt.datetime.combine(FIRST_DAY, dt.time(), dt.UTC)

_MICROSECOND = dt.timedelta(microseconds=1)
_HALF_HOUR = 1_800_000_000
"""In microseconds, as all times here."""
_MINUTE = 60_000_000
_WOBBLE = 16
"""Weights are counted in fractions of 2^-16 where chance moves them."""


class Quantity(Enum):
    """What is metered. Values are names; ``unit`` is the unit of :func:`cumulative`."""

    IMPORT = "active import"
    EXPORT = "active export"
    REACTIVE_IMPORT = "reactive import"
    REACTIVE_EXPORT = "reactive export"
    GAS_VOLUME = "gas volume"

    __hash__ = object.__hash__  # members are singletons; hashing their names takes longer

    @property
    def unit(self) -> str:
        return _UNITS[self]


_UNITS = {
    Quantity.IMPORT: "Wh",
    Quantity.EXPORT: "Wh",
    Quantity.REACTIVE_IMPORT: "varh",
    Quantity.REACTIVE_EXPORT: "varh",
    Quantity.GAS_VOLUME: "dm3",
}


class _Part(NamedTuple):
    """``amount`` is used in a cycle of the ``curve``; ``stream`` is the meter's own chance."""

    curve: Curve
    amount: int
    stream: int

    def used(self, half_hour: int) -> int:
        """What was used before the beginning of a half-hour.

        Up to a half of the smaller of its neighbours is used before the turn of a half-hour
        already. So no two meters are alike, nothing is used where one weighs nothing, and the sum
        never falls.
        """
        before, least = self.curve.up_to(half_hour)
        weight = (before << _WOBBLE) + least * (chance(self.stream, half_hour) >> 33 - _WOBBLE)
        return self.amount * weight // (self.curve.total << _WOBBLE)


# How a meter's own numbers are drawn from its seed.
_KIND, _IMPORT, _PANELS, _EXPORT, _LAGGING, _LEADING, _GAS, _WATER, _STREAM, _LEVEL = range(10)
_NIGHT_STORAGE = 3


@lru_cache(4096)
def _parts(seed: int, quantity: Quantity) -> tuple[_Part, ...]:
    """What the consumption of a meter is made of."""

    def draw(number: int, least: int, most: int) -> int:
        return least + chance(own, number) % (most - least + 1)

    own = chance(seed, 0)
    stream = chance(own, _STREAM)
    if quantity is Quantity.GAS_VOLUME:
        yearly = draw(_GAS, 700_000, 1_600_000)
        water = yearly * draw(_WATER, 15, 30) // 100
        return (
            _Part(curves.heating(), YEARS * (yearly - water), stream + 4),
            _Part(curves.hot_water(), YEARS * water, stream + 5),
        )
    if quantity is Quantity.EXPORT:
        if draw(_PANELS, 0, 99) >= 30:
            return ()
        return (_Part(curves.sunshine(), YEARS * draw(_EXPORT, 500_000, 3_000_000), stream + 1),)
    kind = (0, 0, 0, 0, 1, 1, 1, 2, 2, _NIGHT_STORAGE)[draw(_KIND, 0, 9)]
    yearly = draw(_IMPORT, 4_000_000 if kind == _NIGHT_STORAGE else 2_000_000, 5_000_000)
    curve = curves.household(kind)
    if quantity is Quantity.IMPORT:
        return (_Part(curve, YEARS * yearly, stream),)
    if quantity is Quantity.REACTIVE_IMPORT:
        return (_Part(curve, YEARS * yearly * draw(_LAGGING, 150, 450) // 1000, stream + 2),)
    return (_Part(curve, YEARS * yearly * draw(_LEADING, 10, 60) // 1000, stream + 3),)


def cumulative(seed: int, quantity: Quantity, moment: dt.datetime) -> int:
    """What has been used since :data:`INSTALLED`, in Wh, varh or dm3; 0 before. Never falling.

    The supply is taken never to have been interrupted.
    """
    since = (moment - INSTALLED) // _MICROSECOND
    if since <= 0:
        return 0
    half_hour, rest = divmod(since, _HALF_HOUR)
    used = 0
    for part in _parts(seed, quantity):
        here = part.used(half_hour)
        if rest:
            here += (part.used(half_hour + 1) - here) * rest // _HALF_HOUR
        used += here
    return used


def power(seed: int, quantity: Quantity, moment: dt.datetime) -> int:
    """The mean of the half-hour that ``moment`` is in, in W, var or dm3 per hour; 0 before
    :data:`INSTALLED`.
    """
    half_hour = (moment - INSTALLED) // _MICROSECOND // _HALF_HOUR
    if half_hour < 0:
        return 0
    parts = _parts(seed, quantity)
    return 2 * sum(part.used(half_hour + 1) - part.used(half_hour) for part in parts)


_GRID = 3
"""The stream that all meters have in common, beside those of the weather."""


def voltage(seed: int, moment: dt.datetime) -> int:
    """In tenths of a volt, within 230 V -6 % to +10 %: what the street has in common, which goes
    from half-hour to half-hour, where the meter is, and a little by the minute.
    """
    since = (moment - INSTALLED) // _MICROSECOND
    half_hour, rest = divmod(since, _HALF_HOUR)
    here, ahead = (chance(_GRID, half_hour + n) % 121 - 60 for n in range(2))
    own = chance(seed, 0)
    place = chance(own, _LEVEL) % 41 - 20
    flicker = chance(own, since // _MINUTE) % 11 - 5
    return 2400 + place + here + (ahead - here) * rest // _HALF_HOUR + flicker
