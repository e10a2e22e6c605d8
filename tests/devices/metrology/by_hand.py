"""The load model as docs/metering.md describes it, one half-hour after the other.

Nothing of the package is used here, and the tables are read from the page: whoever has the page
can do this.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "metering.md"
START = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)
DAYS = 10_227
TYPES = ("at work", "family", "at home", "night storage")
QUANTITIES = (
    "active import",
    "active export",
    "reactive import",
    "reactive export",
    "gas volume",
)


@cache
def table(name: str) -> list[int]:
    found = re.search(rf"^{name}:\n\n((?: +\d+)+\n)+", PAGE.read_text("utf-8"), re.MULTILINE)
    assert found is not None, name
    return [int(number) for number in found[0].partition(":")[2].split()]


@cache
def household(kind: int) -> list[int]:
    """heating, and the per cent of weekdays and weekends."""
    row = re.search(
        rf"^\| {kind} \| {TYPES[kind]} \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert row is not None
    return [int(cell) for cell in row[1].split("|")]


def chance(stream: int, number: int) -> int:
    x = (stream + 0x9E3779B9 * number) % 2**32
    x = ((x ^ (x >> 16)) * 0x7FEB352D) % 2**32
    x = ((x ^ (x >> 15)) * 0x846CA68B) % 2**32
    return x ^ (x >> 16)


@cache
def temperature(d: int) -> int:
    date = START + dt.timedelta(days=d)
    first = table("first of month")
    this, after = first[date.month - 1], first[date.month % 12]
    length = calendar.monthrange(date.year, date.month)[1]
    spells = sum(chance(1, d - i) % 61 - 30 for i in range(3))
    return this + (after - this) * (date.day - 1) // length + spells


@cache
def day(curve: str, d: int) -> list[int]:
    """The 48 weights of a day of the cycle."""
    date = START + dt.timedelta(days=d)
    if curve == "sunshine":
        rise = table("sunrise")[date.month - 1]
        clear = 20 + chance(2, d) % 81
        return [clear * max(0, (h - rise + 1) * (48 - rise - h)) for h in range(48)]
    if curve == "heating":
        return [max(0, 155 - temperature(d)) * number for number in table("heating")]
    if curve == "hot water":
        return table("hot water")
    kind = int(curve)
    heating, weekday, weekend = household(kind)
    at_weekend = calendar.weekday(date.year, date.month, date.day) in (5, 6)
    numbers = table(f"{TYPES[kind]}, {'weekend' if at_weekend else 'weekday'}")
    if date.month in (10, 11, 12, 1, 2, 3):
        lights = table("winter lights")
        numbers = [numbers[h] + lights[h] for h in range(48)]
    percent = weekend if at_weekend else weekday
    factor = (1000 + heating * max(0, 160 - temperature(d))) * percent
    return [factor * number for number in numbers]


@cache
def total(curve: str) -> int:
    return sum(sum(day(curve, d)) for d in range(DAYS))


def weight(curve: str, k: int) -> int:
    return day(curve, k // 48 % DAYS)[k % 48] if k >= 0 else 0


def parts(seed: int, quantity: str) -> list[tuple[str, int, int]]:
    """Curve, stream and amount of the parts of a register."""
    own = chance(seed, 0)

    def draw(n: int, a: int, b: int) -> int:
        return a + chance(own, n) % (b - a + 1)

    stream = chance(own, 8)
    if quantity == "gas volume":
        g = draw(6, 700000, 1600000)
        v = g * draw(7, 15, 30) // 100
        return [("heating", stream + 4, 28 * (g - v)), ("hot water", stream + 5, 28 * v)]
    if quantity == "active export":
        if draw(2, 0, 99) < 30:
            return [("sunshine", stream + 1, 28 * draw(3, 500000, 3000000))]
        return []
    kind = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3][draw(0, 0, 9)]
    y = draw(1, 4000000, 5000000) if kind == 3 else draw(1, 2000000, 5000000)
    if quantity == "active import":
        return [(str(kind), stream, 28 * y)]
    if quantity == "reactive import":
        return [(str(kind), stream + 2, 28 * y * draw(4, 150, 450) // 1000)]
    return [(str(kind), stream + 3, 28 * y * draw(5, 10, 60) // 1000)]


def readings(seed: int, quantity: str) -> Iterator[int]:
    """The register at the beginning of half-hour 0, 1, 2 and so on."""
    made_of = parts(seed, quantity)
    sums = [0] * len(made_of)
    k = 0
    while True:
        used = 0
        for place, (curve, stream, amount) in enumerate(made_of):
            least = min(weight(curve, k - 1), weight(curve, k))
            moved = 65536 * sums[place] + least * (chance(stream, k) >> 17)
            used += amount * moved // (65536 * total(curve))
            sums[place] += weight(curve, k)
        yield used
        k += 1


def voltage(seed: int, moment: dt.datetime) -> int:
    seconds = (moment - START) / dt.timedelta(seconds=1)
    micros = round(seconds * 1_000_000)
    k, rest = micros // 1_800_000_000, micros % 1_800_000_000
    own = chance(seed, 0)
    here, ahead = chance(3, k) % 121 - 60, chance(3, k + 1) % 121 - 60
    common = here + (ahead - here) * rest // 1_800_000_000
    return 2400 + chance(own, 9) % 41 - 20 + chance(own, micros // 60_000_000) % 11 - 5 + common
