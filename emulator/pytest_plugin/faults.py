"""Faults of the meters of a test, by their names in the catalogue (``cosemlab fault list``)."""

from __future__ import annotations

import datetime as dt

from emulator.faults import Fault
from emulator.pytest_plugin.in_loop import InLoop
from emulator.pytest_plugin.meter import BenchMeter


class BenchFaults:
    """What was set here is over when the test is, if not before."""

    def __init__(self, in_loop: InLoop) -> None:
        self._in_loop = in_loop
        self._set: list[tuple[BenchMeter, Fault]] = []

    def set(
        self,
        meter: BenchMeter,
        name: str,
        /,
        *,
        way: str | None = None,
        duration: dt.timedelta | None = None,
        count: int | None = None,
        **parameters: object,
    ) -> Fault:
        """Set a fault by its name, or by its kind, on one way (``"tcp"``, ``"tls"``, ...) or all on
        which it can act, for a ``duration`` of virtual time or ``count`` times.

        :class:`~emulator.control.errors.ControlError` says what was expected instead.
        """

        def act() -> Fault:
            return meter.running.faults.set(
                name, parameters, way=way, duration=duration, count=count
            )

        fault = self._in_loop(act)
        self._set.append((meter, fault))
        return fault

    def active(self, meter: BenchMeter) -> tuple[Fault, ...]:
        """Those that are not over, in the order in which they were set."""
        return self._in_loop(lambda: meter.running.faults.active)

    def clear(self) -> None:
        """End all that were set here and are not over."""

        def act() -> None:
            for _, fault in self._set:
                fault.end("cleared")
            self._set.clear()

        self._in_loop(act)
