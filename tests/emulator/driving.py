"""One meter in a sandbox, and clients that reach it by every way with both drivers: fixtures, which
conftest.py shows to the tests.

Nothing here waits for time to pass: ``PATIENCE`` only makes a test that hangs fail.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from devices.profile import load, read
from dlms.security.counters import InvocationCounters
from emulator.client import Hdlc, connect, connect_blocking
from emulator.head_end.party import client_titles
from emulator.policy import Actor
from emulator.sandbox import RunningMeter, Sandbox
from emulator.serving.lines import DEVICE_ADDRESS
from emulator.virtual_clock import VirtualClock
from emulator.workspace import Workspace
from tls.contexts import client_context
from tls.identity import exactly

PATIENCE = 120.0

Route: TypeAlias = tuple[str, int | None, dict[str, Any]]
"""Host or device, port, and what else ``connect`` is to be told."""


@pytest.fixture
def own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test is a process of its own: its meters have never been used."""
    monkeypatch.setattr("emulator.client.plan.PROCESS", InvocationCounters())


@contextmanager
def no_mistakes() -> Iterator[None]:
    """At the end no exception may have left a connection's protocol. In a running loop."""
    mistakes: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: mistakes.append(context))
    yield
    loop.set_exception_handler(None)
    assert mistakes == []


@pytest.fixture
def run_meter(
    pki: Any, events: Any, clock: Any, fleet_secret: bytes
) -> Callable[..., AbstractAsyncContextManager[RunningMeter]]:
    """``async with run_meter(profile, **options) as meter``: a sandbox of one meter, without
    mistakes.
    """

    @asynccontextmanager
    async def run(profile: Any, **options: Any) -> AsyncIterator[RunningMeter]:
        if isinstance(profile, str):
            profile = load(profile)
        given = {"pki": pki, "fleet_secret": fleet_secret, "on_event": events, "clock": clock}
        given |= {"client_titles": client_titles(), **options}
        with no_mistakes():
            async with Sandbox([profile], **given) as sandbox:
                yield sandbox.meters[profile.name]

    return run


@pytest.fixture
def route_to(pki: Any, credentials: Any) -> Callable[..., Route]:
    """``route_to(meter, way)``: by TLS as ``actor``, by HDLC to the ``physical`` address."""

    def find(
        meter: RunningMeter,
        way: str,
        *,
        actor: Actor = Actor.S1SP,
        physical: int = DEVICE_ADDRESS,
    ) -> Route:
        address = meter.address
        context = client_context(credentials[actor], pki.trust())
        secure = {"tls": context, "accept": exactly(address.title)}
        hdlc = Hdlc(physical=physical, inter_octet_timeout=PATIENCE)
        ways: dict[str, tuple[str | None, int | None, dict[str, Any]]] = {
            "tcp": (address.host, address.plain_port, {}),
            "tls": (address.host, address.tls_port, secure),
            "udp": (address.host, address.udp_port, {"udp": True}),
            "hdlc": (address.host, address.hdlc_port, {"hdlc": hdlc}),
            "line": (address.line, None, {"hdlc": hdlc}),
            "optical": (address.optical, None, {"hdlc": hdlc, "optical": True}),
        }
        host, port, more = ways[way]
        assert host is not None, f"the meter has no {way}"
        return host, port, more

    return find


class InThread:
    """A blocking object that is awaited: each call is in a thread of its own."""

    def __init__(self, blocking: Any) -> None:
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._blocking, name)
        if not callable(call):
            return call

        async def aside(*args: Any, **more: Any) -> Any:
            return await asyncio.to_thread(call, *args, **more)

        return aside

    def security_setup(self, what: str) -> InThread:
        return InThread(self._blocking.security_setup(what))

    def images(self) -> InThread:
        return InThread(self._blocking.images())

    async def notifications(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        found = await asyncio.to_thread(lambda: list(self._blocking.notifications(*args, **more)))
        for notice in found:
            yield notice


@pytest.fixture(scope="session")
def in_thread() -> type[InThread]:
    return InThread


@pytest.fixture(scope="session")
def associated() -> Callable[..., AbstractAsyncContextManager[Any]]:
    """``async with associated(driver, route, **how) as a``: calls are awaited in any driver."""

    @asynccontextmanager
    async def start(driver: str, route: Route, **how: Any) -> AsyncIterator[Any]:
        host, port, more = route
        if driver == "asyncio":
            async with (
                connect(host, port, timeout=PATIENCE, **more) as client,
                client.associate(**how) as association,
            ):
                yield association
            return
        blocking = connect_blocking(host, port, timeout=PATIENCE, **more)
        await asyncio.to_thread(blocking.__enter__)
        try:
            one = blocking.associate(**how)
            await asyncio.to_thread(one.open)
            try:
                yield InThread(one)
            finally:
                await asyncio.to_thread(one.close)
        finally:
            await asyncio.to_thread(blocking.close)

    return start


@pytest.fixture(scope="session")
def announced() -> Callable[..., AbstractContextManager[Path]]:
    """``with announced(path, *meters)``: see :func:`_announced`."""
    return _announced


@contextmanager
def _announced(path: Path, *meters: str) -> Iterator[Path]:
    """The workspace at ``path``, with a sandbox of meters up that runs in a thread of its own."""
    workspace = Workspace(path)
    up, over = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        async with Sandbox(
            [load(name) for name in meters],
            pki=workspace.pki,
            fleet_secret=workspace.fleet_secret,
            client_titles=client_titles(),
            clock=VirtualClock(factor=0),
        ) as sandbox:
            addresses = [meter.address for meter in sandbox.meters.values()]
            workspace.announce(addresses, {name: read(name) for name in meters})
            up.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert up.wait(30)
    try:
        yield path
    finally:
        loops[0].call_soon_threadsafe(over.set)
        thread.join(30)
