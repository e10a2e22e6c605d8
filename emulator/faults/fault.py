"""A fault that acts on a meter, from when it is set until it ends."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple

from emulator.faults.kind import Kind, plain
from emulator.faults.presented import Presented
from emulator.mains import Mains
from emulator.modules.keyring import KeyRing
from emulator.serving.taps import Effect, Instead, Parcel, Place, Taps
from emulator.serving.workings import Detour, Workings
from emulator.virtual_clock import VirtualClock

_TOLD = 10


class Reach(NamedTuple):
    """What a fault of a meter can get at: the meter with its mains, the ways to it by name, what
    it presents at its TLS port, its keys, and what it computes with.
    """

    mains: Mains
    ways: Mapping[str, Taps]
    clock: VirtualClock
    presented: Presented
    ring: KeyRing
    workings: Workings


class Fault:
    """``tell`` is told a line and the peer that it concerns; ``on_end`` when it is over.

    ``random`` is its own: what it draws depends on no other fault.
    """

    def __init__(
        self,
        id: str,
        name: str,
        kind: Kind,
        parameters: Mapping[str, Any],
        reach: Reach,
        ways: tuple[str, ...],
        rng: random.Random,
        tell: Callable[[str, str, str], None],
        on_end: Callable[[Fault], None],
        count: int | None = None,
        until: dt.datetime | None = None,
    ) -> None:
        self.id = id
        self.name = name
        self.kind = kind
        self.parameters = parameters
        self.reach = reach
        self.ways = ways
        self.random = rng
        self.acted = 0
        """How many times it has acted."""
        self.until = until
        """When its time is over (virtual), unless it ends before."""
        self._tell = tell
        self._on_end = on_end
        self._count = count
        self._undo: list[Callable[[], object]] = []
        self._is_over = False

    def __repr__(self) -> str:
        return f"<Fault {self.id} {self.name}>"

    def __getitem__(self, parameter: str) -> Any:
        return self.parameters[parameter]

    @property
    def is_over(self) -> bool:
        return self._is_over

    @property
    def left(self) -> int | None:
        """How many times more it acts; ``None`` if that is not bounded."""
        return None if self._count is None else max(self._count - self.acted, 0)

    # For kinds ----------------------------------------------------------------------------------

    def tap(self, place: Place, effect: Callable[[Parcel], Iterable[Parcel]]) -> None:
        """Put an effect on all ways of the fault. While the fault has a parameter ``association``,
        it acts on no APDU of another.
        """
        only = self.parameters.get("association")

        def guarded(parcel: Parcel) -> Iterable[Parcel]:
            other = bool(only and parcel.association and parcel.association != only)
            return (parcel,) if self._is_over or other else effect(parcel)

        effect_: Effect = guarded
        for way in self.ways:
            taps = self.reach.ways[way]
            taps.put(place, effect_)
            self.at_end(lambda taps=taps: taps.take(place, effect_))  # type: ignore[misc]

    def answer(self, instead: Instead) -> None:
        """Answer requests on all ways of the fault in the place of the meter's objects."""
        for way in self.ways:
            taps = self.reach.ways[way]
            taps.answer(instead)
            self.at_end(lambda taps=taps: taps.answer_no_more(instead))  # type: ignore[misc]

    def detour(self, detour: Detour) -> None:
        """Stand in the way of the meter's own cryptography."""
        self.reach.workings.put(detour)
        self.at_end(lambda: self.reach.workings.take(detour))

    def task(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something besides, until the fault ends."""
        self.at_end(asyncio.create_task(work).cancel)

    def at_end(self, undo: Callable[[], object]) -> None:
        """What is to be undone when it ends; the last is undone first."""
        self._undo.append(undo)

    def has_acted(self, text: str, parcel: Parcel | None = None) -> None:
        """Count, and tell: each of the first ten times, then each tenth up to a hundred, and so on:
        what a fault says grows with the logarithm of what it does.
        """
        self.acted += 1
        step = 10 ** max(len(str(self.acted)) - 1, 0)
        if self.acted <= _TOLD or self.acted % step == 0:
            times = f" ({self.acted} times)" if self.acted > 1 else ""
            peer = ("", "") if parcel is None else (parcel.peer, parcel.association)
            self._tell(f"{self.id} {self.name}: {text}{times}", *peer)
        if self._count is not None and self.acted >= self._count:
            self.end("it has acted as often as it was to")

    # ------------------------------------------------------------------------------------------

    def end(self, why: str = "") -> None:
        """It acts no more, and that is told with the reason, if there is one. Ended again, nothing
        happens.
        """
        if self._is_over:
            return
        self._is_over = True
        while self._undo:
            self._undo.pop()()
        self._on_end(self)
        if why:
            self._tell(f"{self.id} {self.name}: over, {why}", "", "")

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind.name,
            "parameters": {name: plain(value) for name, value in self.parameters.items()},
            "ways": list(self.ways),
            "acted": self.acted,
            "left": self.left,
            "until": None if self.until is None else self.until.isoformat(),
        }
