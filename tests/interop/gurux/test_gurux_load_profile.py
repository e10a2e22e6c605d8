"""gurux-dlms reads a day out of 13 months of half-hours, and blocks of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.objects import GXDLMSProfileGeneric

from devices import metrology
from devices.metrology import Quantity
from devices.profile import available, gas
from dlms.axdr.data import double_long_unsigned
from dlms.cosem import obis
from dlms.xdlms.conformance import Conformance

PROFILE = "1.0.99.1.0.255"
ROWS = 395 * 48
HALF_HOUR = dt.timedelta(minutes=30)


@pytest.fixture
def keeper(fresh: Any) -> Any:
    """A meter that keeps 13 months, and whose reader may have them in blocks."""
    offered = (
        Conformance.GET | Conformance.SELECTIVE_ACCESS | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    )
    meter = fresh("aclara", "reader", conformance=offered)
    row = meter.profile.objects[obis.parse("1-0:99.1.0.255")]
    meter.device.store(row, 8, double_long_unsigned(ROWS))
    return meter


def fetch(session: Any, frames: Any) -> Any:
    """The value of a reply that comes in blocks."""
    reply = GXReplyData()
    (frame,) = frames
    blocks = 0
    while True:
        session.client.getData(bytearray(session.raw(bytes(frame))), reply)
        assert not reply.error
        blocks += 1
        if not reply.isMoreData():
            return reply.value, blocks
        frame = session.client.receiverReady(reply)


def test_a_day_by_range(keeper: Any, gurux: Any) -> None:
    session = gurux(keeper, "reader", associate=False)
    session.client.maxReceivePDUSize = 512
    session.associate()
    profile = GXDLMSProfileGeneric(PROFILE)
    session.read(profile, 3)
    assert session.read(profile, 7) == ROWS
    midnight = dt.datetime(2018, 12, 24, tzinfo=dt.UTC)
    end = midnight + 47 * HALF_HOUR
    value, blocks = fetch(session, session.client.readRowsByRange(profile, midnight, end))
    assert blocks > 1
    rows = session.client.updateValue(profile, 2, value)
    times = [midnight + n * HALF_HOUR for n in range(48)]
    assert [row[0].value for row in rows] == times
    seed, quantity = keeper.device.seed, metrology.Quantity.IMPORT
    assert [row[1] for row in rows] == [metrology.cumulative(seed, quantity, t) for t in times]


@pytest.mark.parametrize("association", ["reader", "s1sp"])
@pytest.mark.parametrize("name", [*available(), *gas()])
def test_13_months_of_every_model(fresh: Any, gurux: Any, name: str, association: str) -> None:
    """The oldest day and the newest, by range; in blocks where the meter has them."""
    meter = fresh(name, association)
    code = "1-0:99.1.0.255" if meter.profile.kind == "electricity" else "7-0:99.1.0.255"
    quantity = Quantity.IMPORT if meter.profile.kind == "electricity" else Quantity.GAS_VOLUME
    row = meter.profile.objects[obis.parse(code)]
    meter.device.store(row, 8, row.values[8])
    session = gurux(meter, association, associate=False)
    session.client.maxReceivePDUSize = 512
    session.associate()
    profile = GXDLMSProfileGeneric(code.replace("-", ".").replace(":", "."))
    session.read(profile, 3)
    assert session.read(profile, 7) == ROWS
    last = meter.now.replace(minute=30, second=0, microsecond=0)
    step = 10 if name == "landis_gyr_gas" else 1  # hundredths of a cubic metre
    for begin in (last - (ROWS - 1) * HALF_HOUR, last - 47 * HALF_HOUR):
        end = begin + 47 * HALF_HOUR
        value, blocks = fetch(session, session.client.readRowsByRange(profile, begin, end))
        assert blocks > 1
        rows = session.client.updateValue(profile, 2, value)
        times = [begin + n * HALF_HOUR for n in range(48)]
        assert [row[0].value for row in rows] == times
        readings = [metrology.cumulative(meter.device.seed, quantity, time) for time in times]
        assert [row[1] for row in rows] == [reading // step for reading in readings]


def test_the_first_rows_by_entry(keeper: Any, gurux: Any) -> None:
    """The oldest of 13 months."""
    session = gurux(keeper, "reader")
    profile = GXDLMSProfileGeneric(PROFILE)
    session.read(profile, 3)
    value, _ = fetch(session, session.client.readRowsByEntry(profile, 1, 60))
    rows = session.client.updateValue(profile, 2, value)
    last = keeper.now.replace(minute=30, second=0, microsecond=0)
    oldest = last - (ROWS - 1) * HALF_HOUR
    assert [row[0].value for row in rows] == [oldest + n * HALF_HOUR for n in range(60)]


def test_the_whole_buffer(keeper: Any, gurux: Any) -> None:
    """In the largest blocks there are."""
    session = gurux(keeper, "reader")
    profile = GXDLMSProfileGeneric(PROFILE)
    session.read(profile, 3)
    value, blocks = fetch(session, session.client.read(profile, 2))
    assert blocks > 1
    seed, quantity = keeper.device.seed, metrology.Quantity.IMPORT
    last = keeper.now.replace(minute=30, second=0, microsecond=0)
    times = [last - back * HALF_HOUR for back in range(ROWS - 1, -1, -1)]
    assert [row[1] for row in value] == [metrology.cumulative(seed, quantity, t) for t in times]
