"""13 months of half-hours, read from a meter in blocks over TCP."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from devices import metrology
from dlms.axdr.data import (
    Data,
    array,
    double_long_unsigned,
    integer,
    long_unsigned,
    octet_string,
    structure,
)
from dlms.cosem import obis

PROFILE = "1-0:99.1.0.255"
ROWS = 395 * 48
HALF_HOUR = dt.timedelta(minutes=30)


def column(class_id: int, code: str) -> Data:
    return structure(
        long_unsigned(class_id), octet_string(obis.parse(code)), integer(2), long_unsigned(0)
    )


COLUMNS = (column(8, "0-0:1.0.0.255"), column(3, "1-0:1.8.0.255"), column(3, "1-0:32.7.0.255"))


@pytest.fixture
def meter(meter: Any) -> Any:
    """With room for 13 months in its load profile."""
    load_profile = meter.device.profile.objects[obis.parse(PROFILE)]
    meter.device.store(load_profile, 3, array(*COLUMNS))
    meter.device.store(load_profile, 8, double_long_unsigned(ROWS))
    return meter


async def test_13_months(connected: Any, how: Any, meter: Any, clock: Any) -> None:
    """Everything, then the same by entry and by time."""
    last = clock.now() - (clock.now() - metrology.INSTALLED) % HALF_HOUR
    times = [last - back * HALF_HOUR for back in range(ROWS - 1, -1, -1)]
    seed = meter.device.seed
    async with connected(meter) as client, client.associate(**how(meter, "reader")) as a:
        rows = await a.get(PROFILE)
        assert await a.get(PROFILE, 7) == ROWS
        assert [row["clock"].to_datetime() for row in rows] == times
        shown = [int(row["active_energy_import"].value) for row in rows]
        quantity = metrology.Quantity.IMPORT
        assert shown == [metrology.cumulative(seed, quantity, moment) for moment in times]
        volts = [row["voltage_l1"].value * 10 for row in rows[::100]]
        assert volts == [metrology.voltage(seed, moment) for moment in times[::100]]
        assert await a.get(PROFILE, entries=(10_000, 10_047)) == rows[9_999:10_047]
        day = times[5000], times[5047]
        assert await a.get(PROFILE, since=day[0], until=day[1]) == rows[5000:5048]
        assert await a.get(PROFILE, since=day[1], until=day[0]) == []
