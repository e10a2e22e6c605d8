"""What is said on each topic, as JSON has it; the schemas beside describe the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TypeAlias

from devices.alert_codes import Happening
from devices.device import Device
from devices.history import Alert
from devices.prepayment.account import account_of, balance
from devices.profile.model import ObjectRow
from devices.supply import relay, state_of
from dlms.axdr.data import Data
from dlms.cosem import catalogue, classes, obis
from dlms.cosem.quantity import Quantity, ScalerUnit
from dlms.cosem.units import Unit
from dlms.words import word
from emulator.control import ActionRow
from emulator.events import MeterEvent
from emulator.head_end.services import SUPPLY
from emulator.ledger import Entry

Payload: TypeAlias = dict[str, object]

_POWER = "import-power"
_VOLTAGE = "voltage"


def moment(when: dt.datetime) -> str:
    """ISO 8601 in UTC."""
    return when.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def telemetry(device: Device, now: dt.datetime) -> Payload:
    """What a meter shows at the true time ``now``."""
    found = [
        (row, quantity)
        for row in device.profile.objects.values()
        if row.interface_class is classes.REGISTER
        and (quantity := _quantity(device, row, now)) is not None
    ]
    by_role = {row.role: float(quantity.value) for row, quantity in found}
    return {
        "meter": device.profile.name,
        "time": moment(now),
        "power": by_role.get(_POWER),
        "voltage": by_role.get(_VOLTAGE),
        "balance": _balance(device),
        "supply": _supply(device),
        "registers": [
            {
                "object": obis.text(row.instance),
                "name": catalogue.name(row.instance),
                "value": float(quantity.value),
                "unit": quantity.unit.symbol
                if isinstance(quantity.unit, Unit)
                else f"unit {quantity.unit}",
            }
            for row, quantity in found
        ],
    }


def _quantity(device: Device, row: ObjectRow, now: dt.datetime) -> Quantity | None:
    """The value of a register; ``None`` if it is no number, or not there now."""
    # Any association will do: rights are not asked for here.
    association = next(iter(device.profile.associations.values()))
    value = device.attribute(row, 2, association, now)
    scaler_unit = device.attribute(row, 3, association, now)
    if not isinstance(value, Data) or not isinstance(scaler_unit, Data):
        return None
    return Quantity.of_data(value, ScalerUnit.of(scaler_unit))


def _balance(device: Device) -> float | None:
    """In pounds."""
    if account_of(device) is None:
        return None
    return float(Quantity.of(balance(device), ScalerUnit(device.profile.currency_scale, 0)).value)


def _supply(device: Device) -> str | None:
    row = relay(device)
    return None if row is None else SUPPLY[state_of(device, row)]


def event(what: MeterEvent, now: dt.datetime) -> Payload:
    return {**what.to_json(), "time": moment(now)}


def alert(meter: str, number: int, what: Alert) -> Payload:
    """``number`` is its running number in the meter."""
    return {
        "meter": meter,
        "number": number,
        "time": moment(what.moment),
        "code": f"{what.code:04X}",
        "name": word(Happening(what.code)),
        "argument": what.argument,
    }


def crypto(entry: Entry) -> Payload:
    return {**entry.to_json(), "time": moment(entry.time)}


def meter_status(meter: str, has_power: bool, now: dt.datetime) -> Payload:
    return {"meter": meter, "time": moment(now), "power": "on" if has_power else "off"}


def status(
    state: str, reason: str, meters: Iterable[str], dropped: dict[str, int] | None = None
) -> Payload:
    """``dropped`` counts messages by what they were."""
    return {"state": state, "reason": reason, "meters": list(meters), "dropped": dropped or {}}


def actions(rows: Iterable[ActionRow]) -> Payload:
    return {"actions": [row.to_json() for row in rows]}


def error(code: str, text: str) -> Payload:
    return {"code": code, "text": text}


def refusal(topic: str, code: str, text: str, now: dt.datetime) -> Payload:
    return {"time": moment(now), "topic": topic, "error": error(code, text)}
