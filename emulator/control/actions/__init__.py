"""The actions of every sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulator.control.actions import clock as clock_actions
from emulator.control.actions import customer, handling, status
from emulator.control.control import Control
from emulator.living import Living
from emulator.mains import Mains
from emulator.virtual_clock import VirtualClock


def register_all(
    control: Control, clock: VirtualClock, living: Living, meters: Callable[[], Mapping[str, Mains]]
) -> None:
    """``meters`` gives those that there are now, by name."""
    status.register(control, clock, meters)
    clock_actions.register(control, clock, living)
    handling.register(control, clock, meters)
    customer.register(control, meters)
