"""docs/metering.md says all that is needed: summing half-hours by it gives what the meters show."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import Any

import pytest

from devices.metrology import INSTALLED, Quantity, cumulative, power, shapes, voltage, weather

HALF_HOUR = dt.timedelta(minutes=30)
YEAR = 48 * 366
SEEDS = (0, 1, 7, 0xFFFF_FFFF)


def seed_with(by_hand: Any, quantity: str, curve: str) -> int:
    """The first meter whose register has a curve."""
    return next(
        seed for seed in range(1000) if curve in [one[0] for one in by_hand.parts(seed, quantity)]
    )


def compare(by_hand: Any, seed: int, quantity: Quantity, begin: int, count: int) -> int:
    """``count`` half-hours from ``begin``; gives the last."""
    summed = list(islice(by_hand.readings(seed, quantity.value), begin, begin + count))
    times = [INSTALLED + k * HALF_HOUR for k in range(begin, begin + count)]
    assert [cumulative(seed, quantity, moment) for moment in times] == summed
    return int(summed[-1])


@pytest.mark.parametrize("quantity", Quantity)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_year(by_hand: Any, seed: int, quantity: Quantity) -> None:
    compare(by_hand, seed, quantity, 0, YEAR)


@pytest.mark.parametrize("kind", range(len(shapes.HOUSEHOLDS)))
def test_every_type_of_household(by_hand: Any, kind: int) -> None:
    seed = seed_with(by_hand, "active import", str(kind))
    assert compare(by_hand, seed, Quantity.IMPORT, 0, YEAR) > 1_000_000


def test_solar_panels(by_hand: Any) -> None:
    seed = seed_with(by_hand, "active export", "sunshine")
    assert compare(by_hand, seed, Quantity.EXPORT, 0, YEAR) > 100_000


@pytest.mark.parametrize("quantity", [Quantity.IMPORT, Quantity.GAS_VOLUME])
def test_when_the_weather_comes_again(by_hand: Any, quantity: Quantity) -> None:
    """28 years of half-hours, and some on either side of the seam."""
    compare(by_hand, 7, quantity, 48 * (weather.CYCLE - 3), 48 * 10)


@pytest.mark.parametrize("quantity", Quantity)
def test_within_a_half_hour(by_hand: Any, quantity: Quantity) -> None:
    seed = seed_with(by_hand, "active export", "sunshine")
    k = 48 * 180 + 25
    own = list(islice(by_hand.readings(seed, quantity.value), k, k + 2))
    begin = INSTALLED + k * HALF_HOUR
    assert power(seed, quantity, begin) == 2 * (own[1] - own[0]) > 0
    assert power(seed, quantity, begin + HALF_HOUR - dt.timedelta.resolution) == 2 * (
        own[1] - own[0]
    )
    if quantity is Quantity.GAS_VOLUME:  # two parts, each rounded
        return
    for micros in (1, 900_000_000, 1_234_567_890, 1_799_999_999):
        moment = begin + dt.timedelta(microseconds=micros)
        expected = own[0] + (own[1] - own[0]) * micros // 1_800_000_000
        assert cumulative(seed, quantity, moment) == expected


def test_voltage(by_hand: Any) -> None:
    for seed in SEEDS:
        for step in range(2000):
            moment = INSTALLED + dt.timedelta(days=1000, seconds=97 * step, microseconds=step)
            assert voltage(seed, moment) == by_hand.voltage(seed, moment)
    before = INSTALLED - dt.timedelta(seconds=12345)
    assert voltage(1, before) == by_hand.voltage(1, before)


def test_what_the_page_says_of_a_year(by_hand: Any) -> None:
    """The range of meters, and that a mean year is what the amount says."""
    seeds = range(300)
    imports = [by_hand.parts(seed, "active import")[0][2] // 28 for seed in seeds]
    assert 2_000_000 <= min(imports) < 2_200_000
    assert 4_800_000 < max(imports) <= 5_000_000
    gas = [sum(part[2] for part in by_hand.parts(seed, "gas volume")) // 28 for seed in seeds]
    assert 700_000 <= min(gas) < 760_000
    assert 1_540_000 < max(gas) <= 1_600_000
    panels = sum(bool(by_hand.parts(seed, "active export")) for seed in seeds)
    assert 60 < panels < 120
    after = INSTALLED + dt.timedelta(days=weather.CYCLE)
    for seed in range(5):
        amount = by_hand.parts(seed, "active import")[0][2]
        assert 0 <= cumulative(seed, Quantity.IMPORT, after) - amount < 1000
