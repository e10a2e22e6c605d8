"""The client by short names, against a meter of the laboratory over TCP: both drivers, both
associations."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from devices.profile import load
from dlms.axdr.data import NULL, Data, DataType, integer, octet_string, unsigned
from dlms.client.short_names import ShortNameDialogues, named
from dlms.cosem import obis
from dlms.cosem.quantity import Quantity
from dlms.cosem.units import Unit
from dlms.errors import LocalProtocolError
from dlms.security.keys import KeyKind
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.conformance import Conformance
from emulator.client import Keys, Refused, UnknownObject
from emulator.client.options import OFFERED_BY_SHORT_NAME
from emulator.sandbox import RunningMeter

pytestmark = pytest.mark.usefixtures("own_process")
PATIENCE = 120.0
PROFILE = load("laboratory")
PAD, LAST_WORD = 0x0100, 0x0200  # base names of 0-0:96.1.9.255 and 0-0:96.1.8.255 in the profile
NUMBER = "0-0:96.1.7.255"
PAD_VALUE = (1, "0-0:96.1.9.255", 2)
LONG = bytes(range(256)) * 8
DRIVERS = pytest.mark.parametrize("driver", ["asyncio", "blocking"])


@pytest.fixture
async def meter(run_meter: Any) -> AsyncIterator[RunningMeter]:
    async with run_meter(PROFILE) as meter:
        yield meter


Associate = Callable[..., Any]


@pytest.fixture
def associate(
    meter: RunningMeter, ring: Any, route_to: Callable[..., Any], associated: Associate
) -> Associate:
    """``async with associate(driver, name, **how) as a``: calls are awaited in either driver."""

    def plan(name: str) -> dict[str, Any]:
        def key(kind: KeyKind) -> bytes:
            octets: bytes = ring.get(meter.device.key(name, kind))
            return octets

        how: dict[str, Any] = {"client_sap": PROFILE.associations[name].config.client_sap}
        if name != "reader":
            how["short_names"] = True
        if name == "sn_ciphered":
            keys = Keys(guek=key(KeyKind.GUEK), gak=key(KeyKind.GAK))
            return how | {
                "mechanism": "hls-gmac",
                "keys": keys,
                "own_title": b"CLI\0\0\0\0\1",
                "counter_from": "0-0:43.1.17.255",
            }
        return how | {"mechanism": "lls", "keys": Keys(password=key(KeyKind.LLS_SECRET))}

    @asynccontextmanager
    async def start(driver: str, name: str, **more: Any) -> AsyncIterator[Any]:
        route = route_to(meter, "tcp")
        async with associated(driver, route, **plan(name) | more) as association:
            yield association

    return start


def energy(meter: RunningMeter, moment: dt.datetime) -> Quantity:
    row = meter.device.profile.objects[obis.parse("1-0:1.8.0.255")]
    association = meter.device.profile.associations["reader"]
    value = meter.device.attribute(row, 2, association, moment)
    return Quantity(Decimal(value.value), Unit.WATT_HOUR)


BOTH = pytest.mark.parametrize("name", ["sn", "sn_ciphered"])


@DRIVERS
@BOTH
async def test_values_and_units(
    driver: str, name: str, associate: Associate, meter: RunningMeter, clock: Any
) -> None:
    async with associate(driver, name) as a:
        device_name = PROFILE.logical_device_name(meter.device.serial)
        assert await a.get("logical_device_name") == device_name
        assert await a.get(0xFD00) == device_name
        assert (await a.get("clock")).to_datetime() == clock.now()
        assert await a.get("active_energy_import") == energy(meter, clock.now())
        assert await a.get("0-0:96.1.8.255") == await a.get(LAST_WORD) == 8
        assert await a.get((1, "0-0:96.1.8.255", 2)) == 8
        assert await a.get(LAST_WORD, 1) == "0-0:96.1.8.255"
        assert (await a.get(LAST_WORD, raw=True)).type is DataType.LONG_UNSIGNED
        entry = (await a.objects()).at(LAST_WORD)
        assert await a.get(entry) == 8


@DRIVERS
@BOTH
async def test_the_object_list(
    driver: str, name: str, associate: Associate, meter: RunningMeter
) -> None:
    """Some hundred objects in blocks of the smallest PDU that the association can have."""
    async with associate(driver, name, max_pdu_size=100) as a:
        objects = await a.objects()
        names = PROFILE.short_names
        assert {entry.instance: entry.base_name for entry in objects} == {
            instance: names.bases[instance]
            for instance, row in names.objects.items()
            if name in row.rights
        }
        assert objects["current_association"].class_id == 12
        assert await a.get("current_association") == await a.get(0xFA00)
        with pytest.raises(UnknownObject, match="no object at base name 0008"):
            await a.get(8)


@DRIVERS
async def test_as_by_logical_names(driver: str, associate: Associate) -> None:
    """Whoever has the reader's rights reads the reader's values, whatever way of naming."""
    async with associate(driver, "reader") as a:
        there = {(e.class_id, e.instance): e for e in await a.objects() if e.class_id != 15}
        whats = [(class_id, instance, 2) for class_id, instance in there]
        expected = await a.get_many(whats, raw=True, return_exceptions=True)
    async with associate(driver, "sn", max_pdu_size=256) as a:
        found = await a.get_many(whats, raw=True, return_exceptions=True)
    assert len(whats) > 60
    compared = 0
    for what, one, other in zip(whats, expected, found, strict=True):
        if isinstance(one, Data):
            compared += one == other
            assert one == other, what
        else:
            assert one.result == other.result, what
    assert compared > 50


@DRIVERS
async def test_rows_of_a_profile(
    driver: str, associate: Associate, meter: RunningMeter, clock: Any
) -> None:
    """By range and by entry, with units; all of them come in blocks."""
    async with associate(driver, "sn", max_pdu_size=200) as a:
        noon = clock.now().replace(minute=0, second=0)
        rows = await a.get("load_profile", since=noon - dt.timedelta(hours=1), until=noon)
        assert [row["clock"].to_datetime() for row in rows] == [
            noon - dt.timedelta(minutes=minutes) for minutes in (60, 30, 0)
        ]
        for row in rows:
            assert row["active_energy_import"] == energy(meter, row["clock"].to_datetime())
        first_three = await a.get("load_profile", entries=(1, 3))
        everything, volts = await a.get_many(["load_profile", "voltage_l1"])
        assert first_three == everything[:3]
        assert len(everything) > 40
        assert volts.unit is Unit.VOLT


@DRIVERS
async def test_rows_of_a_profile_ciphered(driver: str, associate: Associate, clock: Any) -> None:
    async with associate(driver, "sn_ciphered") as a:
        everything = await a.get("1-0:99.2.0.255")
        midnight = clock.now().replace(hour=0, minute=0, second=0)
        (row,) = await a.get("1-0:99.2.0.255", since=midnight, until=clock.now())
        assert row["clock"].to_datetime() == midnight
        assert row == everything[0]
        assert await a.get("1-0:99.2.0.255", entries=(2, 4)) == everything[1:4]


@DRIVERS
async def test_long_values_in_blocks(
    driver: str, associate: Associate, meter: RunningMeter
) -> None:
    """Longer than either end takes at once: 200 octets here, 512 there."""
    async with associate(driver, "sn_ciphered", max_pdu_size=200) as a:
        await a.set(PAD, 2, octet_string(LONG))
        row = PROFILE.objects[obis.parse("0-0:96.1.9.255")]
        assert meter.device.value(row, 2) == octet_string(LONG)
        assert await a.get(PAD) == LONG
        both = await a.get_many([PAD, "clock", PAD_VALUE])
        assert (both[0], both[2]) == (LONG, LONG)


@DRIVERS
async def test_writing_and_acting(driver: str, associate: Associate, clock: Any) -> None:
    async with associate(driver, "sn_ciphered") as a:
        moment = clock.now() + dt.timedelta(days=2)
        await a.set("clock", "time", moment)
        assert (await a.get("clock")).to_datetime() == moment
        await a.set(LAST_WORD, 2, Data(DataType.LONG_UNSIGNED, 9))
        assert await a.get(LAST_WORD) == 9
        assert await a.get(NUMBER, raw=True) == Data(DataType.DOUBLE_LONG_UNSIGNED, 7)
        # A method without return parameter: a Write.
        assert await a.invoke(NUMBER, "reset") is None
        assert await a.get(NUMBER, raw=True) == Data(DataType.DOUBLE_LONG_UNSIGNED, 0)
        # One with: a parameterized Read.
        pad = (1, obis.parse("0-0:96.1.9.255"), 2)
        assert await a.invoke(0xFA00, "read_by_logicalname", [pad]) == [b"\0"]


@DRIVERS
async def test_what_is_refused(driver: str, associate: Associate, meter: RunningMeter) -> None:
    async with associate(driver, "sn") as a:
        with pytest.raises(Refused, match="attribute 2 value: read-write-denied") as caught:
            await a.set(PAD, 2, octet_string(b"no"))
        assert caught.value.result is DataAccessResult.READ_WRITE_DENIED
        with pytest.raises(Refused, match="method 1 reset: read-write-denied"):
            await a.invoke(NUMBER, 1)
        with pytest.raises(Refused, match="reply_to_HLS_authentication: read-write-denied"):
            await a.invoke(0xFA00, 8, octet_string(b""))  # returns something, so it is a Read
        with pytest.raises(ValueError, match="is array, not unsigned"):
            await a.invoke(0xFA00, 3, unsigned(1))
        with pytest.raises(UnknownObject, match="no object"):
            await a.get("0-0:96.99.9.255")
        found = await a.get_many([PAD, (64, "0-0:43.0.0.255", 2)], return_exceptions=True)
        assert found[0] == b"\0"
        assert found[1].result is DataAccessResult.OBJECT_UNDEFINED
        assert await a.get(PAD) == b"\0"


@DRIVERS
async def test_no_attribute_too_many(
    driver: str, associate: Associate, meter: RunningMeter
) -> None:
    """Where attribute 6 of a register would be is its method: it is not asked for."""
    async with associate(driver, "sn_ciphered") as a:
        for number in (0, 4, 6, 9000):
            with pytest.raises(Refused) as caught:
                await a.get(NUMBER, number)
            assert caught.value.result is DataAccessResult.OBJECT_UNDEFINED
            with pytest.raises(Refused):
                await a.set(NUMBER, number, integer(0))
        for number in (2, 3, 1000):
            with pytest.raises(Refused, match="object-undefined"):
                await a.invoke(NUMBER, number, integer(0))
        assert await a.get(NUMBER, raw=True) == Data(DataType.DOUBLE_LONG_UNSIGNED, 7)


@DRIVERS
async def test_selection_that_was_not_negotiated(driver: str, associate: Associate) -> None:
    """All rows can be had, a part cannot; a method with a return parameter neither."""
    services = OFFERED_BY_SHORT_NAME & ~Conformance.PARAMETERIZED_ACCESS
    async with associate(driver, "sn", conformance=services) as a:
        with pytest.raises(LocalProtocolError, match="not negotiated"):
            await a.get("load_profile", entries=(1, 1))
        with pytest.raises(LocalProtocolError, match="not negotiated"):
            await a.invoke(0xFA00, "read_by_logicalname", [])
        assert await a.get("load_profile")


@DRIVERS
async def test_without_lists_and_blocks(driver: str, associate: Associate) -> None:
    services = Conformance.READ | Conformance.PARAMETERIZED_ACCESS
    async with associate(driver, "sn", conformance=services) as a:
        assert len(await a.get_many(["clock", "voltage_l1", PAD])) == 3
    async with associate(driver, "sn", conformance=services, max_pdu_size=100) as a:
        with pytest.raises(Refused, match=r"service error, service 1: the answer is longer"):
            await a.objects()


async def test_unconfirmed_write(associate: Associate, meter: RunningMeter) -> None:
    """Nobody answers; the next answer shows that it was carried out."""
    async with associate("asyncio", "sn_ciphered") as a:
        client, _ = a._open()
        dialogues = ShortNameDialogues(client.dialogues.talk)
        silent = dialogues.write_unconfirmed(
            [named(PAD + 8), named(8)], [octet_string(b"hm"), NULL]
        )
        assert await client.hold(silent) is None
        assert await a.get(PAD) == b"hm"


@DRIVERS
async def test_base_names_are_for_short_names(driver: str, associate: Associate) -> None:
    async with associate(driver, "reader") as a:
        with pytest.raises(UnknownObject, match="where short names are used"):
            await a.get(PAD)
