"""Values of Data and Register objects that are computed, by the role the profile names."""

from __future__ import annotations

from collections.abc import Callable

from devices import metrology
from devices.registers import registers
from devices.metrology import Quantity
from devices.objects.behaviour import Behaviour, Call, Outcome
from devices.objects.tariffs import rate_in_force
from dlms.axdr.data import (
    Data,
    DataType,
    double_long_unsigned,
    long_unsigned,
    octet_string,
    unsigned,
    visible_string,
)
from dlms.security.keys import KeyKind
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess


def _invocation_counter(call: Call) -> Data:
    """The lowest counter the meter accepts under the unicast key of an association (R-IC-10)."""
    scope = call.row.role.partition(" ")[2]
    key = call.device.key(scope, KeyKind.GUEK)
    return double_long_unsigned(call.device.state.counters.floor(key))


def _logical_device_name(call: Call) -> Data:
    return octet_string(call.device.profile.logical_device_name(call.device.serial))


def _serial_number(call: Call) -> Data:
    return visible_string(f"{call.device.serial:08d}")


def _import_energy(call: Call) -> Data:
    return _counted(registers(call.device).total(Quantity.IMPORT, call.now))


def _import_energy_of_rate(call: Call) -> Data:
    """Of the rate that the role names."""
    rate = int(call.row.role.partition(" ")[2])
    return _counted(registers(call.device).rates(Quantity.IMPORT, call.now).get(rate, 0))


def _counted(units: int) -> Data:
    """A register goes round at its end."""
    return double_long_unsigned(units & 0xFFFF_FFFF)


def _tariff(call: Call) -> Data:
    return unsigned(rate_in_force(call))


def _import_power(call: Call) -> Data:
    return double_long_unsigned(metrology.import_power(call.device.seed, call.now))


def _voltage(call: Call) -> Data:
    return long_unsigned(metrology.voltage(call.device.seed, call.now))


ROLES: dict[str, Callable[[Call], Data]] = {
    "invocation-counter": _invocation_counter,
    "logical-device-name": _logical_device_name,
    "serial-number": _serial_number,
    "import-energy": _import_energy,
    "import-energy-rate": _import_energy_of_rate,
    "active-rate": _tariff,
    "import-power": _import_power,
    "voltage": _voltage,
}


def _read(call: Call, selection: SelectiveAccess | None) -> Data | DataAccessResult:
    if selection is not None:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    role = ROLES.get(call.row.role.partition(" ")[0])
    if role is not None:
        return role(call)
    value = call.device.value(call.row, 2)
    return DataAccessResult.OBJECT_UNAVAILABLE if value is None else value


def _reset(call: Call, parameter: Data) -> Outcome:
    """Energy registers of a meter cannot be reset from outside; a stored value goes to zero."""
    value = call.device.value(call.row, 2)
    if call.row.role or value is None or not isinstance(value.value, int):
        return Outcome(ActionResult.READ_WRITE_DENIED)
    call.device.store(call.row, 2, Data(DataType(value.type), 0))
    return Outcome(ActionResult.SUCCESS)


DATA = Behaviour(read={2: _read})
REGISTER = Behaviour(read={2: _read}, invoke={1: _reset})
