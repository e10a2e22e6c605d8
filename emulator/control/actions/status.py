"""``status``: the time of the sandbox, and how its meters are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from devices import supply
from devices.meter import Meter
from devices.prepayment.account import account_of, balance, prepays
from emulator.control.actions.clock import time_of
from emulator.control.actions.handling import power_of
from emulator.control.control import Control, Scope
from emulator.mains import Mains
from emulator.virtual_clock import VirtualClock


def register(
    control: Control, clock: VirtualClock, meters: Callable[[], Mapping[str, Mains]]
) -> None:
    async def status(meter: str | None, given: dict[str, Any]) -> dict[str, object]:
        there = meters()
        names = list(there) if meter is None else [meter]
        found = {name: status_of(there[name]) for name in names}
        return {"clock": time_of(clock), "meters": found}

    control.register(
        "status",
        status,
        help="virtual time; of each meter, or of one, its power, relay, balance and connections",
        meter=Scope.EITHER,
    )


def status_of(mains: Mains) -> dict[str, object]:
    """How a meter is now. ``relay`` and ``balance`` are ``None`` for a meter that has none; the
    balance is in pounds, as text.
    """
    if mains.are_on:
        mains.host.awake()
        mains.host.settle()
    device = mains.host.device
    return {
        **power_of(mains),
        "relay": _relay(device),
        "balance": _balance(device),
        "prepayment": prepays(device),
        "connections": mains.connections,
    }


def _relay(meter: Meter) -> str | None:
    row = supply.relay(meter)
    return None if row is None else supply.state_of(meter, row).name.lower().replace("_", "-")


def _balance(meter: Meter) -> str | None:
    if account_of(meter) is None:
        return None
    return str(Decimal(balance(meter)).scaleb(meter.profile.currency_scale))
