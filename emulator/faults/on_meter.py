"""The faults of one meter."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Mapping
from types import MappingProxyType

from emulator.control.errors import bad_argument, refused
from emulator.events import MeterEvent
from emulator.faults.catalogue import Catalogue, Row
from emulator.faults.fault import Fault, Reach
from emulator.faults.kind import plain
from emulator.virtual_clock import LATEST

MAX_ACTIVE = 64
"""Faults of a meter at once: nobody means more, and each costs every message something."""


class MeterFaults:
    """``seed`` is that of the sandbox. The n-th fault of a meter draws the same from it in every
    run.
    """

    def __init__(self, reach: Reach, catalogue: Catalogue, seed: str = "0") -> None:
        self._reach = reach
        self._catalogue = catalogue
        self._seed = seed
        self._numbers = itertools.count(1)
        self._active: dict[str, Fault] = {}

    @property
    def active(self) -> tuple[Fault, ...]:
        """Those that are not over, in the order in which they were set."""
        return tuple(self._active.values())

    def set(
        self,
        name: str,
        parameters: Mapping[str, object],
        *,
        way: str | None = None,
        duration: dt.timedelta | None = None,
        count: int | None = None,
    ) -> Fault:
        """Set a fault by its name in the catalogue, or by its kind, on one way or on all on which
        it can act, for a ``duration`` of virtual time or ``count`` times.

        :class:`~emulator.control.errors.ControlError` says what was expected instead.
        """
        return self.plant(
            self._catalogue.find(name), parameters, way=way, duration=duration, count=count
        )

    def plant(
        self,
        row: Row,
        parameters: Mapping[str, object] = MappingProxyType({}),
        *,
        way: str | None = None,
        duration: dt.timedelta | None = None,
        count: int | None = None,
    ) -> Fault:
        """The same for a fault that is in no catalogue."""
        name, kind = row.name, row.kind
        taken = kind.taken(parameters, row.parameters)
        ways = self._ways(name, kind.ways(taken), way)
        duration = row.duration if duration is None else duration
        count = row.times if count is None else count
        if not kind.lasts and (duration is not None or count is not None):
            raise bad_argument(f"{name} is done once: it has neither a duration nor a count")
        if not kind.counts and count is not None:
            raise bad_argument(f"{name} has no count: it acts as long as it is there")
        if len(self._active) >= MAX_ACTIVE:
            raise refused(f"there are {MAX_ACTIVE} faults already: clear some")
        until = None
        if duration is not None:
            until = self._reach.clock.now() + duration
            if until > LATEST:
                raise refused(f"time ends before, at {LATEST.isoformat()}")
        number = next(self._numbers)
        meter = self._reach.mains.name
        fault = Fault(
            f"f{number}",
            name,
            kind,
            taken,
            self._reach,
            ways,
            random.Random(f"{self._seed}/{meter}/{number}"),
            self._tell,
            self._ended,
            count,
            until,
        )
        self._active[fault.id] = fault
        try:
            kind.begin(fault)
        except BaseException:
            fault.end()
            raise
        said = (f"{key}={plain(value)}" for key, value in taken.items() if value is not None)
        what = "set" if kind.lasts else "done"
        self._tell(f"{fault.id} {name}: {', '.join((what, *said))}", "", "")
        if not kind.lasts:
            fault.end()
        elif until is not None:
            fault.task(self._time(fault, until))
        return fault

    def clear(self, id: str) -> Fault:
        """End the fault of that id."""
        fault = self._active.get(id)
        if fault is None:
            there = f"there are: {', '.join(self._active)}" if self._active else "there are none"
            raise bad_argument(f"no fault {id!r}; {there}")
        fault.end("cleared")
        return fault

    def clear_all(self, why: str = "cleared") -> tuple[Fault, ...]:
        """End all faults; give those that it were."""
        ended = self.active
        for fault in ended:
            fault.end(why)
        return ended

    def _ways(self, name: str, possible: tuple[str, ...], asked: str | None) -> tuple[str, ...]:
        there = [way for way in self._reach.ways if way in possible]
        if asked is None and there:
            return tuple(there)
        if asked in there:
            return (asked,)
        open_ = ", ".join(self._reach.ways)
        if asked is not None and asked in possible:
            raise refused(f"{self._reach.mains.name} has no way {asked}; it has: {open_}")
        acts = f"{name} acts on {', '.join(possible)}"
        where = f"the meter has {open_}" if asked is None else f"not on {asked}"
        raise bad_argument(f"{acts}; {where}" if asked is None else f"{acts}, {where}")

    async def _time(self, fault: Fault, until: dt.datetime) -> None:
        await self._reach.clock.wait_until(until)
        fault.end("its time is over")

    def _ended(self, fault: Fault) -> None:
        self._active.pop(fault.id, None)

    def _tell(self, text: str, peer: str, association: str) -> None:
        host = self._reach.mains.host
        name = self._reach.mains.name
        host.on_event(
            MeterEvent(meter=name, kind="fault", peer=peer, association=association, text=text)
        )
