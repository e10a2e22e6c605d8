"""Mains of a meter, by every way to it, and what it goes through."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from devices.device import Device
from devices.happenings import Happening
from devices.life.hands import Tamper
from devices.outbox import Changed
from devices.profile import load
from devices.supply import POWERLESS
from dlms.client.refusals import MeterRefusal
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client import connect
from emulator.head_end.party import client_titles
from emulator.mains import Mains
from emulator.memory.kept_memories import KeptMemories
from emulator.meter_address import Way
from emulator.sandbox import RunningMeter, Sandbox
from emulator.serving.host import Host
from emulator.virtual_clock import VirtualClock

SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
CONNECTED = ("tcp", "tls", "hdlc")
UNCONNECTED = ("udp", "line", "optical")
UNANSWERED = 0.2
"""Seconds after which a client gives up that is never answered."""
CLOCK = Changed(AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))


@pytest.fixture
async def meter(run_meter: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter("laboratory", ways=Way) as running:
        yield running


async def reads(route: Any, patience: float = 30.0) -> bool:
    """Whether somebody who comes now is answered."""
    host, port, more = route
    try:
        async with (
            connect(host, port, timeout=patience, **more) as client,
            client.associate() as association,
        ):
            await association.get("clock")
    except OSError:  # TimeoutError is one
        return False
    return True


# Ways to the meter ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", CONNECTED)
async def test_whoever_is_connected_is_dropped(
    way: str, meter: RunningMeter, route_to: Any, events: Any, own_process: None
) -> None:
    host, port, more = route_to(meter, way)
    with pytest.raises(ConnectionError):  # noqa: PT012
        async with connect(host, port, **more) as client, client.associate() as association:
            await association.get("clock")
            assert meter.mains.connections == 1
            meter.mains.cut()
            assert meter.audience.tell(CLOCK) == 0
            await association.get("clock")
    assert [event.kind for event in events.of("power-lost", "unable")] == ["power-lost"]


@pytest.mark.parametrize("way", CONNECTED)
async def test_whoever_comes_is_dropped_until_it_is_back_where_it_was(
    way: str, meter: RunningMeter, route_to: Any, events: Any, own_process: None
) -> None:
    route = route_to(meter, way)
    assert await reads(route)
    meter.mains.cut()
    assert not await reads(route)
    assert meter.mains.connections == 0
    meter.mains.restore()
    assert await reads(route)
    assert events.of("handshake-failed", "refused") == []


@pytest.mark.parametrize("way", UNCONNECTED)
async def test_a_way_without_connections_swallows_everything(
    way: str, meter: RunningMeter, route_to: Any, own_process: None
) -> None:
    route = route_to(meter, way)
    assert await reads(route)
    meter.mains.cut()
    assert not await reads(route, UNANSWERED)
    meter.mains.restore()
    assert await reads(route)
    assert meter.mains.connections == 0


async def test_peers_on_udp_have_no_association_any_more(
    meter: RunningMeter, route_to: Any, own_process: None
) -> None:
    host, port, more = route_to(meter, "udp")
    async with connect(host, port, **more) as client:
        association = client.associate()
        await association.__aenter__()
        meter.mains.cut()
        meter.mains.restore()
        with pytest.raises(MeterRefusal, match="no association"):
            await association.get("clock")


async def test_an_answer_on_a_line_that_nobody_has_read_is_gone(
    meter: RunningMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line takes nothing, so that what the meter says waits."""
    plug = meter.mains._outlets[-2]
    transport = plug._transport  # type: ignore[attr-defined]

    def full(fd: int, octets: bytes) -> int:
        raise BlockingIOError

    monkeypatch.setattr("emulator.lines.os.write", full)
    transport.write(b"an answer")
    assert transport.get_write_buffer_size() == 9
    meter.mains.cut()
    assert transport.get_write_buffer_size() == 0
    assert not transport.is_closing()


async def test_a_reboot_drops_everybody_and_interrupts_no_supply(
    meter: RunningMeter, route_to: Any, events: Any, own_process: None
) -> None:
    host, port, more = route_to(meter, "tcp")
    with pytest.raises(ConnectionError):  # noqa: PT012
        async with connect(host, port, **more) as client, client.associate() as association:
            await association.get("clock")
            meter.mains.reboot()
            await association.get("clock")
    assert await reads(route_to(meter, "tcp"))
    assert [event.kind for event in events.of("rebooted", "power-lost", "happening")][-1:] == [
        "rebooted"
    ]


# What the meter goes through --------------------------------------------------------------------


class Written:
    """A memory that writes down when it is called, and what it kept."""

    def __init__(self, diary: list[Any]) -> None:
        self.diary = diary

    def commit(self) -> None:
        self.diary.append("commit")

    def recall(self) -> None:
        self.diary.append("recall")


class Outlet:
    connections = 3

    def __init__(self, diary: list[Any]) -> None:
        self.diary = diary

    def pause(self) -> None:
        self.diary.append("pause")

    def resume(self) -> None:
        self.diary.append("resume")


@pytest.fixture
def diary() -> list[Any]:
    return []


@pytest.fixture
def alone(
    diary: list[Any],
    clock: VirtualClock,
    events: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Mains:
    """A meter without a network that writes down what it goes through."""
    device = Device(load("laboratory"), 1, client_titles=client_titles())

    def noted(name: str) -> Callable[..., None]:
        method = getattr(device, name)

        def call(*given: Any) -> None:
            diary.append((name, *given))
            method(*given)

        return call

    for name in ("advance", "power_lost", "power_restored", "tampered"):
        monkeypatch.setattr(device, name, noted(name))
    host = Host(device, lambda op: None, clock.now, events, memory=Written(diary))
    mains = Mains(host, lambda _: diary.append("look again"))
    mains.lead_to(Outlet(diary))
    host.awake()
    diary.clear()
    return mains


def test_what_is_done_when_mains_go_and_come_back(
    alone: Mains, diary: list[Any], clock: VirtualClock
) -> None:
    lost = clock.now()
    alone.cut()
    assert diary == [("advance", lost), ("power_lost", lost), "commit", "pause", "look again"]
    assert not alone.are_on
    diary.clear()
    clock.advance(HOUR)
    alone.restore()
    now = lost + HOUR
    assert diary == [
        "recall", ("power_restored", now), ("advance", now), "commit", "resume", "look again",
    ]  # fmt: skip
    assert alone.are_on
    diary.clear()
    alone.restore()
    assert diary == []


def test_what_is_done_in_a_reboot(alone: Mains, diary: list[Any], clock: VirtualClock) -> None:
    alone.reboot()
    assert diary == [
        ("advance", clock.now()), "commit", "pause", "recall", "resume", "look again",
    ]  # fmt: skip
    alone.cut()
    diary.clear()
    alone.reboot()
    assert diary == []


def test_what_it_was_about_to_say_is_gone(alone: Mains) -> None:
    outbox = alone.host.device.outbox
    for act in (alone.cut, alone.reboot):
        outbox.announce(CLOCK)
        outbox.reply(None)  # type: ignore[arg-type]
        alone.restore() if act == alone.reboot else None
        outbox.announce(CLOCK)
        act()
        assert outbox.take_announcements() == ()
        assert outbox.take_replies() == ()


def test_without_mains_nothing_is_due_but_their_return(
    alone: Mains, clock: VirtualClock, diary: list[Any]
) -> None:
    assert alone.due() == alone.host.device.due()
    assert alone.due() is not None
    alone.cut()
    assert alone.due() is None
    assert alone.back is None
    alone.cut(clock.now() + HOUR)
    assert alone.due() == alone.back == clock.now() + HOUR
    assert diary.count(("power_lost", clock.now())) == 1
    diary.clear()
    alone.live(clock.now() + HOUR - SECOND)
    assert diary == []
    alone.live(clock.now() + DAY)
    assert ("power_restored", clock.now() + HOUR) in diary
    assert ("advance", clock.now() + HOUR) in diary
    assert alone.back is None
    assert alone.due() == alone.host.device.due()


def test_on_before_the_end_of_a_cut(alone: Mains, clock: VirtualClock) -> None:
    alone.cut(clock.now() + HOUR)
    alone.restore()
    assert (alone.are_on, alone.back) == (True, None)


def test_the_device_knows_of_it(alone: Mains, clock: VirtualClock, events: Any) -> None:
    alone.cut()
    assert POWERLESS in alone.host.device.state.figures
    clock.advance(HOUR)
    alone.restore()
    assert POWERLESS not in alone.host.device.state.figures
    assert [event.kind for event in events.of("power-lost", "power-restored")] == [
        "power-lost",
        "power-restored",
    ]
    told = " ".join(event.text for event in events.of("happening"))
    assert f"{Happening.LONG_SUPPLY_OUTAGE_RESTORED:04X}" in told or (
        f"{Happening.SUPPLY_OUTAGE_RESTORED:04X}" in told
    )


@pytest.mark.parametrize("kind", Tamper)
def test_tampering(
    kind: Tamper, alone: Mains, diary: list[Any], clock: VirtualClock, events: Any
) -> None:
    alone.tamper(kind)
    now = clock.now()
    assert diary == [("advance", now), ("tampered", kind, now), "commit", "look again"]
    assert [event.text.split()[0] for event in events.of("happening")][-1] == f"{kind.value:04X}"


def test_connections_are_those_of_all_ways(alone: Mains, diary: list[Any]) -> None:
    alone.lead_to(Outlet(diary))
    assert alone.connections == 6


# In a sandbox -----------------------------------------------------------------------------------


async def test_a_cut_ends_at_its_moment_in_the_middle_of_a_step(
    sandbox: Sandbox, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = sandbox.meters["itron"]
    begin = clock.now()
    lived: list[dt.datetime] = []
    restored: list[dt.datetime] = []
    advance, power_restored = meter.device.advance, meter.device.power_restored

    def advanced(now: dt.datetime) -> None:
        lived.append(now)
        advance(now)

    def restore(now: dt.datetime) -> None:
        restored.append(now)
        power_restored(now)

    monkeypatch.setattr(meter.device, "advance", advanced)
    monkeypatch.setattr(meter.device, "power_restored", restore)
    meter.mains.cut(begin + 5 * HOUR)
    await sandbox.living.advance(begin + DAY)
    assert restored == [begin + 5 * HOUR]
    assert not [moment for moment in lived if begin < moment < begin + 5 * HOUR]
    assert [moment for moment in lived if moment > begin + 5 * HOUR]
    assert meter.mains.are_on


async def test_a_meter_whose_host_ended_in_an_outage_has_mains_again(
    run_meter: Any, clock: VirtualClock, fleet_secret: bytes, tmp_path: Path
) -> None:
    KeptMemories.create(tmp_path, fleet_secret)
    with KeptMemories(tmp_path, fleet_secret) as memories:
        async with run_meter("secure", memories=memories) as running:
            running.mains.cut()
    clock.advance(HOUR)
    with KeptMemories(tmp_path, fleet_secret) as memories:
        assert (
            POWERLESS in memories.load(running.device.title, "secure", lambda ref: 0).state.figures
        )
        async with run_meter("secure", memories=memories) as running:
            assert running.mains.are_on
            assert POWERLESS not in running.device.state.figures


async def test_what_was_not_committed_is_gone_when_mains_come_back(
    run_meter: Any, fleet_secret: bytes, tmp_path: Path
) -> None:
    KeptMemories.create(tmp_path, fleet_secret)
    with KeptMemories(tmp_path, fleet_secret) as memories:
        async with run_meter("secure", memories=memories) as running:
            running.mains.cut()
            figures = running.device.state.figures
            figures["not kept"] = 1
            running.mains.restore()
            assert "not kept" not in running.device.state.figures
            assert POWERLESS not in running.device.state.figures


async def test_a_request_that_makes_something_due_is_noticed(
    sandbox: Sandbox, clock: VirtualClock, route_to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = sandbox.meters["secure"]
    earlier = clock.now() + SECOND
    assert sandbox.living.next() != earlier
    monkeypatch.setattr(meter.device, "due", lambda: earlier)
    assert await reads(route_to(meter, "tcp"))
    assert sandbox.living.next() == earlier


async def test_a_sandbox_ends_with_the_task_that_lives(sandbox: Sandbox) -> None:
    tasks = {task for task in asyncio.all_tasks() if "Living.run" in repr(task)}
    assert len(tasks) == 1
    await sandbox.__aexit__(None, None, None)
    assert all(task.done() for task in tasks)
    assert sandbox.living.next() is None
