"""How a bent part gets to its place in one meter, and what it is about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from devices.device import Device
from dlms.security.counters import InvocationCounters
from emulator.faults.fault import Fault
from emulator.serving.makes import bend


def concerns(fault: Fault, scope: str) -> bool:
    """Whether the fault is about the association of that name: it is about all if it names none."""
    only = fault["association"]
    return not fault.is_over and (not only or scope.partition("#")[0] == only)


def over(fault: Fault, thing: object, bent: type) -> None:
    """Put ``bent`` over a part of the meter until the fault ends."""
    fault.at_end(bend(thing, bent))


def over_counters(fault: Fault, bent: type[InvocationCounters]) -> None:
    over(fault, fault.reach.mains.host.device.state.counters, bent)


def forgotten_with_power(fault: Fault, forget: Callable[[], object]) -> None:
    """``forget`` when the mains come back: what was in volatile memory alone is gone."""

    class Bent(Device):
        def power_restored(self, now: dt.datetime) -> None:
            forget()
            super().power_restored(now)

    over(fault, fault.reach.mains.host.device, Bent)


def instead_of_method(
    fault: Fault, class_id: int, number: int, careless: Callable[..., object]
) -> None:
    """Carry out a method of all objects of a class otherwise."""
    methods, slot = fault.reach.mains.host.device.odd_methods, (class_id, number)
    methods[slot] = (*methods.get(slot, ()), careless)

    def give_back() -> None:
        left = tuple(one for one in methods.pop(slot, ()) if one is not careless)
        if left:
            methods[slot] = left

    fault.at_end(give_back)
