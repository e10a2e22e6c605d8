"""Values of Data and Register objects that are computed, by the role the profile names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeAlias

from devices import firmware, gas, metering, metrology
from devices.history import Alert
from devices.meter import Meter
from devices.metrology import Quantity
from devices.objects.behaviour import Behaviour, Call, Outcome
from devices.objects.tariffs import rate_in_force
from devices.registers import registers
from dlms.axdr.data import (
    Data,
    DataType,
    double_long,
    double_long_unsigned,
    long_unsigned,
    octet_string,
    unsigned,
    visible_string,
)
from dlms.security.keys import KeyKind
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess

Reading: TypeAlias = Callable[[Meter, dt.datetime], Data]


def _invocation_counter(call: Call) -> Data:
    """The lowest counter the meter accepts under the unicast key of an association (R-IC-10)."""
    scope = call.row.role.partition(" ")[2]
    key = call.device.key(scope, KeyKind.GUEK)
    return double_long_unsigned(call.device.state.counters.floor(key))


def _logical_device_name(call: Call) -> Data:
    return octet_string(call.device.profile.logical_device_name(call.device.serial))


def _serial_number(call: Call) -> Data:
    return visible_string(f"{call.device.serial:08d}")


def _energy(quantity: Quantity) -> Reading:
    """A register of 32 bits, which begins again after its last number."""
    return lambda device, moment: double_long_unsigned(
        metering.total(device, quantity, moment) & 0xFFFF_FFFF
    )


def _energy_of_rate(rate: int) -> Reading:
    return lambda device, moment: double_long_unsigned(
        registers(device).rates(Quantity.IMPORT, moment).get(rate, 0) & 0xFFFF_FFFF
    )


def _gas(count: Callable[[Meter, dt.datetime], int], step: int = 1) -> Reading:
    """A register that counts in steps of so many units."""
    return lambda device, moment: double_long_unsigned(count(device, moment) // step & 0xFFFF_FFFF)


_OF_GAS = {gas.VOLUME: gas.volume, gas.CONVERTED: gas.converted, gas.ENERGY: gas.energy}


def _alert(call: Call) -> Alert | None:
    """The alert that is being told, else the last one that nobody has taken."""
    waiting = call.device.state.alerts
    return call.device.telling or (waiting[max(waiting)] if waiting else None)


def _alert_code(call: Call) -> Data:
    alert = _alert(call)
    return long_unsigned(0 if alert is None else alert.code)


def _alert_argument(call: Call) -> Data:
    alert = _alert(call)
    return double_long(0 if alert is None else alert.argument)


def _tariff(call: Call) -> Data:
    return unsigned(rate_in_force(call))


def _import_power(device: Meter, moment: dt.datetime) -> Data:
    return double_long_unsigned(metering.rate(device, Quantity.IMPORT, moment))


def _voltage(device: Meter, moment: dt.datetime) -> Data:
    return long_unsigned(metrology.voltage(device.seed, moment))


READINGS: dict[str, Reading] = {
    "import-energy": _energy(Quantity.IMPORT),
    "export-energy": _energy(Quantity.EXPORT),
    "reactive-import-energy": _energy(Quantity.REACTIVE_IMPORT),
    "reactive-export-energy": _energy(Quantity.REACTIVE_EXPORT),
    **{role: _gas(count) for role, count in _OF_GAS.items()},
    "import-power": _import_power,
    "voltage": _voltage,
}
"""Values that are functions of the meter and the true time, by role."""


def reading(role: str) -> Reading | None:
    """The reading that a role names; ``None`` if it is none."""
    name, _, scope = role.partition(" ")
    if name == "import-energy-rate":
        return _energy_of_rate(int(scope))
    if name in _OF_GAS and scope:
        return _gas(_OF_GAS[name], int(scope))
    return READINGS.get(name)


def _firmware(call: Call) -> Data:
    """What is shown of the firmware; nothing where nothing has been yet."""
    return firmware.shown(call.device, call.row) or octet_string(b"")


FACTORS = frozenset({gas.CONVERSION, gas.CALORIFIC})
"""Roles of values that are stored, and what is computed from."""

MAX_FACTOR = 2**20 - 1
"""So that sums of a hundred years fit 64 bits."""

ROLES: dict[str, Callable[[Call], Data]] = {
    "invocation-counter": _invocation_counter,
    "logical-device-name": _logical_device_name,
    "serial-number": _serial_number,
    "active-rate": _tariff,
    firmware.VERSION_ROLE: _firmware,
    firmware.HASH_ROLE: _firmware,
    "alert-code": _alert_code,
    "alert-argument": _alert_argument,
}


def _read(call: Call, selection: SelectiveAccess | None) -> Data | DataAccessResult:
    if selection is not None:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    if call.row.role and call.row.role not in FACTORS:
        found = reading(call.row.role)
        if found is not None:
            return found(call.device, call.now)
        return ROLES[call.row.role.partition(" ")[0]](call)
    value = call.device.value(call.row, 2)
    return DataAccessResult.OBJECT_UNAVAILABLE if value is None else value


def _write(call: Call, new: Data) -> DataAccessResult:
    current = call.device.value(call.row, 2)
    if current is not None and current.type is not new.type:
        return DataAccessResult.TYPE_UNMATCHED
    if call.row.role not in FACTORS:
        call.device.store(call.row, 2, new)
    elif not isinstance(new.value, int) or not 0 < new.value <= MAX_FACTOR:
        return DataAccessResult.OTHER_REASON
    else:
        gas.change(call.device, call.row, new, call.now)
    return DataAccessResult.SUCCESS


def _reset(call: Call, parameter: Data) -> Outcome:
    """Energy registers of a meter cannot be reset from outside; a stored value goes to zero."""
    value = call.device.value(call.row, 2)
    if call.row.role or value is None or not isinstance(value.value, int):
        return Outcome(ActionResult.READ_WRITE_DENIED)
    call.device.store(call.row, 2, Data(DataType(value.type), 0))
    return Outcome(ActionResult.SUCCESS)


DATA = Behaviour(read={2: _read})
REGISTER = Behaviour(read={2: _read}, write={2: _write}, invoke={1: _reset})
