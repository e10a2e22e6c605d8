"""Buffers of captured rows: event logs and snapshots."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from devices import captures, metrology
from devices.metrology import Quantity
from dlms.axdr.data import (
    NULL,
    Data,
    DataType,
    array,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import obis
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.descriptors import SelectiveAccess

LOG, OTHER = "0-0:99.98.0.255", "0-0:99.98.1.255"
CLOCK, CODE, ENERGY = "0-0:1.0.0.255", "0-0:96.11.9.255", "1-0:1.8.0.255"
NOON = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ENTRIES = 5


def written(class_id: int, code: str) -> str:
    return (
        f"{{ structure = [{{ long-unsigned = {class_id} }}, "
        f'{{ obis = "{code}" }}, {{ integer = 2 }}, {{ long-unsigned = 0 }}] }}'
    )


def table(period: int = 0, sort: int = 1, entries: int = ENTRIES, role: str = "") -> str:
    columns = ", ".join((written(8, CLOCK), written(1, CODE), written(3, ENERGY)))
    logs = [
        f'[objects."{code}"]\nclass = "Profile generic"\n{role}\n'
        f"values.3 = {{ array = [{columns}] }}\n"
        f"values.4 = {{ double-long-unsigned = {period} }}\n"
        f"values.5 = {{ enum = {sort} }}\n"
        f"values.6 = {written(1, CODE)}\n"
        f"values.8 = {{ double-long-unsigned = {entries} }}\n"
        'rights.s1sp = "rw m"\nassumed = "for the test"\n'
        for code in (LOG, OTHER)
    ]
    number = (
        f'[objects."{CODE}"]\nclass = "Data"\nvalues.2 = {{ unsigned = 9 }}\n'
        'rights.s1sp = "rw"\nassumed = "for the test"\n'
    )
    return number + "".join(logs)


def capture_object(class_id: int, code: str) -> Data:
    return structure(
        long_unsigned(class_id), octet_string(obis.parse(code)), integer(2), long_unsigned(0)
    )


def octets(moment: dt.datetime) -> Data:
    return octet_string(CosemDateTime.from_datetime(moment).to_octets())


def rows(meter: Any, selection: SelectiveAccess | None = None, code: str = LOG) -> list[Any]:
    result = meter.get(code, 2, "s1sp", selection=selection)
    assert isinstance(result, Data), result
    assert result.type is DataType.ARRAY
    return [tuple(cell.value for cell in row.value) for row in result.value]


def codes(meter: Any, selection: SelectiveAccess | None = None) -> list[int]:
    return [row[1] for row in rows(meter, selection)]


def by_range(begin: Data, end: Data, *columns: Data, restricting: Data | None = None) -> Any:
    clock = capture_object(8, CLOCK) if restricting is None else restricting
    return SelectiveAccess(1, structure(clock, begin, end, array(*columns)))


def by_entry(first: int, last: int, left: int = 1, right: int = 0) -> SelectiveAccess:
    entries = double_long_unsigned(first), double_long_unsigned(last)
    return SelectiveAccess(2, structure(*entries, long_unsigned(left), long_unsigned(right)))


def log_row(meter: Any, code: str = LOG) -> Any:
    return meter.profile.objects[obis.parse(code)]


def append(meter: Any, code: int, moment: dt.datetime) -> None:
    captures.append(
        meter.device, log_row(meter), octets(moment), unsigned(code), double_long_unsigned(code)
    )


@pytest.fixture
def meter(make_bench: Callable[..., Any]) -> Any:
    return make_bench("secure", table())


@pytest.fixture
def full(meter: Any) -> Any:
    """Seven events, of which five are kept; the clock was put back in between."""
    for code, hours in ((1, 1), (2, 2), (30, 3), (4, 4), (50, 5), (6, 4), (7, 6)):
        append(meter, code, NOON + HOUR * hours)
    return meter


def test_captured_is_what_was_then(meter: Any) -> None:
    assert meter.value(LOG, 7, "s1sp") == 0
    assert meter.act(LOG, 2, integer(0), "s1sp") is ActionResult.SUCCESS
    first = (octets(NOON).value, 9, metrology.cumulative(meter.device.seed, Quantity.IMPORT, NOON))
    assert rows(meter) == [first]
    meter.now += HOUR
    assert meter.set(CODE, 2, unsigned(10), "s1sp") == 0
    assert rows(meter) == [first]
    captures.capture(meter.device, log_row(meter), meter.now)
    assert rows(meter)[0] == first
    assert rows(meter)[1][:2] == (octets(NOON + HOUR).value, 10)
    assert rows(meter)[1][2] > first[2]
    assert meter.value(LOG, 7, "s1sp") == 2
    assert rows(meter, code=OTHER) == []


def test_the_oldest_give_way(full: Any) -> None:
    assert codes(full) == [30, 4, 50, 6, 7]
    assert full.value(LOG, 7, "s1sp") == ENTRIES
    instance = obis.parse(LOG)
    assert sorted(full.device.state.rows) == [(instance, n) for n in range(2, 7)]
    assert captures.stored(full.device, instance)[0].value[1] == unsigned(30)


def test_reset(full: Any) -> None:
    captures.append(full.device, log_row(full, OTHER), NULL, unsigned(1), NULL)
    assert full.act(LOG, 1, integer(0), "s1sp") is ActionResult.SUCCESS
    assert (rows(full), full.value(LOG, 7, "s1sp")) == ([], 0)
    assert rows(full, code=OTHER) == [(None, 1, None)]
    append(full, 8, NOON)
    assert codes(full) == [8]
    # Running numbers go on: no row of the past gets the number of another.
    assert (obis.parse(LOG), 7) in full.device.state.rows


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (3, array(capture_object(8, CLOCK))),
        (4, double_long_unsigned(0)),
        (8, double_long_unsigned(3)),
    ],
)
def test_another_structure_clears_the_buffer(full: Any, attribute: int, value: Data) -> None:
    assert full.set(LOG, attribute, value, "s1sp") == 0
    assert rows(full) == []
    assert full.device.state.rows == {}


def test_a_row_has_all_columns(meter: Any) -> None:
    before = meter.digest()
    with pytest.raises(ValueError, match="3 columns, not 2"):
        captures.append(meter.device, log_row(meter), NULL, NULL)
    assert meter.digest() == before


def test_a_buffer_without_room(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("secure", table(entries=0))
    append(meter, 1, NOON)
    assert rows(meter) == []
    assert meter.device.state.rows == {}


def test_room_is_bounded(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("secure", table(entries=0xFFFF_FFFF))
    assert captures.entries(meter.device, log_row(meter)) == captures.MAX_ROWS == 20_000


def test_a_profile_that_keeps_fewer_rows(full: Any) -> None:
    """Of another version: the next row drops all that are too many."""
    full.device.store(log_row(full), 8, double_long_unsigned(2))
    append(full, 8, NOON)
    assert codes(full) == [7, 8]
    assert len(full.device.state.rows) == 2


def test_a_row_captured_with_fewer_columns_is_filled_up(meter: Any) -> None:
    """What is not there is null: a profile of another version has more columns."""
    append(meter, 1, NOON)
    (key,) = meter.device.state.rows
    meter.device.state.rows[key] = structure(octets(NOON))
    assert rows(meter) == [(octets(NOON).value, None, None)]


def test_by_the_clock_that_was_stored(full: Any) -> None:
    """Also where it was put back."""
    limits = octets(NOON + 4 * HOUR), octets(NOON + 5 * HOUR)
    assert codes(full, by_range(*limits)) == [4, 50, 6]
    assert codes(full, by_range(limits[1], limits[0])) == []
    assert codes(full, by_range(limits[1], limits[1])) == [50]
    nothing = octet_string(CosemDateTime().to_octets())
    assert codes(full, by_range(nothing, limits[0])) == [30, 4, 6]
    assert codes(full, by_range(limits[1], nothing)) == [50, 7]
    assert codes(full, by_range(nothing, nothing)) == [30, 4, 50, 6, 7]
    one = capture_object(1, CODE)
    assert rows(full, by_range(*limits, one)) == [(4,), (50,), (6,)]


def test_a_limit_without_seconds_is_the_whole_minute(meter: Any) -> None:
    for code, second, micros in ((1, 0, 0), (2, 30, 0), (3, 59, 990_000), (4, 60, 0)):
        append(meter, code, NOON + dt.timedelta(seconds=second, microseconds=micros))
    minute = octet_string(bytes.fromhex("07E3031AFF0C00FFFF000000"))
    assert codes(meter, by_range(minute, minute)) == [1, 2, 3]
    second = octet_string(bytes.fromhex("07E3031AFF0C003BFF000000"))
    assert codes(meter, by_range(second, second)) == [3]


def test_times_in_rows_that_are_none(meter: Any) -> None:
    """They are in no range, and in the buffer."""
    for clock in (NULL, unsigned(1), octet_string(b"x"), octet_string(CosemDateTime().to_octets())):
        captures.append(meter.device, log_row(meter), clock, unsigned(1), NULL)
    append(meter, 2, NOON)
    nothing = octet_string(CosemDateTime().to_octets())
    assert codes(meter, by_range(nothing, octets(NOON))) == [2]
    assert codes(meter) == [1, 1, 1, 1, 2]


def test_by_entry(full: Any) -> None:
    assert codes(full, by_entry(2, 3)) == [4, 50]
    assert codes(full, by_entry(4, 0)) == [6, 7]
    assert codes(full, by_entry(5, 99)) == [7]
    assert codes(full, by_entry(6, 0)) == codes(full, by_entry(3, 2)) == []
    assert rows(full, by_entry(5, 5, 2, 2)) == [(7,)]


def test_by_number(full: Any) -> None:
    restricting = capture_object(1, CODE)
    assert codes(full, by_range(unsigned(6), unsigned(30), restricting=restricting)) == [30, 6, 7]


@pytest.mark.parametrize(
    ("method", "order"),
    [
        (1, [30, 4, 50, 6, 7]),
        (2, [7, 6, 50, 4, 30]),
        (3, [50, 30, 7, 6, 4]),
        (4, [4, 6, 7, 30, 50]),
        (5, [4, 6, 7, 30, 50]),
        (6, [50, 30, 7, 6, 4]),
    ],
)
def test_sort_methods(full: Any, method: int, order: list[int]) -> None:
    assert full.set(LOG, 5, enum(method), "s1sp") == 0
    assert codes(full) == order
    assert codes(full, by_entry(2, 3)) == order[1:3]
    limits = octets(NOON + 4 * HOUR), octets(NOON + 5 * HOUR)
    assert codes(full, by_range(*limits)) == [code for code in order if code in (4, 50, 6)]
    append(full, 100, NOON)
    assert 30 not in codes(full)  # the oldest is lost, whatever the order


def test_a_role_stores_what_has_a_period(make_bench: Callable[..., Any]) -> None:
    """Daily snapshots of figures that are not to be computed afterwards."""
    meter = make_bench("secure", table(period=86_400, role='role = "stored"'))
    assert captures.is_stored(meter.device, log_row(meter))
    assert rows(meter) == []
    assert meter.act(LOG, 2, integer(0), "s1sp") is ActionResult.SUCCESS
    assert len(rows(meter)) == 1
    computed = make_bench("secure", table(period=86_400))
    assert not captures.is_stored(computed.device, log_row(computed))
    assert len(rows(computed)) == ENTRIES


def test_refusals_are_as_of_computed_rows(full: Any) -> None:
    for selection in (
        SelectiveAccess(1, NULL),
        by_range(NULL, octets(NOON)),
        by_range(octets(NOON), octets(NOON), restricting=capture_object(8, "0-0:1.0.9.255")),
        SelectiveAccess(2, structure(*[integer(-1)] * 4)),
    ):
        result = full.get(LOG, 2, "s1sp", selection=selection)
        assert result is DataAccessResult.TYPE_UNMATCHED
