"""Readings as a function of (seed, time): nothing that can be computed is stored.

The load is a daily wave around a mean that is the meter's own: P(t) = p (1 - 0.6 cos 2πt/day), with
p between 200 and 600 W by the seed. Its integral since installation is the register, so readings
taken at any moment, in any order, agree with each other.
"""

from __future__ import annotations

import datetime as dt
import math
from enum import Enum

INSTALLED = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)
_DAY = 86_400.0
_SWING = 0.6


class Quantity(Enum):
    """What a meter counts; the value is its unit."""

    IMPORT = "Wh"


def cumulative(seed: int, quantity: Quantity, moment: dt.datetime) -> int:
    """What would have flowed since installation had the supply never been interrupted."""
    return import_energy(seed, moment)


def mean_load(seed: int) -> float:
    """Mean active power import in W."""
    return 200.0 + seed % 401


def import_energy(seed: int, moment: dt.datetime) -> int:
    """Active energy import since installation in Wh, never falling."""
    seconds = max(0.0, (moment - INSTALLED).total_seconds())
    wave = _SWING * _DAY / (2 * math.pi) * math.sin(2 * math.pi * seconds / _DAY)
    return int(mean_load(seed) * (seconds - wave) / 3600)


def import_power(seed: int, moment: dt.datetime) -> int:
    """Active power import in W."""
    seconds = (moment - INSTALLED).total_seconds()
    return int(mean_load(seed) * (1 - _SWING * math.cos(2 * math.pi * seconds / _DAY)))


def voltage(seed: int, moment: dt.datetime) -> int:
    """Voltage in tenths of a volt, within 230 V -6 % to +10 %."""
    minute = int(moment.timestamp()) // 60
    return 2380 + (seed * 31 + minute * 17) % 101 - 50
