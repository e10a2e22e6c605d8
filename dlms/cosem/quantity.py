"""Readings with their unit: raw integer, scaler and unit made one exact value (Blue Book 4.3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from dlms.axdr.data import Data, DataType
from dlms.cosem.fitting import fits
from dlms.cosem.tables.common import SCALER_UNIT
from dlms.cosem.units import BY_NUMBER, Unit

_NUMBERS = frozenset(
    {
        DataType.DOUBLE_LONG,
        DataType.DOUBLE_LONG_UNSIGNED,
        DataType.BCD,
        DataType.INTEGER,
        DataType.LONG,
        DataType.UNSIGNED,
        DataType.LONG_UNSIGNED,
        DataType.LONG64,
        DataType.LONG64_UNSIGNED,
        DataType.FLOAT32,
        DataType.FLOAT64,
    }
)


class ScalerUnit(NamedTuple):
    """value = raw x 10 ** ``scaler``, in ``unit``; a plain int is a unit the book reserves."""

    scaler: int
    unit: Unit | int

    @classmethod
    def of(cls, value: Data) -> ScalerUnit:
        """Take over a scaler_unit. ``ValueError`` if it is none."""
        if not fits(SCALER_UNIT, value):
            raise ValueError("no structure of scaler (integer) and unit (enum)")
        assert isinstance(value.value, tuple)
        scaler, unit = (part.value for part in value.value)
        assert isinstance(scaler, int)
        assert isinstance(unit, int)
        return cls(scaler, BY_NUMBER.get(unit, unit))


class Quantity(NamedTuple):
    """An exact value and its unit. Decimal keeps the digits that the scaler gives."""

    value: Decimal
    unit: Unit | int

    @classmethod
    def of(cls, raw: int | float, scaler_unit: ScalerUnit) -> Quantity:
        """``raw`` scaled. Exact whatever the decimal context is; a float is taken as it is."""
        return cls(_scaled(raw, scaler_unit.scaler), scaler_unit.unit)

    @classmethod
    def of_data(cls, value: Data, scaler_unit: ScalerUnit) -> Quantity | None:
        """The value of a register scaled; ``None`` if its type is no number."""
        raw = value.value
        if value.type not in _NUMBERS or not isinstance(raw, int | float):
            return None
        return cls.of(raw, scaler_unit)

    def __str__(self) -> str:
        """Value and symbol, without an exponent: ``1234.567 kWh`` is shown as ``1234567 Wh``."""
        symbol = self.unit.symbol if isinstance(self.unit, Unit) else f"(unit {self.unit})"
        return f"{self.value:f} {symbol}".rstrip()


def _scaled(raw: int | float, scaler: int) -> Decimal:
    # Multiplication or scaleb() would round to the context's precision; a tuple does not.
    sign, digits, exponent = Decimal(raw).as_tuple()
    if not isinstance(exponent, int):  # a float that is infinite or no number
        return Decimal(raw)
    return Decimal((sign, digits, exponent + scaler))
