"""The emulator's faults on a meter of this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from emulator.faults import Catalogue, Fault, MeterFaults, Reach, built_in
from emulator.faults.presented import Presented
from emulator.fuzz.actions import Plant
from emulator.fuzz.in_process.meter import BenchMeter
from emulator.mains import Mains
from emulator.serving.taps import Taps
from emulator.virtual_clock import VirtualClock


@cache
def _catalogue() -> Catalogue:
    return built_in()


def planted(meter: BenchMeter, plant: Plant, presented: Callable[[], Presented]) -> Fault:
    """Put a fault into the meter. :class:`~emulator.control.errors.ControlError` if there is no
    such, or not here. ``presented`` gives what is shown at the TLS port, which few need.
    """
    row = _catalogue().find(plant.fault)
    at_tls = row.kind.place == "TLS"
    reach = Reach(
        Mains(meter.host, lambda mains: None),
        {"tls": Taps("tls")} if at_tls else {"tcp": meter.host.taps},
        VirtualClock(),
        presented() if at_tls else cast(Presented, None),
        meter.ring,
        meter.workings,
    )
    parameters: dict[str, Any] = dict(plant.parameters)
    return MeterFaults(reach, _catalogue()).plant(row, parameters)
