"""A meter of everything, and clients of either driver whose calls are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from devices.profile import load
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind
from emulator.client import Hdlc, Keys, connect, connect_blocking
from emulator.head_end.party import client_titles
from emulator.meter_address import Way
from emulator.provisioning import client_title
from emulator.sandbox import RunningMeter, Sandbox
from emulator.serving.lines import DEVICE_ADDRESS

PATIENCE = 120.0


class InThread:
    """A blocking association that is awaited: each call is in a thread of its own."""

    def __init__(self, blocking: Any) -> None:
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._blocking, name)

        async def aside(*args: Any, **more: Any) -> Any:
            return await asyncio.to_thread(call, *args, **more)

        return aside


class Threaded:
    """A blocking connection with the face of the other one."""

    def __init__(self, blocking: Any) -> None:
        self._blocking = blocking

    @asynccontextmanager
    async def associate(self, **how: Any) -> AsyncIterator[Any]:
        association = self._blocking.associate(**how)
        await asyncio.to_thread(association.open)
        try:
            yield InThread(association)
        finally:
            await asyncio.to_thread(association.close)


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a process of its own: its meters have never been used."""
    monkeypatch.setattr("emulator.client.plan.PROCESS", InvocationCounters())


@pytest.fixture(params=["asyncio", "blocking"])
def driver(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
async def meters(
    pki: Any, events: Any, clock: Any, fleet_secret: bytes
) -> AsyncIterator[list[RunningMeter]]:
    """Three of the laboratory's, each with its own title and keys."""
    profiles = [replace(load("laboratory"), name=name) for name in ("one", "two", "three")]
    async with Sandbox(
        profiles,
        pki=pki,
        fleet_secret=fleet_secret,
        client_titles=client_titles(),
        on_event=events,
        clock=clock,
        trace=True,
        ways=[Way.UDP, Way.HDLC, Way.OPTICAL],
    ) as sandbox:
        yield list(sandbox.meters.values())


@pytest.fixture
def meter(meters: list[RunningMeter]) -> RunningMeter:
    return meters[0]


Connected = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def connected(driver: str) -> Connected:
    """``async with connected(meter, way) as client``: whatever the driver, calls are awaited."""

    @asynccontextmanager
    async def start(meter: RunningMeter, way: str = "tcp") -> AsyncIterator[Any]:
        address = meter.address
        hdlc = Hdlc(physical=DEVICE_ADDRESS, inter_octet_timeout=PATIENCE)
        ways: dict[str, tuple[str | None, int | None, dict[str, Any]]] = {
            "tcp": (address.host, address.plain_port, {}),
            "udp": (address.host, address.udp_port, {"udp": True}),
            "hdlc": (address.host, address.hdlc_port, {"hdlc": hdlc}),
            "optical": (address.optical, None, {"hdlc": hdlc, "optical": True}),
        }
        host, port, more = ways[way]
        assert host is not None
        if driver == "asyncio":
            async with connect(host, port, timeout=PATIENCE, **more) as client:
                yield client
            return
        blocking = connect_blocking(host, port, timeout=PATIENCE, **more)
        await asyncio.to_thread(blocking.__enter__)
        try:
            yield Threaded(blocking)
        finally:
            await asyncio.to_thread(blocking.close)

    return start


@pytest.fixture
def how(ring: Any) -> Callable[..., dict[str, Any]]:
    """``how(meter, name, **more)``: what a client must say of itself for an association."""

    def say(meter: RunningMeter, name: str, **more: Any) -> dict[str, Any]:
        row = meter.device.profile.associations[name]

        def key(kind: KeyKind) -> bytes:
            found: bytes = ring.get(meter.device.key(name, kind))
            return found

        given: dict[str, Any] = {
            "client_sap": row.config.client_sap,
            "mechanism": row.config.mechanism,
            "suite": row.config.suite,
        }
        if row.config.context.ciphered:
            given |= {
                "keys": Keys(guek=key(KeyKind.GUEK), gak=key(KeyKind.GAK), gbek=key(KeyKind.GBEK)),
                "own_title": client_title(row, client_titles()),
                "counter": 0,
            }
        elif row.config.mechanism.name == "LLS":
            given["keys"] = Keys(password=key(KeyKind.LLS_SECRET))
        return given | more

    return say
