"""Arguments as COSEM data, and back where an Instruction is asked for with its data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

from devices.profile import Profile
from dlms.axdr.data import (
    Data,
    DataType,
    array,
    double_long,
    double_long_unsigned,
    enum,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.cosem.fitting import elements_of
from dlms.errors import CodecError
from emulator.requests.arguments import moment_of
from emulator.requests.documents import Value
from emulator.requests.refusal import Unfit

Arguments: TypeAlias = Mapping[str, Value]
PAYMENT_MODES = {"credit": 1, "prepayment": 2}
_ACCOUNT_ACTIVE = 2
_CONSUMPTION_CHARGE = obis.parse("0-0:19.20.0.255")
_RATE_SCRIPTS = obis.parse("0-0:10.0.100.255")
_DAY, _NIGHT = 1, 2
_PRICES = ("price", "price_2", "price_3")
_MAX_LONG = 2**15 - 1
_MAX_DOUBLE_LONG = 2**31 - 1
_PENCE_PER_KWH = -5
"""As a power of ten of GBP per Wh."""


def units(amount: Decimal, scale: int) -> int:
    """``amount`` in units of 10 to the power of ``scale``. ``ValueError`` if it is none of them, or
    more than a double-long holds.
    """
    # What is no number, or has a million digits, is kept away from the arithmetic.
    if amount.is_finite() and abs(amount) < _MAX_DOUBLE_LONG:
        number = amount.scaleb(-scale)
        if number == number.to_integral_value() and abs(number) <= _MAX_DOUBLE_LONG:
            return int(number)
    raise ValueError(f"{amount} is no amount of whole units of 1E{scale}")


def payment_mode(name: str) -> Data:
    """Argument of set_payment_mode for an active account. ``ValueError`` for an unknown mode."""
    if name not in PAYMENT_MODES:
        raise ValueError(f"payment mode {name!r} is not credit or prepayment")
    return structure(enum(PAYMENT_MODES[name]), enum(_ACCOUNT_ACTIVE))


def clock_time(moment: dt.datetime) -> Data:
    """Argument of set_clock."""
    return octet_string(CosemDateTime.from_datetime(moment).to_octets())


def _amount(arguments: Arguments, profile: Profile) -> Data:
    return double_long(units(Decimal(arguments["amount"]), profile.currency_scale))


def _day_profiles(arguments: Arguments, profile: Profile) -> Data:
    """One kind of day: the night rate between two times, the day rate otherwise."""
    begins = ((str(arguments["night_from"]), _NIGHT), (str(arguments["night_to"]), _DAY))
    if begins[0][0] == begins[1][0]:
        raise ValueError("the night rate ends when it begins")
    actions = [
        structure(
            octet_string(bytes((int(time[:2]), int(time[3:]), 0, 0))),
            octet_string(_RATE_SCRIPTS),
            long_unsigned(script),
        )
        for time, script in sorted(begins)
    ]
    return array(structure(unsigned(1), array(*actions)))


def _charge_table(arguments: Arguments, profile: Profile) -> Data:
    """The charge_table of the charge for consumption: a price for each rate that it has."""
    row = profile.objects.get(_CONSUMPTION_CHARGE)
    active = None if row is None else elements_of(row.values[5])
    scaling = None if not active else elements_of(active[0])
    table = None if not active else elements_of(active[2])
    if not scaling or not table or not isinstance(scaling[1].value, int):
        raise Unfit(f"{profile.name} has no charge for consumption with a scale")
    prices = [Decimal(arguments[name]) for name in _PRICES if name in arguments]
    if len(prices) != len(table):
        raise Unfit(f"{profile.name} has {len(table)} prices, not {len(prices)}")
    elements = []
    for price, element in zip(prices, table, strict=True):
        number = units(price, scaling[1].value - _PENCE_PER_KWH)
        if number > _MAX_LONG:
            raise ValueError(f"{price} pence per kWh is more than {profile.name} can hold")
        (index, _) = elements_of(element) or ()
        elements.append(structure(index, Data(DataType.LONG, number)))
    return array(*elements)


def _billing_day(arguments: Arguments, profile: Profile) -> Data:
    day = int(arguments["day"])
    date = bytes((0xFF, 0xFF, 0xFF, day, 0xFF))
    return array(structure(octet_string(bytes(4)), octet_string(date)))


ENCODERS: Mapping[str, Callable[[Arguments, Profile], Data]] = MappingProxyType(
    {
        "amount": _amount,
        "billing-day": _billing_day,
        "calorific-value": lambda arguments, _: double_long_unsigned(
            int(arguments["calorific_value"])
        ),
        "charge-table": _charge_table,
        "day-profiles": _day_profiles,
        "payment-mode": lambda arguments, _: payment_mode(str(arguments["mode"])),
        "time": lambda arguments, _: clock_time(moment_of(arguments["time"])),
    }
)


# Back ---------------------------------------------------------------------------------------------


def _mode_in(data: Data) -> dict[str, object]:
    for name in PAYMENT_MODES:
        if data == payment_mode(name):
            return {"mode": name}
    raise ValueError("no payment mode of an active account")


def _time_in(data: Data) -> dict[str, object]:
    if not isinstance(data.value, bytes):
        raise ValueError(f"{data.type.label} is no time")
    try:
        moment = CosemDateTime.from_octets(data.value).to_datetime()
    except CodecError as error:
        raise ValueError(str(error)) from None
    return {"time": moment.isoformat()}


DECODERS: Mapping[str, Callable[[Data], dict[str, object]]] = MappingProxyType(
    {
        "calorific-value": lambda data: {"calorific_value": data.value},
        "payment-mode": _mode_in,
        "time": _time_in,
    }
)
