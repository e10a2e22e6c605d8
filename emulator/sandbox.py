"""A sandbox: one meter per manufacturer profile, each on a plain and a TLS port on loopback."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple, Self

from devices.device import Device
from devices.profile import Profile
from devices.state import DeviceState
from dlms.security.counters import InvocationCounters
from emulator.events import MeterEvent, OnMeterEvent, ignore
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule
from emulator.serving.connection import MeterConnection
from emulator.serving.host import Host
from tls.contexts import server_context
from tls.events import HandshakeEvent, HandshakeFailed
from tls.pki import TestPki
from tls.plain import start_tcp_server
from tls.transport import start_tls_server

LOOPBACK = "127.0.0.1"
FIRST_SERIAL = 1


class MeterAddress(NamedTuple):
    """Where a meter listens. ``title`` is its system title."""

    name: str
    serial: int
    title: bytes
    host: str
    plain_port: int
    tls_port: int


class RunningMeter(NamedTuple):
    device: Device
    address: MeterAddress


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Sandbox:
    """Meters that serve while the sandbox is entered as an async context.

    ``client_titles`` registers, per association name, the system title of its client. With
    ``port`` the meters listen on that and the following ports, plain and TLS in turn.
    ``counters`` makes each meter's invocation counters: a meter that keeps its keys must not begin
    to count anew. ``keylog`` is a file for TLS secrets.
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
        now: Callable[[], dt.datetime] = utc_now,
        port: int = 0,
        counters: Callable[[], InvocationCounters] = InvocationCounters,
        keylog: Path | None = None,
    ) -> None:
        self._profiles = tuple(profiles)
        self._pki = pki
        self._fleet_secret = fleet_secret
        self._client_titles = client_titles
        self._host = host
        self._on_event = on_event
        self._trace = trace
        self._now = now
        self._port = port
        self._counters = counters
        self._keylog = keylog
        self._stack = AsyncExitStack()
        self.meters: dict[str, RunningMeter] = {}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for number, profile in enumerate(self._profiles):
                port = self._port + 2 * number if self._port else 0
                await self._start(profile, FIRST_SERIAL + number, port, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.meters.clear()
        await self._stack.aclose()

    async def _start(self, profile: Profile, serial: int, port: int, stack: AsyncExitStack) -> None:
        state = DeviceState(counters=self._counters())
        device = Device(profile, serial, client_titles=self._client_titles, state=state)
        # Each meter computes inside itself, with keys that no other meter has.
        module = SoftwareModule(KeyRing(self._fleet_secret))
        host = Host(device, module.execute, self._now, self._on_event, self._trace)

        def handshake(event: HandshakeEvent) -> None:
            if isinstance(event, HandshakeFailed):
                self._on_event(
                    MeterEvent(
                        meter=profile.name,
                        kind="handshake-failed",
                        peer=event.peer,
                        text=f"{event.reason}: {event.message}",
                    )
                )

        plain = await start_tcp_server(lambda: MeterConnection(host), self._host, port)
        await stack.enter_async_context(plain)
        credential = self._pki.issue_device(device.title)
        context = server_context(credential, self._pki.trust(), keylog=self._keylog)
        secure = await start_tls_server(
            lambda: MeterConnection(host),
            self._host,
            port and port + 1,
            context,
            on_event=handshake,
        )
        await stack.enter_async_context(secure)
        address = MeterAddress(
            profile.name, serial, device.title, self._host, plain.port, secure.port
        )
        self.meters[profile.name] = RunningMeter(device, address)
