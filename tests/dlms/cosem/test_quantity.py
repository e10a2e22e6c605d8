"""Units and exact quantities."""

from __future__ import annotations

import decimal
import math
import warnings
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.axdr.data import Data, DataType, double_long_unsigned, enum, integer, octet_string
from dlms.axdr.data import structure as struct
from dlms.cosem.quantity import Quantity, ScalerUnit
from dlms.cosem.units import BY_NUMBER, Unit

# Number and symbol as the Blue Book's table of physical units has them.
BOOK = {
    1: "a", 2: "mo", 3: "wk", 4: "d", 5: "h", 6: "min", 7: "s", 8: "°", 9: "°C", 10: "currency",
    11: "m", 12: "m/s", 13: "m³", 14: "m³", 15: "m³/h", 16: "m³/h", 17: "m³/d", 18: "m³/d",
    19: "l", 20: "kg", 21: "N", 22: "Nm", 23: "Pa", 24: "bar", 25: "J", 26: "J/h", 27: "W",
    28: "VA", 29: "var", 30: "Wh", 31: "VAh", 32: "varh", 33: "A", 34: "C", 35: "V", 36: "V/m",
    37: "F", 38: "Ω", 39: "Ωm²/m", 40: "Wb", 41: "T", 42: "A/m", 43: "H", 44: "Hz",
    45: "1/(Wh)", 46: "1/(varh)", 47: "1/(VAh)", 48: "V²h", 49: "A²h", 50: "kg/s", 51: "S",
    52: "K", 53: "1/(V²h)", 54: "1/(A²h)", 55: "1/m³", 56: "%", 57: "Ah", 60: "Wh/m³",
    61: "J/m³", 62: "Mol%", 63: "g/m³", 64: "Pa·s", 65: "J/kg", 66: "g/cm²", 67: "atm",
    70: "dBm", 71: "dBµV", 72: "dB", 254: "other", 255: "",
}  # fmt: skip


def test_units_and_symbols() -> None:
    metric = {unit.value: unit.symbol for unit in Unit if not 128 <= unit.value < 254}
    assert metric == BOOK
    assert BY_NUMBER[30] is Unit.WATT_HOUR
    assert Unit.WATT_HOUR == 30
    assert str(Unit.VAR_HOUR) == "varh"
    assert Unit.VAR_HOUR.quantity == "reactive energy"
    assert all(unit.quantity for unit in Unit)


def test_the_same_numbers_as_gurux() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from gurux_dlms.enums import Unit as Other
    assert {unit.value for unit in Unit} == {int(unit) for unit in Other} - {0}


@pytest.mark.parametrize(
    ("raw", "scaler", "unit", "value", "text"),
    [
        (1234567, 0, Unit.WATT_HOUR, "1234567", "1234567 Wh"),
        (1234567, -3, Unit.WATT_HOUR, "1234.567", "1234.567 Wh"),
        (2305, -1, Unit.VOLT, "230.5", "230.5 V"),
        (2300, -1, Unit.VOLT, "230.0", "230.0 V"),
        (5, 3, Unit.WATT, "5E+3", "5000 W"),
        (-7, -2, Unit.AMPERE, "-0.07", "-0.07 A"),
        (0, -2, Unit.AMPERE, "0.00", "0.00 A"),
        (3, 0, Unit.COUNT, "3", "3"),
        (50, 0, 58, "50", "50 (unit 58)"),
        (2**64 - 1, -6, Unit.WATT_HOUR, "18446744073709.551615", "18446744073709.551615 Wh"),
        (0.5, 0, Unit.HERTZ, "0.5", "0.5 Hz"),
        (0.5, 3, Unit.HERTZ, "5E+2", "500 Hz"),
    ],
)
def test_values_and_texts(raw: float, scaler: int, unit: Unit | int, value: str, text: str) -> None:
    found = Quantity.of(raw, ScalerUnit(scaler, unit))
    assert found == Quantity(Decimal(value), unit)
    assert found.value.as_tuple().exponent == Decimal(value).as_tuple().exponent
    assert str(found) == text


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-128, 127))
def test_exact_whatever_the_context(raw: int, scaler: int) -> None:
    with decimal.localcontext(prec=3):
        value = Quantity.of(raw, ScalerUnit(scaler, Unit.WATT_HOUR)).value
    assert Fraction(value) == raw * Fraction(10) ** scaler


@given(st.floats(width=32), st.integers(-9, 9))
def test_floats_are_taken_as_they_are(raw: float, scaler: int) -> None:
    value = Quantity.of(raw, ScalerUnit(scaler, Unit.VOLT)).value
    if math.isfinite(raw):
        assert Fraction(value) == Fraction(raw) * Fraction(10) ** scaler
    else:
        assert not value.is_finite()


def test_from_data() -> None:
    scaler_unit = ScalerUnit.of(struct(integer(-1), enum(35)))
    assert scaler_unit == ScalerUnit(-1, Unit.VOLT)
    assert scaler_unit.unit is Unit.VOLT
    assert ScalerUnit.of(struct(integer(0), enum(99))) == ScalerUnit(0, 99)
    volts = Quantity.of_data(double_long_unsigned(2301), scaler_unit)
    assert str(volts) == "230.1 V"
    for other in (octet_string(b"\x01"), enum(1), Data(DataType.BOOLEAN, True)):
        assert Quantity.of_data(other, scaler_unit) is None


@pytest.mark.parametrize("value", [integer(1), struct(integer(1)), struct(enum(1), enum(1))])
def test_what_is_no_scaler_unit(value: Data) -> None:
    with pytest.raises(ValueError, match="no structure of scaler"):
        ScalerUnit.of(value)
