"""What happens at the meters of a test, in order, with every APDU decoded."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from emulator.events import MeterEvent

PATIENCE = 30.0
"""Real seconds until a test that waits for something fails."""

TO_METER, FROM_METER = "<-", "->"
"""Kinds of the events that are APDUs, seen from the meter."""


class Apdu(NamedTuple):
    """``shown`` are the octets in hexadecimal, but of one that may carry a secret in clear;
    ``says`` what it is.
    """

    direction: str
    association: str
    shown: str
    says: str


class Log:
    """Called with each event."""

    def __init__(self) -> None:
        self._seen: list[MeterEvent] = []
        self._news = asyncio.Event()

    def __call__(self, event: MeterEvent) -> None:
        self._seen.append(event)
        self._news.set()

    def of(self, meter: str, *kinds: str) -> list[MeterEvent]:
        """The events of a meter, those of some kinds or all."""
        return [
            event
            for event in self._seen
            if event.meter == meter and (not kinds or event.kind in kinds)
        ]

    def apdus(self, meter: str) -> list[Apdu]:
        found = []
        for event in self.of(meter, TO_METER, FROM_METER):
            shown, _, says = event.text.partition("  ")
            found.append(Apdu(event.kind, event.association, shown, says))
        return found

    async def wait(self, meter: str, kind: str, count: int = 1) -> list[MeterEvent]:
        """All events of that kind, once there are ``count`` of them. ``TimeoutError`` if there are
        not within half a minute.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                while len(found := self.of(meter, kind)) < count:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            there = sorted({event.kind for event in self.of(meter)})
            raise TimeoutError(
                f"{meter}: {len(found)} of {count} events {kind!r} came; kinds so far: {there}"
            ) from None
        return found
