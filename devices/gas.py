"""Gas: the volume at base conditions and the energy, from the volume that was metered.

    converted volume = volume * conversion factor
    energy = converted volume * calorific value

Both factors are objects of the meter, and whoever may write them changes what is counted from then
on and nothing before. So a register never jumps: for each change the meter keeps what had been
counted until then, exactly, in products of integers. Only what is shown is rounded down, and
differences of what is shown lose nothing on the way.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from devices.meter import Meter
from devices.metrology import INSTALLED, Quantity
from devices.profile.model import ObjectRow
from devices.registers import registers
from devices.timekeeping import moment_of, stamp
from dlms.axdr.data import Data, DataType, structure
from dlms.cosem.fitting import elements_of

CONVERSION, CALORIFIC = "conversion-factor", "calorific-value"
"""Roles of the factors: a number without unit, and joules per cubic metre at base conditions."""
VOLUME, CONVERTED, ENERGY = "gas-volume", "gas-converted-volume", "gas-energy"
"""Roles of the registers: dm3, dm3, Wh."""

MAX_CHANGES = 1024
"""Changes that are kept: nearly three years of a calorific value that is new every day."""

_NEXT = "gas factors"
"""Figure: the running number of the next change. Changes are rows of the calorific value."""
_MILLION = 6
"""dm3 times J/m3 are millijoules, a Wh is 3.6 * 10^6 of them."""


class Factors(NamedTuple):
    """What is in force from ``since`` on: the factors as they are written, without their scalers.
    ``converted`` and ``heat`` are the sums until then of volume times conversion factor, and of
    that times calorific value.
    """

    since: dt.datetime
    conversion: int
    calorific: int
    converted: int = 0
    heat: int = 0


class _History:
    """The changes of one meter, taken apart once."""

    def __init__(self, meter: Meter) -> None:
        self.count = _count(meter)
        self.changes = list(_changes(meter, self.count))
        self.starts = [one.since for one in self.changes]

    def at(self, moment: dt.datetime) -> Factors:
        """What was in force; before the first that is kept, that."""
        return self.changes[max(bisect_right(self.starts, moment) - 1, 0)]


def volume(meter: Meter, moment: dt.datetime) -> int:
    """What has passed, in dm3 as metered."""
    return registers(meter).total(Quantity.GAS_VOLUME, moment)


def converted(meter: Meter, moment: dt.datetime) -> int:
    """The same at base conditions, in dm3."""
    return _shown(counted(meter, moment).converted, _scaler(meter, CONVERSION), 1)


def energy(meter: Meter, moment: dt.datetime) -> int:
    """The energy of it in Wh."""
    exponent = _scaler(meter, CONVERSION) + _scaler(meter, CALORIFIC) - _MILLION
    return _shown(counted(meter, moment).heat, exponent + 1, 36)


def counted(meter: Meter, moment: dt.datetime) -> Factors:
    """The factors in force at a moment, with the sums until then."""
    history = meter.derived.get(_History)
    if not isinstance(history, _History) or history.count != _count(meter):
        history = meter.derived[_History] = _History(meter)
    one = history.at(moment)
    passed = (volume(meter, moment) - volume(meter, one.since)) * one.conversion
    return Factors(
        moment,
        one.conversion,
        one.calorific,
        max(0, one.converted + passed),
        max(0, one.heat + passed * one.calorific),
    )


def change(meter: Meter, row: ObjectRow, value: Data, now: dt.datetime) -> None:
    """A factor is another one from now on. The oldest change that is kept gives way."""
    conversion, calorific = factor(meter, CONVERSION), factor(meter, CALORIFIC)
    until = counted(meter, now)
    meter.store(row, 2, value)
    number = _count(meter)
    factors = _integer(meter.value(conversion, 2)), _integer(meter.value(calorific, 2))
    new = (stamp(now), *factors, until.converted, until.heat)
    row_of_it = structure(*(Data(DataType.LONG64, part) for part in new))
    meter.state.rows[calorific.instance, number] = row_of_it
    meter.state.rows.pop((calorific.instance, number - MAX_CHANGES), None)
    meter.state.figures[_NEXT] = number + 1


def factor(meter: Meter, role: str) -> ObjectRow:
    """The object that has a factor. ``LookupError`` if the meter has none; profiles are checked."""
    for row in meter.profile.objects.values():
        if row.role == role:
            return row
    raise LookupError(role)


def _changes(meter: Meter, count: int) -> Iterator[Factors]:
    """All that are kept, the oldest first; before them, what the meter was made with."""
    conversion, calorific = factor(meter, CONVERSION), factor(meter, CALORIFIC)
    if count <= MAX_CHANGES:
        made = _integer(conversion.values.get(2)), _integer(calorific.values.get(2))
        yield Factors(INSTALLED, *made)
    for number in range(max(0, count - MAX_CHANGES), count):
        parts = elements_of(meter.state.rows[calorific.instance, number]) or ()
        since, *others = (_integer(part) for part in parts)
        yield Factors(moment_of(since), *others)


def _count(meter: Meter) -> int:
    return meter.state.figures.get(_NEXT, 0)


def _integer(value: Data | None) -> int:
    return value.value if value is not None and isinstance(value.value, int) else 0


def _scaler(meter: Meter, role: str) -> int:
    value = factor(meter, role).values.get(3)
    parts = None if value is None else elements_of(value)
    return _integer(parts[0]) if parts else 0


def _shown(sum_: int, exponent: int, divisor: int) -> int:
    """A sum times 10^exponent, divided and rounded down."""
    if exponent >= 0:
        return sum_ * int(10**exponent) // divisor
    return sum_ // (divisor * int(10**-exponent))
