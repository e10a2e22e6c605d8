"""Charges: what is taken from the credits with time, consumption and payments (Blue Book 4.6.4).

A charge per unit goes with two exponents: so many 10^price_scale of a pound for each
10^commodity_scale of the commodity; for time-based collection, for each period. What is less than
one unit of the account is carried on, to the 10^-9 of it, so that no sum of collections differs
from what was used up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from enum import IntEnum

from devices import gas
from devices.meter import Meter
from devices.metrology import Quantity
from devices.prepayment.account import (
    MAX,
    account_of,
    bit,
    prepays,
)
from devices.prepayment.credits import draw
from devices.prepayment.friendly import is_friendly
from devices.profile.model import ObjectRow
from devices.registers import Rates, registers
from devices.timekeeping import (
    Turn,
    clock_octets,
    last_turn,
    moment_of,
    next_turn,
    stamp,
    turn_after,
)
from dlms.axdr.data import Data, array, double_long, integer, octet_string, structure
from dlms.cosem import classes
from dlms.cosem.fitting import elements_of

BILLION = 10**9
_PERCENTAGE, _CONTINUOUS = 0, 1
"""Bits of charge_configuration."""
_WHEN_DISCONNECTED, _WHEN_FRIENDLY = 0, 2
"""Bits of collection_configuration in the Account."""
_WHOLE = 10_000
"""proportion is in hundredths of a per cent."""


class ChargeType(IntEnum):
    CONSUMPTION = 0
    TIME = 1
    PAYMENT = 2


def charges_of(meter: Meter) -> list[ObjectRow]:
    """The Charges that are in use at all, the first to be collected first."""
    used = [row for row in meter.profile.of_class(classes.CHARGE) if meter.number(row, 4)]
    return sorted(used, key=lambda row: (meter.number(row, 4), row.instance))


# When ---------------------------------------------------------------------------------------------


def next_collection(meter: Meter, row: ObjectRow, after: dt.datetime) -> Turn | None:
    """When a charge is collected next by itself; ``None`` if it never is.

    A standing charge is collected once for each date, whoever sets the clock; what is consumed is
    collected since the last time whenever that was.
    """
    period, kind = meter.number(row, 8), meter.number(row, 3)
    if period <= 0 or kind == ChargeType.PAYMENT:
        return None
    last = meter.state.figures.get(_figure(row, "turn"))
    if kind == ChargeType.CONSUMPTION or last is None:
        return next_turn(meter, after, period)
    return turn_after(meter, moment_of(last).replace(tzinfo=None), after, period)


# How much -----------------------------------------------------------------------------------------


def collect_turn(meter: Meter, row: ObjectRow, turn: Turn, now: dt.datetime) -> None:
    """Collect a charge whose time has come."""
    if meter.number(row, 3) == ChargeType.CONSUMPTION:
        collect_consumed(meter, row, now)
    else:
        _keep_turn(meter, row, turn.shown)
        collect_once(meter, row, now)


def collect_consumed(meter: Meter, row: ObjectRow, now: dt.datetime) -> None:
    """Collect for what was consumed since it was collected last."""
    since = _figure(row, "collected")
    figures = meter.state.figures
    before = moment_of(figures[since]) if since in figures else now
    figures[since] = stamp(now)
    _collect(meter, row, consumed_cost(meter, row, before, now), now)


def close_books(meter: Meter, now: dt.datetime) -> None:
    """Collect for what was consumed until now, because from now on it is collected otherwise, or
    not at all.
    """
    for row in charges_of(meter):
        if meter.number(row, 3) == ChargeType.CONSUMPTION:
            collect_consumed(meter, row, now)


def collect_once(meter: Meter, row: ObjectRow, now: dt.datetime) -> None:
    """Collect what is due for one period of a time-based charge."""
    _collect(meter, row, _scaled(meter, row, sum(per_unit(meter, row).values()), 1), now)


def begin(meter: Meter, row: ObjectRow, now: dt.datetime) -> None:
    """A charge that has never been collected counts from now on."""
    period = meter.number(row, 8)
    if meter.number(row, 3) == ChargeType.CONSUMPTION:
        meter.state.figures.setdefault(_figure(row, "collected"), stamp(now))
    elif period > 0:
        _keep_turn(meter, row, last_turn(meter, now, period))


def _keep_turn(meter: Meter, row: ObjectRow, shown: dt.datetime) -> None:
    meter.state.figures[_figure(row, "turn")] = stamp(shown.replace(tzinfo=dt.UTC))


def consumed_cost(meter: Meter, row: ObjectRow, since: dt.datetime, until: dt.datetime) -> int:
    """The cost of what flowed between two moments, in 10^-9 of the account's unit."""
    role = _commodity(meter, row)
    prices = per_unit(meter, row)
    if role == gas.ENERGY:
        used = gas.energy(meter, until) - gas.energy(meter, since)
        return _scaled(meter, row, priced(prices, {_NO_RATE: used}), 1)
    quantity = COMMODITIES.get(role)
    if quantity is None:
        return 0
    if set(prices) == {b""}:
        used = registers(meter).total(quantity, until) - registers(meter).total(quantity, since)
        return _scaled(meter, row, prices[b""], used)
    before, after = registers(meter).rates(quantity, since), registers(meter).rates(quantity, until)
    used_up = {rate: total - before.get(rate, 0) for rate, total in after.items()}
    return _scaled(meter, row, priced(prices, used_up), 1)


def priced(prices: dict[bytes, int], used: Rates) -> int:
    """Units of each rate by its price; a rate without one has that of the empty index."""
    common = prices.get(b"", 0)
    return sum(
        prices.get(rate.to_bytes(1, "big"), common) * units for rate, units in used.items() if units
    )


def pay(meter: Meter, value: int, now: dt.datetime) -> int:
    """Collect what payments are charged with; give what is left of a payment of ``value``."""
    for row in charges_of(meter):
        if meter.number(row, 3) != ChargeType.PAYMENT:
            continue
        # One that is continuous has no end.
        remaining = value if bit(meter, row, 9, _CONTINUOUS) else meter.number(row, 12)
        if remaining <= 0:
            continue
        if bit(meter, row, 9, _PERCENTAGE):
            due = value * min(meter.number(row, 13), _WHOLE) // _WHOLE
        else:
            due = _scaled(meter, row, sum(per_unit(meter, row).values()), 1) // BILLION
        taken = max(0, min(due, remaining, value))
        _book(meter, row, taken, now)
        value -= taken
    return value


def per_unit(meter: Meter, row: ObjectRow) -> dict[bytes, int]:
    """charge_table in force: price by index."""
    _, _, table = _unit_charge(meter, row)
    found = {}
    for entry in elements_of(table) or ():
        index, price = (part.value for part in elements_of(entry) or ())
        if isinstance(index, bytes) and isinstance(price, int):
            found[index] = price
    return found


def activate_passive(meter: Meter, row: ObjectRow) -> None:
    """The passive unit charge is in force from now on; what was used before has been charged."""
    passive = meter.value(row, 6)
    if passive is not None:
        meter.store(row, 5, passive)


def _collect(meter: Meter, row: ObjectRow, cost: int, now: dt.datetime) -> None:
    """Take a cost in 10^-9 units from the credits, where the account says that it is collected."""
    if not prepays(meter) or not _is_collected(meter, row, now):
        return
    rest = _figure(row, "rest")
    units, left = divmod(meter.state.figures.get(rest, 0) + cost, BILLION)
    meter.state.figures[rest] = left
    if not bit(meter, row, 9, _CONTINUOUS):
        units = min(units, max(0, meter.number(row, 12)))
    draw(meter, units)
    _book(meter, row, units, now)


def _book(meter: Meter, row: ObjectRow, units: int, now: dt.datetime) -> None:
    """Put down that so much was collected."""
    meter.store(row, 2, double_long(min(meter.number(row, 2) + units, MAX)))
    meter.store(row, 10, octet_string(clock_octets(meter, now)))
    meter.store(row, 11, double_long(units))
    if not bit(meter, row, 9, _CONTINUOUS):
        meter.store(row, 12, double_long(max(0, meter.number(row, 12) - units)))


def _is_collected(meter: Meter, row: ObjectRow, now: dt.datetime) -> bool:
    if meter.number(row, 3) != ChargeType.TIME:
        return True  # what has flowed is paid for
    bits = next(_collection(meter, row), "")
    # What was due while there were no mains is collected when they are back.
    if not registers(meter).segment(now).flowing:
        return bits[_WHEN_DISCONNECTED : _WHEN_DISCONNECTED + 1] == "1"
    return not is_friendly(meter, now) or bits[_WHEN_FRIENDLY : _WHEN_FRIENDLY + 1] == "1"


def _collection(meter: Meter, row: ObjectRow) -> Iterator[str]:
    """collection_configuration of a charge, with whichever credit."""
    account = account_of(meter)
    value = None if account is None else meter.value(account, 11)
    for one in () if value is None else elements_of(value) or ():
        _, charge, bits = (part.value for part in elements_of(one) or ())
        if charge == row.instance and isinstance(bits, str):
            yield bits


def _scaled(meter: Meter, row: ObjectRow, price: int, units: int) -> int:
    """A price for so many units of commodity, in 10^-9 of the account's unit."""
    scaling, _, _ = _unit_charge(meter, row)
    commodity, scale = (part.value for part in elements_of(scaling) or ())
    assert isinstance(commodity, int)
    assert isinstance(scale, int)
    exponent = 9 + scale - meter.profile.currency_scale - commodity
    exact = price * units
    return exact * int(10**exponent) if exponent >= 0 else exact // int(10**-exponent)


def _unit_charge(meter: Meter, row: ObjectRow) -> tuple[Data, ...]:
    value = meter.value(row, 5)
    return (elements_of(value) if value is not None else None) or _FREE


_FREE = (structure(integer(0), integer(0)), structure(), array())
"""What a Charge without a unit charge takes."""


def _commodity(meter: Meter, row: ObjectRow) -> str:
    """What is charged: the role of the register that commodity_reference names."""
    _, reference, _ = _unit_charge(meter, row)
    parts = [part.value for part in elements_of(reference) or ()]
    instance = parts[1] if len(parts) == 3 else None
    register = meter.profile.objects.get(instance) if isinstance(instance, bytes) else None
    return "" if register is None else register.role.partition(" ")[0]


COMMODITIES = {"import-energy": Quantity.IMPORT, gas.VOLUME: Quantity.GAS_VOLUME}
"""Roles of registers that can be charged by the unit of their quantity, whatever steps they show;
gas can be by its energy, too, of which nothing is known by rate.
"""
_NO_RATE = 0


def _figure(row: ObjectRow, what: str) -> str:
    return f"{what} {row.instance.hex()}"
