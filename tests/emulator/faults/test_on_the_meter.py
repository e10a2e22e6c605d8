"""Faults of the meter itself, as clients see them: busy, keys, clock, mains, certificate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from devices.alert_codes import Happening
from dlms.association.events import AssociationOpened, AuthenticationPending
from dlms.axdr.data import Data
from dlms.errors import DlmsError
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind, KeyLifetime, KeyRef
from dlms.xdlms.access import AccessAction, AccessGet, AccessRequest, AccessSet
from dlms.xdlms.action import ActionRequest, ActionRequestWithList
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import GetRequest, GetRequestWithList
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.set import SetRequest, SetRequestWithList
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest
from emulator.client import AssociationLost, Refused, connect
from emulator.control import ControlError, ControlRefused
from emulator.faults.kinds.answers import refusal
from emulator.sandbox import RunningMeter
from tls.events import HandshakeError

pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
WAYS = pytest.mark.parametrize("way", ["tcp", "udp", "hdlc"])
CLOCK_TIME = AttributeDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2)
SHIFT = MethodDescriptor(8, bytes((0, 0, 1, 0, 0, 255)), 6)
Speak = Callable[..., Awaitable[Any]]


def texts(events: Any) -> list[str]:
    return [event.text for event in events.of("fault")]


async def opens(speaker: Any) -> bool:
    try:
        return isinstance(await speaker.begin(), AssociationOpened | AuthenticationPending)
    except DlmsError:
        return False


# Busy -------------------------------------------------------------------------------------------


@WAYS
async def test_a_busy_meter_answers_with_an_exception(
    way: str, meter: RunningMeter, route_to: Any, associated: Any
) -> None:
    async with associated("asyncio", route_to(meter, way)) as a:
        assert await a.get("logical_device_name")  # by now the client knows how to ask for it
        fault = meter.faults.set("overloaded", {}, count=2)
        for _ in range(2):
            with pytest.raises(Refused, match=r"operation-not-possible"):
                await a.get("logical_device_name")
        assert fault.is_over
        assert await a.get("logical_device_name")


async def test_a_busy_meter_still_associates(
    meter: RunningMeter, route_to: Any, associated: Any
) -> None:
    meter.faults.set("busy", {})
    async with associated("asyncio", route_to(meter, "tcp")):
        pass


@pytest.mark.parametrize(
    ("how", "result"),
    [
        ("temporary-failure", DataAccessResult.TEMPORARY_FAILURE),
        ("hardware-fault", DataAccessResult.HARDWARE_FAULT),
        ("other-reason", DataAccessResult.OTHER_REASON),
    ],
)
async def test_a_busy_meter_answers_with_a_result(
    how: str, result: DataAccessResult, meter: RunningMeter, speak: Speak, events: Any
) -> None:
    one = await (await speak("plain", "itron", "s1sp")).open()
    other = await (await speak("plain", "itron", "public")).open()
    fault = meter.faults.set("busy", {"how": how, "association": "s1sp"})
    assert await one.get() is result
    assert isinstance(await other.get(), Data)
    meter.faults.clear(fault.id)
    assert isinstance(await one.get(), Data)
    assert texts(events)[1] == f"f1 busy: GetRequest answered with {how}"


async def test_each_fault_is_for_its_own_association(meter: RunningMeter, speak: Speak) -> None:
    one = await (await speak("plain", "itron", "s1sp")).open()
    other = await (await speak("plain", "itron", "public")).open()
    meter.faults.set("busy", {"how": "other-reason", "association": "s1sp"})
    meter.faults.set("busy", {"how": "hardware-fault"})
    assert await one.get() is DataAccessResult.OTHER_REASON
    assert await other.get() is DataAccessResult.HARDWARE_FAULT


DATA, DONE = DataAccessResult.TEMPORARY_FAILURE, ActionResult.TEMPORARY_FAILURE


@pytest.mark.parametrize(
    "request_",
    [
        GetRequest(1, CLOCK_TIME),
        GetRequestWithList(1, ((CLOCK_TIME, None),) * 2),
        SetRequest(1, CLOCK_TIME, None),  # type: ignore[arg-type]
        SetRequestWithList(1, ((CLOCK_TIME, None),) * 2, (None, None)),  # type: ignore[arg-type]
        ActionRequest(1, SHIFT),
        ActionRequestWithList(1, (SHIFT,) * 2, (None, None)),  # type: ignore[arg-type]
        ReadRequest((1, 2)),  # type: ignore[arg-type]
        WriteRequest((1, 2), ()),  # type: ignore[arg-type]
        AccessRequest(
            1,
            (
                AccessGet(attribute=CLOCK_TIME),
                AccessSet(attribute=CLOCK_TIME),
                AccessAction(method=SHIFT),
            ),
            (),
        ),
    ],
    ids=lambda request: type(request).__name__,
)
def test_every_service_is_refused_item_by_item(request_: Any) -> None:
    response: Any = refusal(request_, DATA, DONE)
    assert type(response).__name__ == type(request_).__name__.replace("Request", "Response")
    assert response.encode()
    results = getattr(response, "results", None)
    if results is None:
        assert response.result in (DATA, DONE)
        return
    items = next(
        getattr(request_, name)
        for name in ("items", "methods", "specifications")
        if hasattr(request_, name)
    )
    assert len(results) == len(items)
    assert {getattr(one, "result", one) for one in results} <= {DATA, DONE}


def test_what_has_no_response_is_not_refused() -> None:
    assert refusal(UnconfirmedWriteRequest((), ()), DATA, DONE) is None


# Keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["guek", "gak", "both"])
async def test_a_wrong_key(key: str, meter: RunningMeter, speak: Speak) -> None:
    fault = meter.faults.set("wrong-key", {"key": key, "association": "s1sp"})
    wrong = await speak("plain", "itron", "s1sp")
    assert not await opens(wrong)
    dco = await (await speak("plain", "itron", "dco")).open()
    assert isinstance(await dco.get(), Data)
    meter.faults.clear(fault.id)
    right = await (await speak("plain", "itron", "s1sp")).open()
    assert isinstance(await right.get(), Data)


async def test_a_wrong_key_in_an_association_that_stands(meter: RunningMeter, speak: Speak) -> None:
    one = await (await speak("plain", "itron", "dco")).open()
    meter.faults.set("wrong-authentication-key", {})
    answer = await one.peer.exchange(one.sealed(GetRequest(one.next_invoke(), CLOCK_TIME)))
    assert answer[:1] == b"\xd8"


async def test_a_key_that_nobody_has_leaves_nothing_behind(
    meter: RunningMeter, speak: Speak
) -> None:
    rows = meter.device.state.counters.snapshot()
    association = meter.device.profile.associations["s1sp"]
    right = meter.device.keys(association)
    fault = meter.faults.set("lost-rotation", {})
    wrong = meter.device.keys(association)
    assert wrong.gak == right.gak
    assert isinstance(wrong.guek, KeyRef)
    assert wrong.guek.lifetime is KeyLifetime.SINGLE_ASSOCIATION
    ring = fault.reach.ring
    assert wrong.guek in ring.refs
    assert wrong.guek not in ring.lasting
    meter.faults.clear(fault.id)
    assert wrong.guek not in ring.refs
    assert meter.device.keys(association) == right
    assert meter.device.state.counters.snapshot() == rows


async def test_two_wrong_keys_end_one_by_one(meter: RunningMeter) -> None:
    association = meter.device.profile.associations["s1sp"]
    right = meter.device.keys(association)
    first = meter.faults.set("lost-rotation", {})
    of_first = meter.device.keys(association).guek
    second = meter.faults.set("wrong-key", {"association": "s1sp"})
    of_second = meter.device.keys(association).guek
    assert len({right.guek, of_first, of_second}) == 3
    meter.faults.clear(first.id)
    assert meter.device.keys(association).guek == of_second
    meter.faults.clear(second.id)
    assert meter.device.keys(association) == right


async def test_the_first_key_again(meter: RunningMeter) -> None:
    with pytest.raises(ControlRefused, match=r"GUEK of .* is the one that the meter was made with"):
        meter.faults.set("restored-keys", {"association": "s1sp"})
    assert not meter.faults.active
    slot = "s1sp", KeyKind.GUEK
    meter.device.state.key_versions[slot] = 3
    fault = meter.faults.set("restored-keys", {"association": "s1sp"})
    association = meter.device.profile.associations["s1sp"]
    assert meter.device.keys(association).guek == KeyRef(meter.device.title, *slot)
    meter.faults.clear(fault.id)
    assert meter.device.keys(association).guek == KeyRef(meter.device.title, *slot, version=3)


@pytest.mark.parametrize("kind", ["wrong-key", "counter-jump"])
async def test_an_association_without_keys(kind: str, meter: RunningMeter) -> None:
    with pytest.raises(ControlError) as caught:
        meter.faults.set(kind, {"association": "public"})
    assert caught.value.code == "bad-argument"
    assert caught.value.text.startswith("association is one with ciphering (")
    assert caught.value.text.endswith("), not 'public'")


# Counters ---------------------------------------------------------------------------------------


async def test_a_send_counter_jumps(meter: RunningMeter, speak: Speak) -> None:
    key = meter.device.key("s1sp", KeyKind.GUEK)
    counters = meter.device.state.counters
    other = counters.next_to_send(meter.device.key("dco", KeyKind.GUEK))
    before = counters.next_to_send(key)
    fault = meter.faults.set("counter-ahead", {"association": "s1sp"})
    assert fault.is_over
    assert counters.next_to_send(key) == before + 1_000_000
    assert counters.next_to_send(meter.device.key("dco", KeyKind.GUEK)) == other
    assert isinstance(await (await (await speak("plain", "itron", "s1sp")).open()).get(), Data)


async def test_a_floor_jumps(meter: RunningMeter, speak: Speak) -> None:
    keys = [meter.device.key(name, KeyKind.GUEK) for name in ("s1sp", "dco")]
    counters = meter.device.state.counters
    before = [counters.floor(key) for key in keys]
    meter.faults.set("floor-ahead", {"by": 7})
    assert [counters.floor(key) for key in keys] == [floor + 7 for floor in before]
    stale = InvocationCounters()
    stale.raise_to(keys[0], before[0] + 6)
    one = await speak("plain", "itron", "s1sp", counters=stale)
    assert not await opens(one)
    two = await (await speak("plain", "itron", "s1sp")).open()
    assert isinstance(await two.get(), Data)


async def test_a_counter_jumps_to_its_end_at_most(meter: RunningMeter) -> None:
    key = meter.device.key("s1sp", KeyKind.GUEK)
    meter.faults.set("counter-jump", {"by": 0xFFFFFFFF})
    meter.faults.set("counter-jump", {"by": 0xFFFFFFFF})
    assert meter.device.state.counters.next_to_send(key) == 0xFFFFFFFF
    for _ in range(2):
        meter.faults.set("counter-jump", {"by": 0xFFFFFFFF, "counter": "floor"})
    assert meter.device.state.counters.floor(key) == 0xFFFFFFFF


# Clock ------------------------------------------------------------------------------------------


async def test_the_clock_jumps(
    meter: RunningMeter, route_to: Any, associated: Any, clock: Any
) -> None:
    async with associated("asyncio", route_to(meter, "tcp")) as a:
        meter.faults.set("clock-ahead", {"seconds": -90.5})
        assert (await a.get("clock")).to_datetime() == clock.now() - dt.timedelta(seconds=90.5)
        meter.faults.set("clock-ahead", {})
        meter.faults.clear_all()
        shown = (await a.get("clock")).to_datetime()
        assert shown == clock.now() + dt.timedelta(seconds=3600 - 90.5)


@pytest.mark.parametrize("ppm", [500, -500])
async def test_the_clock_drifts(
    ppm: int, meter: RunningMeter, route_to: Any, associated: Any, clock: Any
) -> None:
    async with associated("asyncio", route_to(meter, "hdlc")) as a:

        async def off() -> float:
            return ((await a.get("clock")).to_datetime() - clock.now()).total_seconds()

        fault = meter.faults.set("clock-drift", {"ppm": ppm})
        sign = 1 if ppm > 0 else -1
        assert await off() == 0
        clock.advance(dt.timedelta(seconds=1999))
        assert await off() == 0
        clock.advance(dt.timedelta(seconds=1))
        assert await off() == sign
        clock.advance(dt.timedelta(seconds=4000))
        assert await off() == 3 * sign
        clock.advance(dt.timedelta(seconds=2000))
        meter.faults.clear(fault.id)
        assert await off() == 4 * sign
        clock.advance(dt.timedelta(days=1))
        assert await off() == 4 * sign


async def test_a_drift_goes_on_while_nobody_asks(run_meter: Any, clock: Any, events: Any) -> None:
    async with run_meter("itron") as meter:
        meter.faults.set("fast-clock", {})
        clock.advance(dt.timedelta(hours=6))
        await events.wait("fault", 2)
        assert meter.device.state.clock_offset == dt.timedelta(seconds=10)
    assert texts(events)[-1] == "f1 fast-clock: over, the sandbox ends"


# Mains, tampering -------------------------------------------------------------------------------


async def test_a_reboot(meter: RunningMeter, speak: Speak, events: Any) -> None:
    one = await (await speak("plain", "itron", "public")).open()
    fault = meter.faults.set("restart", {})
    assert fault.is_over
    assert events.of("rebooted")
    await one.peer.closed()
    assert texts(events) == ["f1 restart: done, off=0.0"]
    assert isinstance(await (await (await speak("plain", "itron", "public")).open()).get(), Data)


async def test_an_outage(meter: RunningMeter, events: Any, clock: Any, speak: Speak) -> None:
    meter.faults.set("outage", {})
    assert meter.mains.back == clock.now() + dt.timedelta(minutes=5)
    with pytest.raises(ControlRefused, match="itron has no mains"):
        meter.faults.set("restart", {})
    assert texts(events) == ["f1 outage: done, off=300.0"]
    clock.advance(dt.timedelta(minutes=5))
    await events.wait("power-restored")
    assert isinstance(await (await (await speak("plain", "itron", "public")).open()).get(), Data)


async def test_a_fault_outlives_a_reboot(
    meter: RunningMeter, route_to: Any, associated: Any
) -> None:
    meter.faults.set("not-now", {})
    meter.mains.reboot()
    async with associated("asyncio", route_to(meter, "tcp")) as a:
        with pytest.raises(Refused, match="temporary-failure"):
            await a.get("clock")


async def test_tampering(meter: RunningMeter, events: Any) -> None:
    meter.faults.set("magnet", {})
    happened = [event.text for event in events.of("happening")]
    assert any(text.startswith(f"{Happening.TAMPER_MAGNET:04X} ") for text in happened)


# Certificates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("expired-certificate", "expired"),
        ("early-certificate", "not yet valid"),
        ("unknown-authority", "issuer|authority|self"),
        ("other-meter", "title|another|other"),
    ],
)
async def test_a_certificate_that_nobody_should_accept(
    name: str, why: str, meter: RunningMeter, route_to: Any, associated: Any
) -> None:
    host, port, more = route_to(meter, "tls")
    async with associated("asyncio", (host, port, more)) as before:
        fault = meter.faults.set(name, {})
        assert fault.ways == ("tls",)
        with pytest.raises(HandshakeError, match=why):
            async with connect(host, port, timeout=PATIENCE, **more):
                pass
        assert await before.get("clock")  # who was connected goes on
        meter.faults.clear(fault.id)
        async with associated("asyncio", (host, port, more)) as after:
            assert await after.get("clock")


async def test_the_last_certificate_is_shown(meter: RunningMeter) -> None:
    presented = meter.faults.set("expired-certificate", {}).reach.presented
    first = presented.context()
    second = meter.faults.set("other-meter", {})
    assert presented.context() is not first
    meter.faults.clear("f2")
    assert second.is_over
    assert presented.context() is first


async def test_a_meter_with_a_memory_keeps_nothing_of_a_wrong_key(
    run_meter: Any, fleet_secret: bytes, tmp_path: Path, speak: Speak
) -> None:
    from emulator.memory.kept_memories import KeptMemories

    KeptMemories.create(tmp_path, fleet_secret)
    with KeptMemories(tmp_path, fleet_secret) as memories:
        async with run_meter("itron", memories=memories) as meter:
            host = meter.mains.host
            host.memory.commit()
            meter.faults.set("wrong-key", {"key": "both"})
            association = meter.device.profile.associations["s1sp"]
            key = meter.device.keys(association).guek
            assert isinstance(key, KeyRef)
            assert meter.device.state.counters.burn(key) == 0
            host.memory.commit()
            assert not any("EPHEMERAL" in name for name in memories.journal.names(""))


async def test_the_client_is_told_that_the_association_is_lost_by_a_reboot(
    meter: RunningMeter, route_to: Any, associated: Any
) -> None:
    async with associated("asyncio", route_to(meter, "tcp")) as a:
        meter.faults.set("reboot", {})
        with pytest.raises(AssociationLost):
            await a.get("clock")
