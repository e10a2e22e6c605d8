"""All that a test has: meters, their time and their faults, a head end, its ledger."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import cached_property
from typing import Self

from devices.profile import Profile
from dlms.security.keys import KeyRef
from emulator.database import Database
from emulator.head_end.party import client_titles
from emulator.key_suites import suites_of
from emulator.ledger import Ledger
from emulator.meter_address import Way
from emulator.policy import Actor
from emulator.pytest_plugin.clock import BenchClock
from emulator.pytest_plugin.entries import BenchLedger
from emulator.pytest_plugin.faults import BenchFaults
from emulator.pytest_plugin.head_end import BenchHeadEnd, head_end_for
from emulator.pytest_plugin.in_loop import InLoop, here
from emulator.pytest_plugin.log import Log
from emulator.pytest_plugin.meter import BenchMeter
from emulator.pytest_plugin.misuse import misused
from emulator.pytest_plugin.site import Site, fleet_secret, renamed
from emulator.pytest_plugin.wanted import Wanted
from emulator.sandbox import RunningMeter, Sandbox
from emulator.virtual_clock import VirtualClock


class Bench:
    """Meters serve while it is entered as an async context, in the loop that enters it.

    ``in_loop`` is how a test gets at what belongs to that loop.
    """

    def __init__(self, wanted: Wanted, site: Site, in_loop: InLoop = here) -> None:
        self._site = site
        self._in_loop = in_loop
        self._secret = fleet_secret(wanted.seed)
        self._stack = AsyncExitStack()
        self._meters: dict[str, BenchMeter] = {}
        self.log = Log()
        profiles = [site.profile(one) for one in wanted.profiles] or list(site.usual())
        self.sandbox = Sandbox(
            profiles,
            pki=site.pki,
            fleet_secret=self._secret,
            client_titles=client_titles(),
            on_event=self.log,
            trace=True,
            clock=VirtualClock(wanted.at, factor=0),
            ways=_ways(wanted),
            fault_seed=wanted.seed,
        )
        self.clock = BenchClock(self.sandbox.clock, self.sandbox.living, in_loop)
        self.faults = BenchFaults(in_loop)
        self._ledger = Ledger(now=self.sandbox.clock.now)
        self.ledger = BenchLedger(self._ledger, in_loop)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.sandbox)
            for running in self.sandbox.meters.values():
                self._take(running)
            stack.callback(self._meters.clear)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    def meter(self, profile: str) -> BenchMeter:
        """The meter of that profile. ``ValueError`` if the test has asked for none such."""
        if profile not in self._meters:
            there = ", ".join(self._meters)
            raise ValueError(
                f"no meter {profile!r}; there are: {there}. Others come with"
                f" @pytest.mark.cosemlab(profiles=[{profile!r}]) or with fleet()"
            )
        return self._meters[profile]

    async def fleet(self, profile: str | Profile, count: int) -> tuple[BenchMeter, ...]:
        """So many more meters of one profile, called ``secure-1``, ``secure-2``, ..."""
        model = self._site.profile(profile)
        found: list[BenchMeter] = []
        number = 1
        while len(found) < count:
            if (one := renamed(model, number)).name not in self._meters:
                found.append(self._take(await self.sandbox.add(one)))
            number += 1
        return tuple(found)

    @cached_property
    def head_end(self) -> BenchHeadEnd:
        """Made when it is first asked for, in the loop of the meters."""
        return head_end_for(
            self._site,
            self._secret,
            self._suite_of,
            self._ledger,
            self.sandbox.clock.now,
            self._database,
        )

    def _database(self, actor: Actor) -> Database:
        database = Database("sqlite://")
        self._stack.callback(database.close)
        return database

    def _take(self, running: RunningMeter) -> BenchMeter:
        meter = BenchMeter(running, self._site, self._secret, self.log, self._in_loop)
        self._meters[meter.name] = meter
        return meter

    def _suite_of(self, ref: KeyRef) -> int:
        """The security suite of a key: that of its meter, of whatever comes later, too."""
        for meter in self._meters.values():
            if meter.title == ref.holder:
                return suites_of(meter.profile)(ref)
        return 0


def _ways(wanted: Wanted) -> frozenset[Way]:
    by_name = {way.name.lower(): way for way in Way}
    for name in wanted.ways:
        if name not in by_name:
            known = ", ".join(by_name)
            raise misused(
                f"cosemlab: no way {name!r}; there are {known}, and TCP and TLS are always open"
            )
    return frozenset(by_name[name] for name in wanted.ways)
