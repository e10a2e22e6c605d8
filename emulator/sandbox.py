"""A sandbox: one meter per manufacturer profile, each on a plain and a TLS port on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from devices.device import Device
from devices.profile import Profile
from emulator.assembling import Assembly
from emulator.control import Control
from emulator.control.actions import register_all
from emulator.events import MeterEvent, OnMeterEvent, ignore
from emulator.faults import Catalogue, MeterFaults, Reach, actions, built_in
from emulator.faults.presented import Presented
from emulator.installing import Installer, trust_of
from emulator.living import Living
from emulator.mains import Mains
from emulator.memory.meter_memory import Memories, Passing
from emulator.meter_address import LOOPBACK, MeterAddress, Way
from emulator.modules.keyring import KeyRing
from emulator.provisioning import Fleet
from emulator.serving.audience import Audience
from emulator.serving.calling import Calling
from emulator.serving.connection import MeterConnection
from emulator.serving.pushing import Address, Pusher, Teller, nowhere
from emulator.serving.taps import Later, Taps, later
from emulator.virtual_clock import VirtualClock
from emulator.ways import start_ways
from tls.contexts import client_context
from tls.events import HandshakeEvent, HandshakeFailed
from tls.pki import TestPki
from tls.plain import start_tcp_server
from tls.session_age import SESSION_LIFETIME
from tls.transport import start_tls_server

FIRST_SERIAL = 1


class RunningMeter(NamedTuple):
    """``audience`` is who is connected: what it is told goes to all that may know of it.
    ``teller`` tells its alerts. ``ring`` has its keys. ``installer`` is the supplier that has
    installed it, if one has.
    """

    device: Device
    address: MeterAddress
    audience: Audience
    mains: Mains
    teller: Teller
    faults: MeterFaults
    ring: KeyRing
    installer: Installer | None = None


class Sandbox:
    """Meters that serve while the sandbox is entered as an async context.

    ``client_titles`` registers, per association name, the system title of its client. With
    ``port`` the meters listen on that and the following ports, plain and TLS in turn, and HDLC
    third if it is asked for. ``ways`` are opened besides; UDP has the number of the plain port. A
    serial line is a pty, of which clients open the path in the address.
    ``memories`` are where the meters remember, by default as long as the sandbox is there.
    ``keylog`` is a file for TLS secrets.

    ``clock`` is the time of the meters, real by default; ``control`` is what can be done to them
    besides what a client can do. ``listener`` says where the head end listens for alerts: who knows
    of another place calls ``pusher.listener_changed()``.

    ``catalogue`` are the faults by name, by default those of the package; what they draw by lot
    comes from ``fault_seed``, and ``fault_timer`` makes octets late.

    ``installers`` are the suppliers that may have installed meters, by name; ``installer`` names
    the one that installs those which are new.

    ``session_lifetime`` is that of a TLS session in seconds, in reality; then meters hang up.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        *,
        pki: TestPki,
        fleet_secret: bytes,
        client_titles: dict[str, bytes],
        host: str = LOOPBACK,
        on_event: OnMeterEvent = ignore,
        trace: bool = False,
        clock: VirtualClock | None = None,
        port: int = 0,
        memories: Memories | None = None,
        keylog: Path | None = None,
        ways: Collection[Way] = (),
        listener: Callable[[], Address | None] = nowhere,
        catalogue: Catalogue | None = None,
        fault_seed: str = "0",
        fault_timer: Later = later,
        installers: Mapping[str, Installer] = MappingProxyType({}),
        installer: str = "",
        session_lifetime: float = SESSION_LIFETIME,
    ) -> None:
        self._profiles = tuple(profiles)
        self._pki = pki
        self._host = host
        self._on_event = on_event
        self._port = port
        self._keylog = keylog
        self._ways = frozenset(ways)
        self._fault_seed = fault_seed
        self._fault_timer = fault_timer
        self._stack = AsyncExitStack()
        self.catalogue = built_in() if catalogue is None else catalogue
        self.meters: dict[str, RunningMeter] = {}
        self.clock = VirtualClock() if clock is None else clock
        self.assembly = Assembly(
            memories=Passing(fleet_secret) if memories is None else memories,
            fleet=Fleet(fleet_secret),
            client_titles=client_titles,
            installers=installers,
            installer=installer,
            now=self.clock.now,
            on_event=on_event,
            trace=trace,
            session_lifetime=session_lifetime,
        )
        self.living = Living(self.clock, on_event)
        self.pusher = Pusher(self.clock, listener)
        self.control = Control(self.meters.keys)
        register_all(self.control, self.clock, self.living, self._mains)
        actions.register(self.control, self.catalogue, self._faults)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for number, profile in enumerate(self._profiles):
                each = 3 if Way.HDLC in self._ways else 2
                port = self._port + each * number if self._port else 0
                await self._start(profile, FIRST_SERIAL + number, port, stack)
            for task in (self.living.run(), self.pusher.run()):
                stack.push_async_callback(_end, asyncio.create_task(task))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.meters.clear()
        await self._stack.aclose()

    async def add(self, profile: Profile) -> RunningMeter:
        """One more meter, with the next serial number, on ports that are free, until the sandbox
        ends. ``ValueError`` if there is one of that name.
        """
        if profile.name in self.meters:
            raise ValueError(f"there is a meter {profile.name!r} already")
        async with AsyncExitStack() as stack:
            await self._start(profile, FIRST_SERIAL + len(self.meters), 0, stack)
            self._stack.push_async_exit(stack.pop_all())
        return self.meters[profile.name]

    async def _start(self, profile: Profile, serial: int, port: int, stack: AsyncExitStack) -> None:
        host, ring, installer, workings = self.assembly.assemble(
            profile,
            serial,
            look_again=lambda: self.living.look_again(mains),
            alerted=lambda: self.pusher.look_again(teller),
        )
        device = host.device
        mains = Mains(host, self.living.look_again)
        calling = Calling()
        teller = Teller(host, partial(self._alert_context, device), self.pusher.look_again, calling)
        mains.lead_to(teller)
        stack.callback(self.pusher.leave, teller)
        # What is up has mains, whatever befell it before its host ended.
        device.power_restored(self.clock.now())
        host.awake()
        host.memory.commit()
        device.outbox.take_happenings()  # its logs have them; nobody has seen the meter yet
        self.living.look_again(mains)
        self.pusher.look_again(teller)
        stack.callback(self.living.leave, mains)

        def handshake(event: HandshakeEvent) -> None:
            if isinstance(event, HandshakeFailed) and mains.are_on:
                self._on_event(
                    MeterEvent(
                        meter=profile.name,
                        kind="handshake-failed",
                        peer=event.peer,
                        text=f"{event.reason}: {event.message}",
                    )
                )

        ways = {way: Taps(way, self._fault_timer) for way in self._open_ways()}
        by = {way: replace(host, taps=taps) for way, taps in ways.items()}
        plain = await start_tcp_server(lambda: MeterConnection(by["tcp"]), self._host, port)
        await stack.enter_async_context(plain)
        mains.lead_to(plain)
        presented = Presented(
            self._pki,
            device.title,
            self._keylog,
            lambda: trust_of(device, self._pki.trust(), installer),
            lambda: MeterConnection(by["tls"]),
            calling,
        )
        secure = await start_tls_server(
            presented.serve,
            self._host,
            port and port + 1,
            presented.context,
            on_event=handshake,
            accept=presented.accept,
            divert=presented.divert,
        )
        await stack.enter_async_context(secure)
        mains.lead_to(secure)
        address = MeterAddress(
            profile.name,
            serial,
            device.title,
            self._host,
            plain.port,
            secure.port,
        )
        address = await start_ways(self._ways, address, mains, by, port, stack)
        reach = Reach(mains, ways, self.clock, presented, ring, workings)
        faults = MeterFaults(reach, self.catalogue, self._fault_seed)
        stack.callback(faults.clear_all, "the sandbox ends")
        self.meters[profile.name] = RunningMeter(
            device, address, host.audience, mains, teller, faults, ring, installer
        )

    def _open_ways(self) -> tuple[str, ...]:
        """All ways to a meter, by the names that faults know them by."""
        return ("tcp", "tls", *(way.name.lower() for way in Way if way in self._ways))

    def _alert_context(self, device: Device, **options: Any) -> ssl.SSLContext:
        """As a client a meter shows another certificate than at its own TLS port, for another
        purpose. It is issued when the meter has something to tell for the first time.
        """
        credential = self._pki.issue_client(device.title, device.title.hex().upper())
        return client_context(credential, self._pki.trust(), keylog=self._keylog, **options)

    def _mains(self) -> Mapping[str, Mains]:
        return {name: meter.mains for name, meter in self.meters.items()}

    def _faults(self) -> Mapping[str, MeterFaults]:
        return {name: meter.faults for name, meter in self.meters.items()}


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel it; what it has failed of before is raised."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
