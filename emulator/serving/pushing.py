"""The alerts of all meters of a sandbox are told: one task for the meters that have some.

A round begins with an alert, or with a listener that was not there before: an attempt, and as many
more as the Push setup has retries, with its delays, in its windows, on the sandbox's clock. After a
round in vain there is a pause, which a new alert ends. An attempt is one connection, and tells all
alerts that are there. What a meter cannot tell stays in its store.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import secrets
import ssl
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from typing import NamedTuple

from devices.objects.push_plan import PushPlan
from dlms.security.ops import CryptoFailure
from emulator.events import MeterEvent
from emulator.serving.alerts import EXPECTED, AlertChannel, AlertSession, NotTold
from emulator.serving.calling import Calling
from emulator.serving.host import Host
from emulator.virtual_clock import VirtualClock

MAX_AT_ONCE = 16
"""Connections to listeners at once: a handshake costs this process a millisecond and more, and one
listener takes what all meters have to say.
"""

PAUSE = dt.timedelta(hours=1)
"""Between rounds that came to nothing."""


class Address(NamedTuple):
    """Where a listener is."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """``host:port``, an IPv6 host in brackets. ``ValueError`` if it is none."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is no host:port")
    return Address(host, int(port))


def nowhere() -> Address | None:
    """There is no listener."""
    return None


class Teller:
    """A meter that has alerts to tell. ``context`` makes its TLS context when it first has some.

    It goes with the meter's mains, as a way to it.
    """

    def __init__(
        self,
        host: Host,
        context: Callable[..., ssl.SSLContext],
        look_again: Callable[[Teller], None],
        calling: Calling | None = None,
    ) -> None:
        self.host = host
        self.calling = Calling() if calling is None else calling
        self.failures = 0
        self.rests = False
        """Between two rounds."""
        self.channel: AlertChannel | None = None
        self.is_on = True
        self._context = context
        self._made: ssl.SSLContext | None = None
        self._revision = 0
        self._look_again = look_again

    @property
    def name(self) -> str:
        return self.host.device.profile.name

    @property
    def has_alerts(self) -> bool:
        return bool(self.host.device.state.alerts)

    def tls_context(self) -> ssl.SSLContext:
        if self._made is None or self._revision != self.calling.revision:
            self._revision = self.calling.revision
            self._made = self.calling.context(self._context)
        return self._made

    @property
    def connections(self) -> int:
        return 0 if self.channel is None else 1

    def pause(self) -> None:
        self.is_on = False
        if self.channel is not None:
            self.channel.abort()

    def resume(self) -> None:
        self.is_on = True
        self._look_again(self)


class Pusher:
    """``listener`` says where the head end's listener is now; a Push setup may have another
    destination. ``below`` draws a number below its argument.
    """

    def __init__(
        self,
        clock: VirtualClock,
        listener: Callable[[], Address | None] = nowhere,
        below: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._clock = clock
        self._listener = listener
        self._below = below
        self._due: dict[Teller, dt.datetime | None] = {}
        self._heap: list[tuple[dt.datetime, int, Teller]] = []
        self._numbers = itertools.count()
        self._attempts: dict[asyncio.Task[None], Teller] = {}

    def look_again(self, teller: Teller) -> None:
        """The meter may have alerts that it had not before: a round begins, if none is going on."""
        if not teller.has_alerts or not teller.is_on or teller in self._attempts.values():
            return
        if self._due.get(teller) is None or teller.rests:
            self._begin(teller)

    def leave(self, teller: Teller) -> None:
        """The meter is no more."""
        self._due.pop(teller, None)
        for task, other in self._attempts.items():
            if other is teller:
                task.cancel()

    def listener_changed(self) -> None:
        """There is a listener, or it is somewhere else: all that wait begin anew."""
        for teller in tuple(self._due):
            self._begin(teller)

    @property
    def busy(self) -> int:
        """How many meters tell their alerts at this moment."""
        return len(self._attempts)

    async def run(self) -> None:
        """Tell, until it is cancelled."""
        try:
            while True:
                now = self._clock.now()
                while len(self._attempts) < MAX_AT_ONCE and (teller := self._next_due(now)):
                    task = asyncio.create_task(self._attempt(teller))
                    self._attempts[task] = teller
                    task.add_done_callback(self._attempted)
                full = len(self._attempts) >= MAX_AT_ONCE
                await self._clock.pause(None if full else self.due())
        finally:
            for task in tuple(self._attempts):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    # When ---------------------------------------------------------------------------------------

    def _begin(self, teller: Teller) -> None:
        plan = teller.host.device.alert_plan()
        if plan is None:
            return
        teller.failures, teller.rests = 0, False
        within = self._below(plan.randomisation + 1) if plan.randomisation else 0
        self._schedule(teller, plan, dt.timedelta(seconds=within))

    def _schedule(self, teller: Teller, plan: PushPlan, wait: dt.timedelta) -> None:
        moment = plan.opening(teller.host.device, self._clock.now() + wait)
        self._due[teller] = moment
        if moment is not None:  # else it waits for another listener, or another alert
            heappush(self._heap, (moment, next(self._numbers), teller))
            self._clock.wake()

    def due(self) -> dt.datetime | None:
        """When the next attempt is to begin; ``None`` if none is."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)  # begun anew since, or gone
        return self._heap[0][0] if self._heap else None

    def _next_due(self, now: dt.datetime) -> Teller | None:
        due = self.due()
        if due is None or due > now:
            return None
        teller = heappop(self._heap)[2]
        del self._due[teller]
        return teller

    # An attempt ---------------------------------------------------------------------------------

    async def _attempt(self, teller: Teller) -> None:
        plan = teller.host.device.alert_plan()
        if plan is None or not teller.has_alerts or not teller.is_on:
            return
        try:
            address = self._address(plan)
            if address is None:
                self._due[teller] = None  # until there is a listener
                return
            await self._tell(teller, plan, address)
        except (*EXPECTED, CryptoFailure) as error:
            self._failed(teller, plan, str(error) or type(error).__name__)
        else:
            teller.failures = 0

    def _attempted(self, task: asyncio.Task[None]) -> None:
        teller = self._attempts.pop(task)
        self._clock.wake()
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            context = {"message": f"alerts of {teller.name}", "exception": error}
            task.get_loop().call_exception_handler(context)
        elif teller not in self._due:
            self.look_again(teller)  # what has come in the last moment

    def _address(self, plan: PushPlan) -> Address | None:
        if not plan.destination.reachable:
            raise NotTold("the Push setup has a destination that this meter cannot reach")
        if not plan.destination.address:
            return self._listener()
        try:
            return parse_address(plan.destination.address)
        except ValueError as error:
            raise NotTold(f"destination of the Push setup: {error}") from None

    async def _tell(self, teller: Teller, plan: PushPlan, address: Address) -> None:
        title = teller.host.device.client_title(plan.association.name)
        if title is None:
            raise NotTold("no client is registered that alerts are for")
        channel = await teller.calling.open(
            AlertChannel, address.host, address.port, teller.tls_context(), title
        )
        teller.channel = channel
        try:
            if teller.is_on:
                await AlertSession(teller.host, plan, channel, str(address)).tell_all()
        finally:
            teller.channel = None
            channel.abort()

    def _failed(self, teller: Teller, plan: PushPlan, why: str) -> None:
        teller.failures += 1
        wait = plan.delay.after(teller.failures)
        if teller.failures > plan.retries:
            teller.failures, teller.rests = 0, True
            wait = PAUSE
        self._schedule(teller, plan, wait)
        if not teller.is_on:
            return  # nobody expects anything of it
        kept = len(teller.host.device.state.alerts)
        text = f"{why}; {kept} kept"
        teller.host.on_event(
            MeterEvent(
                meter=teller.name,
                kind="alerts-not-told",
                association=plan.association.name,
                text=text,
            )
        )
