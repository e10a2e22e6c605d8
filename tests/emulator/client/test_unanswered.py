"""Associations that are never answered, and those that need no AARQ, by real sockets.

What the meter did is read back by another association on the same connection, which keeps the order
of what is sent; what it said is in its trace.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from dlms.axdr.data import array, double_long_unsigned, octet_string
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.errors import LocalProtocolError
from dlms.xdlms.conformance import Conformance
from emulator.client import (
    AssociationLost,
    Invoke,
    Refused,
    UnknownObject,
    Write,
    connect,
)

PAD, NUMBER = "0-0:96.1.9.255", "0-0:96.1.7.255"
WAYS = pytest.mark.parametrize("way", ["tcp", "udp", "hdlc", "optical"])
QUIET = {"confirmed": False}
STANDING = {"pre_established": True, "conformance": Conformance.GET}
TO_ALL = {
    "pre_established": True,
    "broadcast": True,
    "conformance": Conformance.SET
    | Conformance.ACTION
    | Conformance.ACCESS
    | Conformance.GENERAL_PROTECTION
    | Conformance.GENERAL_BLOCK_TRANSFER,
}


def said(events: Any, name: str) -> list[str]:
    """What the meters have sent in the association ``name``."""
    return [event.text for event in events.of("->") if event.association == name]


def heard(events: Any, name: str) -> list[str]:
    return [event.text for event in events.of("<-") if event.association == name]


def carried_out(events: Any, name: str) -> list[str]:
    """The requests of it, by their kind."""
    return [e.text.split("(")[0] for e in events.of("request") if e.association == name]


# Unconfirmed --------------------------------------------------------------------------------------


@WAYS
async def test_an_unconfirmed_association(
    way: str, connected: Any, how: Any, meter: Any, events: Any
) -> None:
    async with connected(meter, way) as client:
        given = how(meter, "unconfirmed", **QUIET)
        async with client.associate(**given) as quiet:
            await quiet.set(PAD, 2, octet_string(b"told to nobody"), class_id=1, confirmed=False)
            await quiet.set(NUMBER, "value", double_long_unsigned(9), class_id=3, confirmed=False)
        async with client.associate(**how(meter, "reader")) as reader:
            assert await reader.get(PAD, class_id=1) == b"told to nobody"
            assert (await reader.get(NUMBER)).value == 9
        async with client.associate(**given) as quiet:
            nothing = await quiet.invoke(NUMBER, "reset", class_id=3, confirmed=False)
            assert nothing is None
            await quiet.access_unconfirmed(
                Write(PAD, 2, octet_string(b"1"), class_id=1),
                Write("0-0:96.1.99.255", 2, octet_string(b"not there"), class_id=1),
                Write(PAD, 2, octet_string(b"2"), class_id=1),
            )
            await quiet.access_unconfirmed(
                Write("0-0:96.1.99.255", 2, octet_string(b"not there"), class_id=1),
                Write(PAD, 2, octet_string(b"3"), class_id=1),
                break_on_error=True,
            )
        async with client.associate(**how(meter, "reader")) as reader:
            assert await reader.get(PAD, class_id=1) == b"2"
            assert (await reader.get(NUMBER)).value == 0
    assert said(events, "unconfirmed") == []
    assert carried_out(events, "unconfirmed") == [
        "SetRequest",
        "SetRequest",
        "ActionRequest",
        "AccessRequest",
        "AccessRequest",
    ]
    ended = [e.kind for e in events.of("associated", "released") if e.association == "unconfirmed"]
    assert ended == ["associated", "released"] * 2


async def test_what_has_no_response_is_not_sent(
    connected: Any, how: Any, meter: Any, events: Any
) -> None:
    pad = 1, PAD, 2
    async with (
        connected(meter) as client,
        client.associate(**how(meter, "unconfirmed", **QUIET)) as a,
    ):
        for call in (
            a.set(pad, 2, octet_string(b"1")),
            a.invoke((3, NUMBER, 0), 1),
            a.get(pad),
            a.get_many([pad, pad]),
            a.objects(),
            a.access(Write(PAD, 2, octet_string(b"1"), class_id=1)),
        ):
            with pytest.raises(LocalProtocolError, match="no response"):
                await call
        with pytest.raises(UnknownObject, match=r"say which class_id .* nothing can be read here"):
            await a.set("0-0:96.1.99.255", 2, octet_string(b"1"), confirmed=False)
        # It is no worse for it.
        await a.set(pad, 2, octet_string(b"2"), confirmed=False)
    async with connected(meter) as client, client.associate(**how(meter, "reader")) as reader:
        assert await reader.get(pad) == b"2"
    assert carried_out(events, "unconfirmed") == ["SetRequest"]
    assert len(heard(events, "unconfirmed")) == 3  # with AARQ and RLRQ


@pytest.mark.parametrize("way", ["tcp", "udp", "hdlc", "optical"])
async def test_the_last_word_arrives(
    way: str, connected: Any, how: Any, meter: Any, events: Any
) -> None:
    """Although the connection ends right behind it."""
    async with (
        connected(meter, way) as client,
        client.associate(**how(meter, "unconfirmed", **QUIET)) as quiet,
    ):
        await quiet.set(PAD, 2, octet_string(b"last"), class_id=1, confirmed=False)
    await events.wait("released")
    assert meter.device.state.values[obis.parse(PAD), 2] == octet_string(b"last")


async def test_what_is_read_by_short_names_is_confirmed(
    connected: Any, how: Any, meter: Any, events: Any
) -> None:
    """A method that returns something is: it is not sent."""
    async with (
        connected(meter) as client,
        client.associate(**how(meter, "sn_ciphered", short_names=True)) as a,
    ):
        with pytest.raises(LocalProtocolError, match="returns something is confirmed"):
            await a.invoke("0-0:40.0.0.255", 3, array(), class_id=12, confirmed=False)
    assert set(carried_out(events, "sn_ciphered")) == {"ReadRequest"}  # of the object list


async def test_hls_takes_answers(connected: Any, how: Any, meter: Any, events: Any) -> None:
    async with connected(meter) as client:
        with pytest.raises(LocalProtocolError, match="HLS takes answers"):
            async with client.associate(**how(meter, "dco", **QUIET)):
                raise AssertionError("it is not open")
    assert heard(events, "dco") == []


async def test_a_connection_that_is_gone(how: Any, meter: Any) -> None:
    async with connect(meter.address.host, meter.address.plain_port) as client:
        a = client.associate(**how(meter, "unconfirmed", **QUIET))
        await a.open()
        client.channel.abort()
        await client.channel.wait_closed()
        with pytest.raises(AssociationLost):
            await a.set((1, PAD, 2), 2, octet_string(b"1"), confirmed=False)
        await a.close()


# Pre-established ----------------------------------------------------------------------------------


@WAYS
async def test_a_pre_established_association(
    way: str, connected: Any, how: Any, meter: Any, events: Any
) -> None:
    """Services at once, and nothing but them: twice, for it outlives whoever uses it."""
    name = f"LAB{meter.device.serial:013d}".encode()
    async with connected(meter, way) as client:
        for _ in range(2):
            async with client.associate(**how(meter, "pre_established", **STANDING)) as a:
                assert await a.get("0-0:42.0.0.255", class_id=1) == name
                with pytest.raises(Refused, match="object-undefined"):
                    await a.get(PAD, class_id=1)
                with pytest.raises(LocalProtocolError, match="not negotiated"):
                    await a.set(PAD, 2, octet_string(b"1"), class_id=1, confirmed=False)
    assert carried_out(events, "pre_established") == ["GetRequest"] * 4
    assert len(heard(events, "pre_established")) == 4


async def test_one_that_nobody_uses(connected: Any, how: Any, meter: Any, events: Any) -> None:
    async with (
        connected(meter) as client,
        client.associate(**how(meter, "pre_established", **STANDING)),
    ):
        assert events.of("<-") == []
    assert events.of("<-") == []


# Broadcast ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["tcp", "udp"])
async def test_a_broadcast_to_all_meters(
    way: str, connected: Any, how: Any, meters: Any, events: Any, clock: Any
) -> None:
    """Each under its own broadcast key here: their clocks are set and shifted."""
    noon: dt.datetime = clock.now() + dt.timedelta(minutes=10)
    for meter in meters:
        async with connected(meter, way) as client:
            async with client.associate(**how(meter, "broadcast", **TO_ALL)) as to_all:
                await to_all.set("clock", 2, noon, confirmed=False)
                await to_all.invoke("clock", "shift_time", 30, confirmed=False)
            async with client.associate(**how(meter, "reader")) as reader:
                shown: CosemDateTime = await reader.get("clock")
                assert shown.to_datetime() == noon + dt.timedelta(seconds=30)
            async with client.associate(**how(meter, "broadcast", **TO_ALL)) as to_all:
                await to_all.access_unconfirmed(
                    Write("clock", 2, noon), Invoke("clock", "shift_time", -30)
                )
            async with client.associate(**how(meter, "reader")) as reader:
                shown = await reader.get("clock")
                assert shown.to_datetime() == noon - dt.timedelta(seconds=30)
    assert said(events, "broadcast") == []
    kinds = ["SetRequest", "ActionRequest", "AccessRequest"]
    assert carried_out(events, "broadcast") == kinds * len(meters)


async def test_a_broadcast_is_never_answered(
    connected: Any, how: Any, meter: Any, events: Any
) -> None:
    async with (
        connected(meter) as client,
        client.associate(**how(meter, "broadcast", **TO_ALL)) as to_all,
    ):
        for call in (
            to_all.set("clock", 3, 0),
            to_all.invoke("clock", "shift_time", 1),
            to_all.access(Write("clock", 3, 0)),
        ):
            with pytest.raises(LocalProtocolError, match="no response"):
                await call
    assert events.of("<-") == []


# Unconfirmed services where others are confirmed --------------------------------------------------


@WAYS
@pytest.mark.parametrize("name", ["dco", "sn_ciphered"])
async def test_unconfirmed_services_in_a_confirmed_association(
    name: str, way: str, connected: Any, how: Any, meter: Any, events: Any
) -> None:
    """The meter says nothing of them, and answers what comes next."""
    short = {"short_names": True} if name == "sn_ciphered" else {}
    async with connected(meter, way) as client, client.associate(**how(meter, name, **short)) as a:
        await a.objects()
        for number in range(20):  # invoke ids go round
            value = octet_string(b"%d" % number)
            await a.set(PAD, 2, value, confirmed=False)
            assert await a.get(PAD) == b"%d" % number
        await a.set(NUMBER, "value", double_long_unsigned(3))
        await a.invoke(NUMBER, "reset", confirmed=False)
        assert (await a.get(NUMBER)).value == 0
        # What the meter refuses is told to nobody either.
        await a.set("0-0:42.0.0.255", 2, octet_string(b"me"), confirmed=False)
        assert await a.get(PAD) == b"19"
    requests = carried_out(events, name)
    if short:
        assert requests.count("UnconfirmedWriteRequest") == 22
    answers = [e for e in events.of("response") if e.association == name]
    assert len(answers) == len(requests) - 22


async def test_a_long_one_goes_in_general_blocks_or_not_at_all(
    connected: Any, how: Any, meter: Any, events: Any
) -> None:
    value = octet_string(bytes(range(250)) * 8)
    async with connected(meter) as client:
        async with client.associate(**how(meter, "dco")) as a:
            await a.set(PAD, 2, value, class_id=1, confirmed=False)
            assert await a.get(PAD, class_id=1, raw=True) == value
        services = Conformance.GET | Conformance.SET | Conformance.GENERAL_PROTECTION
        async with client.associate(**how(meter, "dco", conformance=services)) as a:
            with pytest.raises(LocalProtocolError, match="exceeds"):
                await a.set(PAD, 2, value, class_id=1, confirmed=False)
            meter.device.state.values[obis.parse(PAD), 2] = octet_string(b"short")
            assert await a.get(PAD, class_id=1) == b"short"
    assert events.of("request")[0].text.startswith("SetRequest")
