"""Faults by a rule over octets, of careless cryptography, of other configurations."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.device import Device
from devices.profile import load
from dlms.association.knobs import Unasked
from dlms.errors import CodecError, DlmsError, LocalProtocolError
from dlms.framing.datagram import decode_datagram
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.frame import Frame, decode_frame
from dlms.security.counters import InvocationCounters
from dlms.security.keys import KeyKind
from dlms.security.ops import Random, Use
from emulator.client import Keys, NotAssociated, Read, Refused, connect
from emulator.control import ControlError
from emulator.faults.kinds import reframing
from emulator.sandbox import RunningMeter

pytestmark = pytest.mark.usefixtures("own_process")
NAME = (1, "0-0:42.0.0.255", 2)


def reader(meter: RunningMeter, ring: Any, **changes: Any) -> dict[str, Any]:
    password = ring.get(meter.device.key("reader", KeyKind.LLS_SECRET))
    client_sap = meter.device.profile.associations["reader"].config.client_sap
    keys = Keys(password=password)
    return {"client_sap": client_sap, "mechanism": "lls", "keys": keys, **changes}


# Rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["public", "s1sp"])
async def test_what_is_said_is_rewritten_beneath_protection(
    who: str, meter: RunningMeter, s1sp: Any
) -> None:
    how = s1sp() if who == "s1sp" else {}
    async with (
        connect(meter.address.host, meter.address.plain_port) as client,
        client.associate(**how) as a,
    ):
        name = (await a.get(NAME, raw=True)).value
        meter.faults.set("rewrite", {"of": "plain", "match": name[:3].hex(), "into": b"XYZ".hex()})
        assert (await a.get(NAME, raw=True)).value == b"XYZ" + name[3:]


@pytest.mark.parametrize("who", ["public", "s1sp"])
async def test_what_is_asked_is_rewritten_beneath_protection(
    who: str, meter: RunningMeter, s1sp: Any
) -> None:
    how = s1sp() if who == "s1sp" else {}
    async with (
        connect(meter.address.host, meter.address.plain_port) as client,
        client.associate(**how) as a,
    ):
        meter.faults.set(
            "rewrite",
            {"of": "plain", "direction": "in", "match": "00002a0000ff", "into": "0000ff0000ff"},
        )
        with pytest.raises(Refused):
            await a.get(NAME)


async def test_a_match_begins_at_an_octet(meter: RunningMeter) -> None:
    async with (
        connect(meter.address.host, meter.address.plain_port) as client,
        client.associate() as a,
    ):
        name = (await a.get(NAME, raw=True)).value
        shifted = name.hex()[1:5]
        fault = meter.faults.set("rewrite", {"match": shifted, "into": "0000"})
        assert (await a.get(NAME, raw=True)).value == name
        assert fault.acted == 0


async def test_an_answer_in_the_meters_place(meter: RunningMeter, s1sp: Any) -> None:
    async with (
        connect(meter.address.host, meter.address.plain_port) as client,
        client.associate(**s1sp()) as a,
    ):
        before = await a.get("logical_device_name")
        meter.faults.set("say", {"of": "plain", "match": "c001", "answer": "c401c1010b"})
        with pytest.raises(Refused, match="object-unavailable"):
            await a.get("logical_device_name")
        meter.faults.clear_all()
        assert await a.get("logical_device_name") == before


@pytest.mark.parametrize(
    ("name", "parameters", "match"),
    [
        ("rewrite", {"match": "("}, "regular expression"),
        ("say", {"match": "c0", "answer": "c"}, "two digits"),
        ("say", {"match": "c0", "of": "plain"}, "always an answer"),
        ("configured", {"changes": {"colour": 1}}, "not 'colour'"),
        ("configured", {"changes": {"mechanism": "ROT13"}}, "ROT13"),
        ("configured", {"changes": {"max_pdu_size": "big"}}, "another type"),
        ("configured", {"changes": {"knobs": {"colour": 1}}}, "colour"),
        ("configured", {"association": "nobody"}, "nobody"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    name: str, parameters: dict[str, Any], match: str, meter: RunningMeter
) -> None:
    with pytest.raises(ControlError, match=match):
        meter.faults.set(name, parameters)
    assert meter.faults.active == ()


# Frames -----------------------------------------------------------------------------------------

ADDRESSES = st.sampled_from(
    [Address(1), Address(1, 17, 2), Address(1, 17, 4), Address(0x3FFF, 0x3FFF, 4)]
)


@given(ADDRESSES, ADDRESSES, st.binary(max_size=60), st.binary(min_size=1, max_size=3))
def test_a_frame_is_put_right(
    destination: Address, source: Address, information: bytes, more: bytes
) -> None:
    frame = Frame(destination, source, Control(Kind.UI), information)
    octets = frame.encode()
    assert reframing.hdlc(octets) == octets
    assert reframing.hdlc(octets[:-3] + b"\xff\xff\x7e") == octets
    if information:
        longer = octets[:-3] + more + octets[-3:]
        with pytest.raises(CodecError):
            decode_frame(longer[1:-1])
        assert decode_frame(reframing.hdlc(longer)[1:-1]) == frame._replace(
            information=information + more
        )


@given(st.binary(max_size=60), st.integers(0, 0xFFFF))
def test_a_wpdu_is_put_right(apdu: bytes, length: int) -> None:
    octets = bytes.fromhex("000100100001") + length.to_bytes(2, "big") + apdu
    assert decode_datagram(reframing.wrapper(octets)).apdu == apdu


# Careless cryptography --------------------------------------------------------------------------


async def test_any_password_is_right(meter: RunningMeter, ring: Any) -> None:
    how = reader(meter, ring, keys=Keys(password=b"wrong"))
    async with connect(meter.address.host, meter.address.plain_port) as client:
        with pytest.raises(NotAssociated):
            async with client.associate(**how):
                pass
        meter.faults.set("any-password", {})
        async with client.associate(**how) as a:
            assert await a.get(NAME)


async def test_any_tag_is_right(meter: RunningMeter, s1sp: Any, ring: Any) -> None:
    meter.faults.set("corruption", {"part": "authentication-tag", "direction": "in"})
    async with connect(meter.address.host, meter.address.plain_port) as client:
        with pytest.raises(DlmsError):
            async with client.associate(**s1sp()):
                pass
    meter.faults.set("tags-unchecked", {})
    async with (
        connect(meter.address.host, meter.address.plain_port) as client,
        client.associate(**s1sp()) as a,
    ):
        assert await a.get("logical_device_name")


async def test_the_challenge_is_always_the_same(meter: RunningMeter) -> None:
    meter.faults.set("same-challenge", {})
    drawn = meter.faults.active[0].reach.workings.execute
    assert drawn(Random(Use.ASSOCIATION, 16)) == drawn(Random(Use.ASSOCIATION, 16))
    meter.faults.clear_all()
    assert drawn(Random(Use.ASSOCIATION, 16)) != drawn(Random(Use.ASSOCIATION, 16))


async def test_what_was_sent_once_is_taken_again(meter: RunningMeter, s1sp: Any) -> None:
    async with connect(meter.address.host, meter.address.plain_port) as client:
        async with client.associate(**s1sp()) as a:
            await a.get("logical_device_name")
        how = s1sp()
        del how["counter_from"]
        how |= {"counters": InvocationCounters(), "counter": 0}
        with pytest.raises(DlmsError):
            await client.associate(**how).open()
        meter.faults.set("replays-taken", {})
        async with client.associate(**how | {"counters": InvocationCounters()}) as a:
            assert await a.get("logical_device_name")


# Configuration ----------------------------------------------------------------------------------


async def test_an_association_is_served_otherwise(meter: RunningMeter, ring: Any) -> None:
    meter.faults.set("configured", {"association": "reader", "changes": {"conformance": ["GET"]}})
    async with (
        connect(meter.address.host, meter.address.plain_port) as client,
        client.associate(**reader(meter, ring)) as a,
    ):
        with pytest.raises(LocalProtocolError, match="not negotiated"):
            await a.access(Read(NAME))


def test_layers_of_configuration_end_in_any_order() -> None:
    device = Device(load("itron"), 1)
    row = device.profile.associations["reader"]
    usual = device.config(row)
    first = device.misconfigure("reader", {"max_pdu_size": 100})
    knobs = dataclasses.replace(row.config.knobs, unknown_user=Unasked.REJECT)
    second = device.misconfigure("reader", {"knobs": knobs})
    assert device.config(row).max_pdu_size == 100
    first()
    assert device.config(row).max_pdu_size == usual.max_pdu_size
    assert device.config(row).knobs == knobs
    second()
    assert device.config(row) == usual
