"""What a meter says unasked, from the meter to the caller: both drivers, by every way."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from devices.outbox import Changed, Pushed
from dlms.axdr.data import enum
from dlms.cosem import obis
from dlms.cosem.quantity import Quantity
from dlms.cosem.security_setup import Policy
from dlms.cosem.units import Unit
from dlms.security.control import Protection
from dlms.security.keys import KeyKind
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.client import (
    AssociationLost,
    Keys,
    MeterFault,
    NothingSaid,
)
from emulator.client.options import OFFERED
from emulator.head_end.party import TITLES
from emulator.meter_address import Way
from emulator.policy import Actor
from emulator.sandbox import RunningMeter
from emulator.serving.connection import MeterConnection

pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
WAYS = ["tcp", "tls", "udp", "hdlc", "line", "optical"]
DRIVERS = ["asyncio", "blocking"]
SETUP, OLD = "0-0:25.9.0.255", "0-1:25.9.0.255"
READING = AttributeDescriptor(3, obis.parse("1-0:1.8.0"), 2)
SUPPLY = "0-0:96.3.10.255"


@pytest.fixture
async def meter(run_meter: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter("laboratory", ways=Way) as meter:
        yield meter


@pytest.fixture
def how(meter: RunningMeter, ring: Any) -> Callable[..., dict[str, Any]]:
    """How a client associates: as the DCO, ciphered, or as the reader, with a password."""

    def say(who: str, **changes: Any) -> dict[str, Any]:
        key = meter.device.key
        if who == "reader":
            keys = Keys(password=ring.get(key("reader", KeyKind.LLS_SECRET)))
            return {"client_sap": 3, "mechanism": "lls", "keys": keys, **changes}
        keys = Keys(guek=ring.get(key("dco", KeyKind.GUEK)), gak=ring.get(key("dco", KeyKind.GAK)))
        return {
            "client_sap": 1,
            "mechanism": "hls-gmac",
            "keys": keys,
            "own_title": TITLES[Actor.DCO],
            "counter_from": "0-0:43.1.2.255",
            **changes,
        }

    return say


@pytest.fixture
def associate(
    meter: RunningMeter, route_to: Callable[..., Any], associated: Callable[..., Any]
) -> Callable[..., Any]:
    """``async with associate(driver, way, **how) as a``: whatever the driver, calls are awaited."""
    row = meter.device.profile.objects[obis.parse("0-0:22.0.0")]
    physical: Any = meter.device.value(row, 9)

    def start(driver: str, way: str = "tcp", **how: Any) -> Any:
        route = route_to(meter, way, actor=Actor.DCO, physical=physical.value)
        return associated(driver, route, **how)

    return start


def energy(meter: RunningMeter, moment: dt.datetime) -> Quantity:
    row = meter.device.profile.objects[READING.instance]
    reader = meter.device.profile.associations["reader"]
    value: Any = meter.device.attribute(row, 2, reader, moment)
    return Quantity(Decimal(value.value), Unit.WATT_HOUR)


@pytest.mark.parametrize("who", ["dco", "reader"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_push_and_an_event(
    driver: str, way: str, who: str, associate: Any, how: Any, meter: RunningMeter, clock: Any
) -> None:
    """Asked for behind a response, announced without a request; answers between are answers."""
    async with associate(driver, way, **how(who)) as a:
        await a.invoke(SETUP, "push")
        assert await a.get("active_energy_import") == energy(meter, clock.now())
        push = await a.notification(PATIENCE)
        assert (push.kind, push.client_sap, push.server_sap) == (
            "data-notification",
            how(who)["client_sap"],
            1,
        )
        assert push.time.to_datetime() == clock.now()
        assert push.invoke_id == 1
        assert push.values["push_setup.logical_name"] == SETUP
        assert push.values["clock"].to_datetime() == clock.now()
        assert push.values["active_energy_import"] == energy(meter, clock.now())
        assert push.values["active_energy_import.scaler_unit[2]"] == Unit.WATT_HOUR
        assert len(push.values) == 5
        assert meter.audience.tell(Changed(READING)) == 1
        event = await a.notification(PATIENCE)
        assert (event.kind, event.invoke_id) == ("event-notification", None)
        assert event.time.to_datetime() == clock.now()
        assert event.values == {"active_energy_import": energy(meter, clock.now())}
        assert (await a.get("clock")).to_datetime() == clock.now()


@pytest.mark.parametrize("driver", DRIVERS)
async def test_one_after_the_other(driver: str, associate: Any, how: Any) -> None:
    """In their order, until none comes; then the association is as good as before."""
    async with associate(driver, **how("dco")) as a:
        for _ in range(3):
            await a.invoke(OLD, "push")
        got = [notice async for notice in a.notifications(0.05, setup=OLD)]
        assert [notice.invoke_id for notice in got] == [1, 2, 3]
        assert all(notice.values.keys() == {"clock", "active_energy_import"} for notice in got)
        with pytest.raises(NothingSaid):
            await a.notification(0.0)
        assert await a.get("clock")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_push_without_names(driver: str, associate: Any, how: Any, clock: Any) -> None:
    """Of a Push setup that does not say its name, and that nobody says."""
    async with associate(driver, **how("reader")) as a:
        await a.invoke(OLD, "push")
        push = await a.notification(PATIENCE)
        assert isinstance(push.values, list)
        assert [type(value) for value in push.values] == [bytes, int]
        await a.invoke(OLD, "push")
        with pytest.raises(MeterFault, match="5 elements, 2 were pushed"):
            await a.notification(PATIENCE, setup=SETUP)


async def test_waiting_while_others_ask(associate: Any, how: Any, meter: RunningMeter) -> None:
    """Who awaits news holds nobody up."""
    async with associate("asyncio", **how("dco")) as a:
        waiting = [asyncio.create_task(a.notification(PATIENCE)) for _ in range(2)]
        for _ in range(3):
            assert await a.get("clock")
        assert not any(task.done() for task in waiting)
        await a.invoke(SETUP, "push")
        meter.audience.tell(Changed(READING))
        got = await asyncio.gather(*waiting)
        assert {notice.kind for notice in got} == {"data-notification", "event-notification"}


async def test_to_wait_in_vain_loses_nothing(associate: Any, how: Any, meter: RunningMeter) -> None:
    async with associate("asyncio", **how("dco")) as a:
        task = asyncio.create_task(a.notification())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await a.get("clock")
        meter.audience.tell(Changed(READING))
        assert (await a.notification(PATIENCE)).kind == "event-notification"


@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_meter_hangs_up_on_who_waits(
    driver: str, associate: Any, how: Any, meter: RunningMeter
) -> None:
    async with associate(driver, **how("reader")) as a:
        waiting = asyncio.create_task(a.notification(PATIENCE))
        await asyncio.sleep(0)
        for member in tuple(meter.audience._members):
            if isinstance(member, MeterConnection) and member._transport is not None:
                member._transport.abort()
        with pytest.raises(AssociationLost, match="await a notification"):
            await waiting


# Who is told --------------------------------------------------------------------------------------


async def test_everybody_who_may_know(associate: Any, how: Any, meter: RunningMeter) -> None:
    """On all connections, and nobody who has not negotiated it, or sees no such object."""
    quiet = how("reader", conformance=OFFERED & ~Conformance.EVENT_NOTIFICATION)
    async with (
        associate("asyncio", "tcp", **how("dco")) as one,
        associate("asyncio", "udp", **how("reader")) as two,
        associate("asyncio", "tcp", client_sap=16) as nobody,
        associate("asyncio", "tcp", **quiet) as deaf,
    ):
        assert meter.audience.tell(Changed(READING)) == 2
        for a in (one, two):
            assert (await a.notification(PATIENCE)).kind == "event-notification"
        assert meter.audience.tell(Pushed(obis.parse(SETUP))) == 3
        for a in (one, two, deaf):
            assert (await a.notification(PATIENCE)).kind == "data-notification"
        with pytest.raises(NothingSaid):
            await nobody.notification(0.0)
    assert meter.audience.tell(Changed(READING)) == 0


@pytest.mark.parametrize("way", ["tcp", "udp", "hdlc"])
async def test_what_one_does_others_learn(
    way: str, associate: Any, how: Any, meter: RunningMeter
) -> None:
    """The DCO arms the supply: it gets its answer first, then both are told."""
    meter.device.profile.objects[obis.parse(SUPPLY)].rights["reader"] = (
        meter.device.profile.objects[obis.parse(SUPPLY)].rights["s1sp"]
    )
    try:
        async with (
            associate("asyncio", "udp", **how("reader")) as watcher,
            associate("asyncio", way, **how("dco")) as a,
        ):
            await a.invoke("disconnect_control", "remote_reconnect")
            for told in (await a.notification(PATIENCE), await watcher.notification(PATIENCE)):
                assert {name: str(value) for name, value in told.values.items()} == {
                    "disconnect_control.control_state": "ready for reconnection"
                }
            await a.invoke("disconnect_control", "remote_reconnect")
            with pytest.raises(NothingSaid):
                await a.notification(0.0)
    finally:
        del meter.device.profile.objects[obis.parse(SUPPLY)].rights["reader"]


async def test_what_was_not_negotiated_is_not_told(
    associate: Any, how: Any, events: Any, meter: RunningMeter
) -> None:
    """Method push succeeds: it has pushed, and this client does not take it."""
    how_quiet = how("dco", conformance=OFFERED & ~Conformance.DATA_NOTIFICATION)
    async with associate("asyncio", **how_quiet) as a:
        await a.invoke(SETUP, "push")
        assert await a.get("clock")
        (event,) = await events.wait("not-told")
        assert event.text == "DataNotification: this notification was not negotiated"
        with pytest.raises(NothingSaid):
            await a.notification(0.0)


async def test_what_does_not_fit_is_not_told(
    associate: Any, how: Any, events: Any, meter: RunningMeter
) -> None:
    """Without general blocks; with them it comes in pieces that nobody acknowledges."""
    without = OFFERED & ~Conformance.GENERAL_BLOCK_TRANSFER
    async with associate("asyncio", **how("dco", max_pdu_size=100, conformance=without)) as a:
        await a.invoke(SETUP, "push")
        (event,) = await events.wait("not-told")
        assert "is too long" in event.text
        await a.invoke(OLD, "push")
        assert await a.notification(PATIENCE)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_what_does_not_fit_is_told_in_general_blocks(
    associate: Any, how: Any, driver: str, meter: RunningMeter
) -> None:
    async with associate(driver, **how("dco", max_pdu_size=64)) as a:
        await a.invoke(SETUP, "push")
        pushed = await a.notification(PATIENCE)
        assert len(pushed.values) > 1
        await a.get("0-0:1.0.0.255")
        meter.audience.tell(Pushed(obis.parse(SETUP)))
        assert (await a.notification(PATIENCE)).values.keys() == pushed.values.keys()


async def test_a_new_policy_protects_at_once(associate: Any, how: Any, meter: RunningMeter) -> None:
    """Announced right after somebody has changed the policy: and this client wants more."""
    async with associate("asyncio", **how("dco")) as a:
        state = meter.device.state
        meter.audience.tell(Changed(READING))
        assert await a.notification(PATIENCE)
        state.policies["dco"] = Policy(Protection.AUTHENTICATED, Protection.AUTHENTICATED)
        state.security_revision += 1
        meter.audience.tell(Changed(READING))
        with pytest.raises(MeterFault, match="await a notification"):
            await a.notification(PATIENCE)
        with pytest.raises(AssociationLost):
            await a.notification(PATIENCE)


@pytest.mark.parametrize("way", ["tcp", "udp", "hdlc"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_short_names(
    driver: str, way: str, associate: Any, ring: Any, meter: RunningMeter, clock: Any
) -> None:
    """An InformationReport says short names, and needs nothing to be read."""
    conformance = Conformance.INFORMATION_REPORT | Conformance.MULTIPLE_REFERENCES
    keys = Keys(password=ring.get(meter.device.key("sn", KeyKind.LLS_SECRET)))
    how = {"client_sap": 30, "mechanism": "lls", "keys": keys, "short_names": True}
    async with associate(driver, way, conformance=conformance, **how) as a:
        assert meter.audience.tell(Changed(READING)) == 1
        report = await a.notification(PATIENCE)
        base = meter.device.profile.short_names.bases[READING.instance]
        assert (report.kind, report.time) == ("information-report", None)
        assert report.values == {f"0x{base + 8:04X}": int(energy(meter, clock.now()).value)}
        meter.audience.tell(Pushed(obis.parse(OLD)))
        assert len((await a.notification(PATIENCE)).values) == 2


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("driver", DRIVERS)
async def test_what_asks_for_confirmation_is_confirmed(
    driver: str, way: str, associate: Any, how: Any, meter: RunningMeter, events: Any
) -> None:
    """By every way; and the association goes on."""
    row = meter.device.profile.objects[obis.parse(SETUP)]
    meter.device.store(row, 11, enum(2))
    async with associate(driver, way, **how("dco")) as a:
        await a.invoke(SETUP, "push")
        assert await a.get("active_energy_import")
        push = await a.notification(PATIENCE)
        assert (push.invoke_id, push.raw.confirmed) == (1, True)
        await events.wait("confirmed")
        assert await a.get("active_energy_import")
    assert [event.text for event in events.of("confirmed")] == ["notification 40000001"]
