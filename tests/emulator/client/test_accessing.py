"""ACCESS by the client against a meter of the laboratory: reading, writing, invoking at once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from dlms.axdr.data import double_long_unsigned, enum, integer, octet_string, structure, unsigned
from dlms.cosem import obis
from dlms.cosem.quantity import Quantity
from dlms.cosem.units import Unit
from dlms.errors import LocalProtocolError
from dlms.transfer.pieces import TooLong
from dlms.xdlms.access import AccessAction, AccessGet, AccessSet
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from emulator.client import Invoke, Read, Refused, UnknownObject, Write
from emulator.client.options import OFFERED

PAD, NUMBER, LAST_WORD = "0-0:96.1.9.255", "0-0:96.1.7.255", "0-0:96.1.8.255"
DAILY = "1-0:99.2.0.255"
NUMBER_VALUE = obis.parse(NUMBER), 2
DENIED = DataAccessResult.READ_WRITE_DENIED


def accesses(events: Any) -> list[str]:
    """The lists that the meters have carried out."""
    return [event.text for event in events.of("request") if event.text.startswith("AccessRequest")]


def gets(events: Any) -> list[str]:
    return [event.text for event in events.of("request") if event.text.startswith("GetRequest")]


@pytest.mark.parametrize("way", ["tcp", "udp", "hdlc"])
async def test_everything_in_its_order(
    way: str, connected: Any, how: Any, meter: Any, events: Any
) -> None:
    """Typed as get does; what is written is read behind it, and not before."""
    async with connected(meter, way) as client, client.associate(**how(meter, "dco")) as a:
        rows = await a.get(DAILY, entries=(1, 3))
        expected = await a.get_many(["active_energy_import", "clock"])
        results = await a.access(
            Read("clock"),
            Read("active_energy_import"),
            Read(DAILY, entries=(1, 3)),
            Read(PAD, class_id=1),
            Write(PAD, 2, octet_string(b"new"), class_id=1),
            Read(PAD, class_id=1),
            Write(NUMBER, "value", double_long_unsigned(5)),
            Invoke(NUMBER, "reset"),
            Read(NUMBER, raw=True),
        )
        energy, clock = expected
        assert isinstance(energy, Quantity)
        old, new = b"\0", b"new"
        assert results[:3] == [clock, energy, rows]
        assert results[3:8] == [old, None, new, None, None]
        assert results[8].value == 0
    assert len(accesses(events)) == 1


async def test_refusals(connected: Any, how: Any, meter: Any) -> None:
    """In their places, or the first is raised; the meter goes on behind one either way."""
    pad = obis.parse(PAD), 2
    orders = (
        Read(LAST_WORD, class_id=1),
        Write(PAD, 2, octet_string(b"1"), class_id=1),
        Read("clock", 9),
        Write("0-0:96.1.99.255", 2, unsigned(1), class_id=1),
        Invoke(NUMBER, 3),
        Write(NUMBER, 2, octet_string(b"of another type")),
        Write(PAD, 2, octet_string(b"2"), class_id=1),
    )
    async with connected(meter) as client, client.associate(**how(meter, "dco")) as a:
        found = await a.access(*orders, return_exceptions=True)
        subjects = [
            ("write 0-0:96.1.99.255 attribute 2 value", DataAccessResult.OBJECT_UNDEFINED),
            (f"invoke device_id_8 ({NUMBER}) method 3", ActionResult.OBJECT_UNDEFINED),
            (f"write device_id_8 ({NUMBER}) attribute 2 value", DataAccessResult.TYPE_UNMATCHED),
        ]
        assert found[0] == 8
        assert (found[1], found[6]) == (None, None)
        refusals = [one for one in found if isinstance(one, Refused)]
        assert [(one.subject, one.result) for one in refusals] == subjects
        assert meter.device.state.values[pad] == octet_string(b"2")
        meter.device.state.values[pad] = octet_string(b"0")
        with pytest.raises(Refused, match=r"write 0-0:96\.1\.99\.255 .*object-undefined"):
            await a.access(*orders)
        assert meter.device.state.values[pad] == octet_string(b"2")
        found = await a.access(*orders, return_exceptions=True, break_on_error=True)
        assert [isinstance(one, Refused) for one in found] == [False] * 3 + [True] * 4
        assert found[3].result is DataAccessResult.OBJECT_UNDEFINED
        assert found[4].result is ActionResult.OTHER_REASON


async def test_what_the_request_says(connected: Any, how: Any, meter: Any, events: Any) -> None:
    """Long invoke ids count up beside the flags; the meter repeats what was asked for."""
    async with connected(meter) as client, client.associate(**how(meter, "dco")) as a:
        for flags in (
            {},
            {"break_on_error": True},
            {"self_descriptive": True},
            {"high_priority": True},
        ):
            assert await a.access(Read(LAST_WORD, class_id=1), **flags) == [8]
    ids = [int(text.split("long_invoke=")[1].split(",")[0]) for text in accesses(events)]
    assert [f"{value:08x}" for value in ids] == ["40000001", "60000002", "50000003", "c0000004"]
    answers = [e.text for e in events.of("response") if e.text.startswith("AccessResponse")]
    assert ["specifications=None" in text for text in answers] == [True, True, False, True]


async def test_units_and_what_a_list_itself_changes(connected: Any, how: Any, meter: Any) -> None:
    """A value is understood by the unit that it was read under."""
    watt_hours, volts = (structure(integer(0), enum(unit)) for unit in (30, 35))
    meter.device.state.values[obis.parse(NUMBER), 3] = watt_hours
    meter.device.state.values[NUMBER_VALUE] = double_long_unsigned(7)
    async with connected(meter) as client, client.associate(**how(meter, "dco")) as a:
        results = await a.access(
            Read(NUMBER), Write(NUMBER, "scaler_unit", volts), Read(NUMBER), Read("clock", 3)
        )
        assert results[0] == Quantity(Decimal(7), Unit.WATT_HOUR)
        assert results[2] == Quantity(Decimal(7), Unit.VOLT)
        assert await a.get(NUMBER) == results[2]
        # It is remembered until the object is written to.
        meter.device.state.values[obis.parse(NUMBER), 3] = watt_hours
        assert await a.access(Read(NUMBER)) == [results[2]]
        await a.access(Invoke(NUMBER, 1))
        assert await a.access(Read(NUMBER)) == [Quantity(Decimal(0), Unit.WATT_HOUR)]


async def test_what_is_kept(
    connected: Any, how: Any, meter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value whose unit the meter keeps is a plain number; rows without columns are refused."""
    objects = meter.device.profile.objects
    value_only = objects[obis.parse("0-0:1.0.0.255")].rights["public"]
    for name in (NUMBER, DAILY):
        monkeypatch.setitem(objects[obis.parse(name)].rights, "reader", value_only)
    recent = Read(DAILY, since=dt.datetime(2019, 1, 1, tzinfo=dt.UTC))
    async with connected(meter) as client, client.associate(**how(meter, "reader")) as a:
        found = await a.access(
            Read(NUMBER), Read(DAILY), Read(LAST_WORD, class_id=1), return_exceptions=True
        )
        with pytest.raises(Refused, match="capture_objects"):
            await a.access(Read(LAST_WORD, class_id=1), recent, return_exceptions=True)
    assert (found[0], found[2]) == (7, 8)
    assert found[1].subject == f"read load_profile_period_2 ({DAILY}) attribute 3 capture_objects"


@pytest.mark.parametrize("span", ["by time", "by entry", "raw"])
async def test_rows(span: str, connected: Any, how: Any, meter: Any, clock: Any) -> None:
    moment: dt.datetime = clock.now()
    by: dict[str, Any] = {
        "by time": {"since": moment - dt.timedelta(hours=2), "until": moment},
        "by entry": {"entries": (2, 4)},
        "raw": {"entries": (2, 4), "raw": True},
    }[span]
    async with connected(meter) as client, client.associate(**how(meter, "reader")) as a:
        expected = await a.get("load_profile", **by)
        assert await a.access(Read("load_profile", **by), Read("clock")) == [
            expected,
            await a.get("clock"),
        ]


async def test_reading_where_access_is_all_there_is(
    connected: Any, how: Any, meter: Any, events: Any
) -> None:
    """The object list, units and columns, too."""
    async with connected(meter) as client, client.associate(**how(meter, "reader")) as a:
        energy = await a.get("active_energy_import")
        rows = await a.get("load_profile", entries=(1, 2))
        listed = len(await a.objects())
    events.seen.clear()
    services = Conformance.ACCESS | Conformance.SELECTIVE_ACCESS
    services |= Conformance.GENERAL_BLOCK_TRANSFER
    given = how(meter, "reader", conformance=services)
    async with connected(meter) as client, client.associate(**given) as a:
        assert await a.get("active_energy_import") == energy
        assert await a.access(Read("load_profile", entries=(1, 2))) == [rows]
        assert len(await a.objects()) == listed
        refused = await a.get_many([PAD, (1, "0-0:96.1.99.255", 2)], return_exceptions=True)
        assert refused[0] == b"\0"
        assert refused[1].result is DataAccessResult.OBJECT_UNDEFINED
        with pytest.raises(Refused, match="object-undefined"):
            await a.get((1, "0-0:96.1.99.255", 2))
        with pytest.raises(LocalProtocolError, match="not negotiated"):
            await a.set(PAD, 2, octet_string(b"1"), class_id=1)
    assert gets(events) == []


async def test_what_cannot_be_asked_is_not(
    connected: Any, how: Any, meter: Any, events: Any
) -> None:
    async with connected(meter) as client, client.associate(**how(meter, "dco")) as a:
        await a.objects()
        before = len(events.of("request"))
        with pytest.raises(ValueError, match="1 to 255 items make a list, not 0"):
            await a.access()
        with pytest.raises(ValueError, match="not 256"):
            await a.access(*[Read("clock")] * 256)
        with pytest.raises(UnknownObject):
            await a.access(Read("clock"), Read("no such name"))
        with pytest.raises(ValueError, match="a date-time is needed"):
            await a.access(Write("clock", 2, "noon"))
        with pytest.raises(ValueError, match="buffer of a profile"):
            await a.access(Read("clock", entries=(1, 2)))
        with pytest.raises(ValueError, match="nobody would say what was read"):
            await a.access_unconfirmed(Read("clock"))
        assert len(events.of("request")) == before
    given = how(meter, "dco", conformance=OFFERED & ~Conformance.ACCESS)
    async with connected(meter) as client, client.associate(**given) as a:
        before = len(events.of("request"))
        for call in (a.access(Read("clock")), a.access_unconfirmed(Invoke(NUMBER, 1))):
            with pytest.raises(LocalProtocolError, match="not negotiated"):
                await call
        assert len(events.of("request")) == before


async def test_long_lists(connected: Any, how: Any, meter: Any, events: Any) -> None:
    """In general blocks where they were negotiated, or not at all."""
    value = octet_string(bytes(range(250)) * 10)
    order = Write(PAD, 2, value, class_id=1), Read(PAD, class_id=1, raw=True)
    async with connected(meter) as client, client.associate(**how(meter, "dco")) as a:
        assert await a.access(*order) == [None, value]
    assert any("general block" in event.text for event in events.of("<-"))
    events.seen.clear()
    without = OFFERED & ~Conformance.GENERAL_BLOCK_TRANSFER
    given = how(meter, "dco", conformance=without, max_pdu_size=200)
    async with connected(meter) as client, client.associate(**given) as a:
        with pytest.raises(TooLong, match="cannot be cut"):
            await a.access(*order)
        assert accesses(events) == []
        with pytest.raises(Refused, match="pdu-too-long"):
            await a.access(order[1])
        assert await a.access(Read(LAST_WORD, class_id=1)) == [8]


async def test_unconfirmed_access(connected: Any, how: Any, meter: Any, events: Any) -> None:
    async with connected(meter) as client, client.associate(**how(meter, "dco")) as a:
        meter.device.state.values[NUMBER_VALUE] = double_long_unsigned(7)
        assert (await a.get(NUMBER)).value == 7
        done = await a.access_unconfirmed(
            Write(PAD, 2, octet_string(b"quiet"), class_id=1), Invoke(NUMBER, "reset")
        )
        assert done is None
        assert await a.get(PAD, class_id=1) == b"quiet"
        assert await a.get(NUMBER) == Quantity(Decimal(0), Unit.COUNT)
        volts = structure(integer(0), enum(35))
        await a.access_unconfirmed(Write(NUMBER, "scaler_unit", volts))
        assert await a.get(NUMBER) == Quantity(Decimal(0), Unit.VOLT)
    text, _ = accesses(events)
    assert "long_invoke=1," in text
    assert not [e for e in events.of("response") if e.text.startswith("AccessResponse")]
    assert all(word in text for word in (AccessSet.__name__, AccessAction.__name__))
    assert AccessGet.__name__ not in text
