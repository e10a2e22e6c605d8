"""The client against meters of the sandbox: both drivers, by every way."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from devices.profile import load
from dlms.acse.names import Mechanism
from dlms.association.config import AssociationKeys
from dlms.axdr.data import DataType, double_long
from dlms.cosem import obis
from dlms.cosem.quantity import Quantity
from dlms.cosem.units import Unit
from dlms.framing.hdlc.parameters import Parameters
from dlms.security.control import Protection
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from emulator.client import (
    AssociationLost,
    Hdlc,
    Keys,
    NotAssociated,
    Refused,
    connect,
    connect_blocking,
)
from emulator.counter_file import CounterFile, FiledCounters
from emulator.head_end.party import TITLES
from emulator.meter_address import Way
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.sandbox import RunningMeter
from emulator.serving.lines import DEVICE_ADDRESS
from tls.contexts import client_context
from tls.identity import exactly

pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
WAYS = ["tcp", "tls", "udp", "hdlc", "line", "optical"]
DRIVERS = ["asyncio", "blocking"]
S1SP = TITLES[Actor.S1SP]
COUNTER = "0-0:43.1.1.255"


@pytest.fixture
async def meter(run_meter: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter("itron", ways=Way) as meter:
        yield meter


Associate = Callable[..., Any]


@pytest.fixture
def associate(
    meter: RunningMeter, route_to: Callable[..., Any], associated: Associate
) -> Associate:
    """``async with associate(driver, way, **how) as a``: whatever the driver, calls are awaited."""

    def start(driver: str, way: str = "tcp", **how: Any) -> Any:
        return associated(driver, route_to(meter, way), **how)

    return start


@pytest.fixture
def s1sp(meter: RunningMeter, ring: Any) -> dict[str, Any]:
    """How the S1SP associates."""
    keys = Keys(
        guek=ring.get(meter.device.key("s1sp", KeyKind.GUEK)),
        gak=ring.get(meter.device.key("s1sp", KeyKind.GAK)),
    )
    return {
        "client_sap": 2,
        "mechanism": "hls-gmac",
        "keys": keys,
        "own_title": S1SP,
        "counter_from": COUNTER,
    }


def energy(meter: RunningMeter, moment: dt.datetime) -> Quantity:
    row = meter.device.profile.objects[bytes((1, 0, 1, 8, 0, 255))]
    association = meter.device.profile.associations["s1sp"]
    value = meter.device.attribute(row, 2, association, moment)
    return Quantity(Decimal(value.value), Unit.WATT_HOUR)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("driver", DRIVERS)
async def test_public_client(
    driver: str, way: str, associate: Associate, meter: RunningMeter, clock: Any
) -> None:
    async with associate(driver, way) as a:
        name = meter.device.profile.logical_device_name(meter.device.serial)
        assert await a.get("logical_device_name") == name
        assert (await a.get("clock")).to_datetime() == clock.now()
        assert "clock" in await a.objects()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("driver", DRIVERS)
async def test_ciphered_client(
    driver: str,
    way: str,
    associate: Associate,
    meter: RunningMeter,
    clock: Any,
    s1sp: dict[str, Any],
) -> None:
    """The public client reads the counter first: two links, one after the other."""
    async with associate(driver, way, **s1sp) as a:
        assert await a.get("active_energy_import") == energy(meter, clock.now())
        noon = clock.now().replace(minute=0, second=0)
        rows = await a.get("load_profile", since=noon - dt.timedelta(hours=1), until=noon)
        assert [row["clock"].to_datetime() for row in rows] == [
            noon - dt.timedelta(minutes=minutes) for minutes in (60, 30, 0)
        ]
        for row in rows:
            moment = row["clock"].to_datetime()
            assert row["active_energy_import"] == energy(meter, moment)
        (first,) = await a.get("load_profile", entries=(1, 1))
        (everything, volts) = await a.get_many(["load_profile", "voltage_l1"])
        assert everything[0] == first
        assert volts.unit is Unit.VOLT
        assert (await a.get("voltage_l1", raw=True)).type is DataType.LONG_UNSIGNED


@pytest.mark.parametrize("driver", DRIVERS)
async def test_writing_and_acting(
    driver: str, associate: Associate, meter: RunningMeter, clock: Any, ring: Any
) -> None:
    keys = Keys(
        guek=ring.get(meter.device.key("dco", KeyKind.GUEK)),
        gak=ring.get(meter.device.key("dco", KeyKind.GAK)),
    )
    how = {"client_sap": 1, "mechanism": Mechanism.HLS_GMAC, "keys": keys, "counter": 0}
    async with associate(driver, "tcp", own_title=TITLES[Actor.DCO], **how) as a:
        moment = clock.now() + dt.timedelta(days=2)
        await a.set("clock", "time", moment)
        assert (await a.get("clock")).to_datetime() == moment
        assert await a.invoke("disconnect_control", "remote_disconnect") is None
        assert str(await a.get("disconnect_control", "control_state")) == "disconnected"
        with pytest.raises(Refused) as caught:
            await a.set("clock", "time_zone", 60)
        assert caught.value.result is DataAccessResult.READ_WRITE_DENIED


@pytest.mark.parametrize("driver", DRIVERS)
async def test_parameters_that_are_refused(
    driver: str, associate: Associate, s1sp: dict[str, Any]
) -> None:
    async with associate(driver, **s1sp) as a:
        with pytest.raises(Refused, match="method 1 update_amount: other-reason") as caught:
            await a.invoke("0-0:19.10.0.255", 1, double_long(2**31 - 1))
        assert caught.value.result is ActionResult.OTHER_REASON
        await a.get("clock")  # it still stands


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_password(
    driver: str, associate: Associate, meter: RunningMeter, ring: Any
) -> None:
    password = ring.get(meter.device.key("reader", KeyKind.LLS_SECRET))
    async with associate(driver, client_sap=33, mechanism="lls", keys=Keys(password=password)) as a:
        assert (await a.get("active_power_import")).unit is Unit.WATT
    with pytest.raises(NotAssociated, match="association of client 33 with 1: rejected") as caught:
        async with associate(
            driver, client_sap=33, mechanism="lls", keys=Keys(password=b"wrong!!!")
        ):
            pass
    assert "wrong!!!" not in str(caught.value)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_dedicated_key_and_less_protection(
    driver: str, associate: Associate, s1sp: dict[str, Any], meter: RunningMeter
) -> None:
    async with associate(driver, **s1sp, dedicated=True) as a:
        await a.get("clock")
    with pytest.raises(Refused):
        async with associate(driver, **s1sp, protection=Protection.AUTHENTICATED) as a:
            await a.get("clock")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_process_goes_on_counting(
    driver: str, associate: Associate, meter: RunningMeter, s1sp: dict[str, Any]
) -> None:
    """Whoever has said once where to begin need not say it again: no counter comes twice."""
    floors = []
    del s1sp["counter_from"]
    for how in ({"counter": 5}, {}, {}):
        async with associate(driver, **s1sp, **how) as a:
            await a.get("clock", class_id=8)
        floors.append(meter.device.state.counters.floor(meter.device.key("s1sp", KeyKind.GUEK)))
    # AARQ, f(StoC) inside and outside, GET and RLRQ.
    assert [after - before for before, after in pairwise(floors)] == [5, 5]


@pytest.mark.parametrize("driver", DRIVERS)
async def test_counters_in_a_file(
    driver: str,
    associate: Associate,
    meter: RunningMeter,
    s1sp: dict[str, Any],
    tmp_path: Path,
) -> None:
    """Both directions: what was sent is never sent again, what was received never taken again."""
    del s1sp["counter_from"]
    file = CounterFile(tmp_path / "counters.json")
    sent = []
    for _ in range(2):
        counters = FiledCounters(file, floors=True)
        async with associate(driver, **s1sp, counters=counters) as a:
            await a.get("clock", class_id=8)
        (key,) = counters._next
        (received,) = counters._floor
        sent.append(counters.next_to_send(key))
        assert FiledCounters(file, floors=True).floor(received) == counters.floor(received) > 0
    assert sent == [5, 64 + 5]
    text = (tmp_path / "counters.json").read_text()
    assert s1sp["keys"].guek.hex() not in text.lower()


LARGE = (
    Conformance.GET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_lists_and_blocks_are_used_where_there_are_any(
    driver: str,
    run_meter: Any,
    route_to: Callable[..., Any],
    associated: Associate,
    events: Any,
    clock: Any,
    ring: Any,
) -> None:
    """A reader that takes 64 octets at a time, and a meter that offers both."""
    profile = load("itron")
    row = profile.associations["reader"]
    row = row._replace(config=replace(row.config, conformance=LARGE))
    profile = replace(profile, associations={**profile.associations, "reader": row})
    async with run_meter(profile, client_titles={}, trace=True) as meter:
        password = ring.get(meter.device.key("reader", KeyKind.LLS_SECRET))
        how: Any = {"client_sap": 33, "mechanism": "lls", "keys": Keys(password=password)}
        how["max_pdu_size"] = 64

        def names(objects: Any) -> list[str]:
            return [entry.logical_name for entry in objects]

        async with associated(driver, route_to(meter, "tcp"), **how) as a:
            rows = [row for row in profile.objects.values() if "reader" in row.rights]
            assert names(await a.objects()) == [obis.text(row.instance) for row in rows]
            first, volts, last = await a.get_many(
                ["active_energy_import", "voltage_l1", "active_power_import"]
            )
            assert first == energy(meter, clock.now())
            assert (volts.unit, last.unit) == (Unit.VOLT, Unit.WATT)
            assert len(await a.get("load_profile")) > 10
    requests = [event.text for event in events.of("request")]
    lists = [text for text in requests if text.startswith("GetRequestWithList")]
    assert len(lists) == 2  # the three with their units; columns, period and order of the profile
    assert len(requests) == 1 + 2 + 1  # and the object list, and the buffer


@pytest.mark.parametrize("driver", DRIVERS)
async def test_keys_that_stay_in_the_callers_modules(
    driver: str, associate: Associate, meter: RunningMeter, ring: Any, s1sp: dict[str, Any]
) -> None:
    module = SoftwareModule(ring)
    seen: list[str] = []

    def execute(op: Any) -> Any:
        seen.append(type(op).__name__)
        return module.execute(op)

    async def runner(step: Any) -> Any:
        return run(step, execute)

    keys = AssociationKeys(
        guek=meter.device.key("s1sp", KeyKind.GUEK), gak=meter.device.key("s1sp", KeyKind.GAK)
    )
    s1sp |= {"keys": keys, "counters": InvocationCounters()}
    how = {"run": runner} if driver == "asyncio" else {"execute": execute}
    async with associate(driver, **s1sp, **how) as a:
        await a.get("clock", class_id=8)
    assert seen.count("Seal") == 4  # AARQ, f(StoC), GET, RLRQ


@pytest.mark.parametrize("driver", DRIVERS)
async def test_two_associations_on_one_connection(driver: str, meter: RunningMeter) -> None:
    address = meter.address
    if driver == "asyncio":
        async with connect(address.host, address.plain_port, timeout=PATIENCE) as client:
            for _ in range(2):
                async with client.associate() as a:
                    await a.get("clock")
            with pytest.raises(AssociationLost, match="the association is not open"):
                await a.get("clock")
        with pytest.raises(AssociationLost, match="the connection is not open"):
            client.associate()
        return

    def work() -> None:
        with connect_blocking(address.host, address.plain_port, timeout=PATIENCE) as client:
            for _ in range(2):
                with client.associate() as a:
                    a.get("clock")
            with pytest.raises(AssociationLost, match="the association is not open"):
                a.get("clock")
        with pytest.raises(AssociationLost, match="the connection is not open"):
            client.associate()

    await asyncio.to_thread(work)


async def test_calls_at_once_wait_for_each_other(meter: RunningMeter) -> None:
    async with (
        connect(meter.address.host, meter.address.plain_port, timeout=PATIENCE) as client,
        client.associate() as a,
    ):
        values = await asyncio.gather(*(a.get("clock") for _ in range(8)))
    assert len(set(values)) == 1


async def test_a_link_with_long_frames(meter: RunningMeter) -> None:
    hdlc = Hdlc(
        physical=DEVICE_ADDRESS,
        octets=2,
        limits=Parameters(32, 32, 7, 7),
        inter_octet_timeout=PATIENCE,
    )
    async with (
        connect(meter.address.host, meter.address.hdlc_port, hdlc=hdlc) as client,
        client.associate() as a,
    ):
        assert len(await a.objects()) > 4


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_link_ends_with_its_association(driver: str, associate: Associate) -> None:
    """With a DISC: else an optical port would wait for an inactivity time-out, and no sign-on."""
    for _ in range(2):
        async with associate(driver, "optical") as a:
            await a.get("clock")


async def enter(driver: str, *args: Any, **way: Any) -> None:
    """Connect and associate, as far as that goes."""
    if driver == "asyncio":
        async with connect(*args, **way) as client, client.associate():
            return

    def work() -> None:
        with connect_blocking(*args, **way) as client, client.associate():
            pass

    await asyncio.to_thread(work)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_wrong_meter_behind_tls(
    driver: str, meter: RunningMeter, pki: Any, credentials: Any
) -> None:
    context = client_context(credentials[Actor.S1SP], pki.trust())
    address = meter.address
    how: Any = {"tls": context, "accept": exactly(b"another!"), "timeout": PATIENCE}
    with pytest.raises(ConnectionError):
        await enter(driver, address.host, address.tls_port, **how)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("udp", [False, True])
async def test_nobody_is_there(driver: str, udp: bool, unused_tcp_port: int) -> None:
    with pytest.raises(ConnectionError):
        await enter(driver, "127.0.0.1", unused_tcp_port, udp=udp, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("arguments", "way", "problem"),
    [
        (("/dev/ttyS0",), {"udp": True}, "a port is missing"),
        (("/dev/ttyS0",), {"tls": object()}, "a port is missing"),
        (("meter", 4059), {"optical": True}, "an optical port is at a serial line"),
        (("meter", 4059), {"udp": True, "hdlc": Hdlc()}, "UDP carries the wrapper only"),
    ],
)
def test_ways_that_are_none(arguments: Any, way: Any, problem: str) -> None:
    for make in (connect, connect_blocking):
        with pytest.raises(ValueError, match=problem):
            make(*arguments, **way)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_no_line(driver: str, tmp_path: Path) -> None:
    file = tmp_path / "no tty"
    file.write_text("")
    with pytest.raises(OSError, match="ioctl"):
        await enter(driver, str(file))
    with pytest.raises(FileNotFoundError):
        await enter(driver, str(tmp_path / "missing"))
