"""Weights of half-hours and their sums from the first day, one table for all meters of a kind.

A curve gives each half-hour the weight: factor of its day times shape of its day. The sum up to any
half-hour is had from three look-ups, however long ago the first day was.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import accumulate

from devices.metrology import weather
from devices.metrology.shapes import (
    HEATING,
    HOT_WATER,
    HOUSEHOLDS,
    WINTER_LIGHTS,
    Shape,
    sun,
)
from devices.metrology.weather import CYCLE

HALF_HOURS = 48
_WINTER = (10, 11, 12, 1, 2, 3)
_SATURDAY = 5
_COMFORT = 160
_HEATED_BELOW = 155
"""Tenths of a degree: below them households use more electricity, and boilers heat."""


class Curve:
    """``day(number)`` gives the factor and the shape of a day."""

    __slots__ = ("_before", "_factors", "_shapes", "_sums", "total")

    def __init__(self, day: Callable[[int], tuple[int, Shape]]) -> None:
        sums: dict[Shape, Shape] = {}
        self._factors: list[int] = []
        self._shapes: list[Shape] = []
        self._sums: list[Shape] = []
        self._before = [0]
        for number in range(CYCLE):
            factor, shape = day(number)
            known = sums.get(shape)
            if known is None:
                known = sums[shape] = tuple(accumulate(shape, initial=0))
            self._factors.append(factor)
            self._shapes.append(shape)
            self._sums.append(known)
            self._before.append(self._before[-1] + factor * known[-1])
        self.total = self._before[-1]

    def up_to(self, half_hour: int) -> tuple[int, int]:
        """The sum of the weights before a half-hour, and the smaller of the weights on both sides
        of its beginning. Nothing is before half-hour 0.
        """
        number, place = divmod(half_hour, HALF_HOURS)
        cycles, number = divmod(number, CYCLE)
        factor, shape = self._factors[number], self._shapes[number]
        before = cycles * self.total + self._before[number] + factor * self._sums[number][place]
        weight = factor * shape[place]
        if place:
            last = factor * shape[place - 1]
        elif half_hour:
            last = self._factors[number - 1] * self._shapes[number - 1][-1]
        else:
            last = 0
        return before, last if last < weight else weight


@cache
def household(kind: int) -> Curve:
    """Electricity of a type of household, by its number."""
    living = HOUSEHOLDS[kind]
    summer = living.weekday, living.weekend_day
    winter = tuple(tuple(map(int.__add__, shape, WINTER_LIGHTS)) for shape in summer)
    percent = 100, living.weekend

    def day(number: int) -> tuple[int, Shape]:
        date = weather.day(number)
        weekend = date.weekday() >= _SATURDAY
        level = 1000 + living.heating * max(0, _COMFORT - weather.temperature(number))
        shapes = winter if date.month in _WINTER else summer
        return level * percent[weekend], shapes[weekend]

    return Curve(day)


@cache
def sunshine() -> Curve:
    """What solar panels give."""
    shapes = [sun(month) for month in range(1, 13)]
    return Curve(lambda number: (weather.clearness(number), shapes[weather.day(number).month - 1]))


@cache
def heating() -> Curve:
    """Gas for heating: nothing on warm days."""
    return Curve(lambda number: (max(0, _HEATED_BELOW - weather.temperature(number)), HEATING))


@cache
def hot_water() -> Curve:
    """Gas for hot water, alike every day."""
    return Curve(lambda number: (1, HOT_WATER))
