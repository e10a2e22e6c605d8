"""The emulator's faults on a meter of this process."""

from __future__ import annotations

from typing import Any, cast

from emulator.faults import MeterFaults, Reach, built_in
from emulator.faults.presented import Presented
from emulator.fuzz.actions import Plant
from emulator.fuzz.in_process.meter import BenchMeter
from emulator.mains import Mains
from emulator.virtual_clock import VirtualClock


def planted(meter: BenchMeter, plant: Plant) -> None:
    """Put a fault into the meter. :class:`~emulator.control.errors.ControlError` if there is no
    such, or not here.
    """
    reach = Reach(
        Mains(meter.host, lambda mains: None),
        {"tcp": meter.host.taps},
        VirtualClock(),
        # Faults of certificates that are shown at a TLS port have nothing to act on here.
        cast(Presented, None),
        meter.ring,
        meter.workings,
    )
    parameters: dict[str, Any] = dict(plant.parameters)
    MeterFaults(reach, built_in()).set(plant.fault, parameters)
