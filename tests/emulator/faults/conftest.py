"""A meter of which a test makes faults, and a timer that goes when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import pytest

from devices.device import Device
from devices.profile import Profile
from dlms.security.keys import KeyKind
from emulator.client import Keys
from emulator.head_end.party import TITLES
from emulator.meter_address import MeterAddress, Way
from emulator.policy import Actor
from emulator.sandbox import RunningMeter

PATIENCE = 120.0


class Timer:
    """What is to happen later, until it is let go."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self._waiting: list[tuple[float, Callable[[], None]]] = []
        self._news = asyncio.Event()

    def __call__(self, delay: float, callback: Callable[[], None]) -> Timer:
        self.delays.append(delay)
        self._waiting.append((delay, callback))
        self._news.set()
        return self

    def cancel(self) -> None:
        """Only what has not been let go is cancelled, and a test lets go no more then."""

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def has(self, count: int) -> None:
        """Return once so many wait."""
        async with asyncio.timeout(PATIENCE):
            while self.waiting < count:
                self._news.clear()
                await self._news.wait()

    def let_go(self, number: int = 0) -> None:
        """Let the one of that number happen, of those that wait."""
        self._waiting.pop(number)[1]()


class Place(NamedTuple):
    """One meter, as the clients made by hand want it."""

    device: Device
    address: MeterAddress
    profile: Profile


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
async def meter(run_meter: Any, timer: Timer) -> AsyncIterator[RunningMeter]:
    async with run_meter("itron", ways=Way, fault_timer=timer) as meter:
        yield meter


@pytest.fixture
def s1sp(meter: RunningMeter, ring: Any) -> Callable[..., dict[str, Any]]:
    """How the S1SP associates."""
    keys = Keys(
        guek=ring.get(meter.device.key("s1sp", KeyKind.GUEK)),
        gak=ring.get(meter.device.key("s1sp", KeyKind.GAK)),
    )

    def how(**changes: Any) -> dict[str, Any]:
        return {
            "client_sap": 2,
            "mechanism": "hls-gmac",
            "keys": keys,
            "own_title": TITLES[Actor.S1SP],
            "counter_from": "0-0:43.1.1.255",
            **changes,
        }

    return how


@pytest.fixture
def place(meter: RunningMeter) -> Callable[[str], Any]:
    """The one meter, as the clients made by hand want it."""
    return lambda name: Place(meter.device, meter.address, meter.device.profile)
