"""The load profile: rows that are computed, and selective access to them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import metering, metrology
from devices.metrology import Quantity
from dlms.axdr.data import (
    NULL,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    array,
    double_long,
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

PROFILE = "1-0:99.1.0.255"
CLOCK = "0-0:1.0.0.255"
NOON = dt.datetime(2019, 3, 26, 12, 0, tzinfo=dt.UTC)
PERIOD = dt.timedelta(minutes=30)
ROWS = 48


def capture(class_id: int, code: str, attribute: int = 2, index: int = 0) -> Data:
    return structure(
        long_unsigned(class_id),
        octet_string(obis.parse(code)),
        integer(attribute),
        long_unsigned(index),
    )


TIME = capture(8, CLOCK)
ENERGY = capture(3, "1-0:1.8.0.255")


def octets(moment: dt.datetime) -> Data:
    return octet_string(CosemDateTime.from_datetime(moment).to_octets())


def by_range(begin: Data, end: Data, *columns: Data, restricting: Data = TIME) -> SelectiveAccess:
    return SelectiveAccess(1, structure(restricting, begin, end, array(*columns)))


def by_entry(first: int, last: int, left: int = 1, right: int = 0) -> SelectiveAccess:
    return SelectiveAccess(
        2,
        structure(
            double_long_unsigned(first),
            double_long_unsigned(last),
            long_unsigned(left),
            long_unsigned(right),
        ),
    )


def rows(meter: Any, selection: SelectiveAccess | None = None) -> list[tuple[Any, ...]]:
    result = meter.get(PROFILE, 2, "s1sp", selection=selection)
    assert isinstance(result, Data), result
    assert result.type is DataType.ARRAY
    assert all(row.type is DataType.STRUCTURE for row in result.value)
    return [tuple(cell.value for cell in row.value) for row in result.value]


def moments(meter: Any, selection: SelectiveAccess | None = None) -> list[dt.datetime]:
    return [CosemDateTime.from_octets(row[0]).to_datetime() for row in rows(meter, selection)]


DAY = f'[objects."{PROFILE}"]\nvalues.8 = {{ double-long-unsigned = {ROWS} }}\n'
"""The meter keeps one day: 13 months are read in other tests."""


@pytest.fixture
def bench(make_bench: Callable[..., Any]) -> Any:
    return make_bench("secure", DAY)


def test_the_whole_buffer(bench: Any) -> None:
    """A row each half hour of the last day, oldest first, the last one now."""
    found = rows(bench)
    assert len(found) == ROWS == bench.value(PROFILE, 7, "s1sp") == bench.value(PROFILE, 8, "s1sp")
    wanted = [NOON - PERIOD * back for back in range(ROWS - 1, -1, -1)]
    assert moments(bench) == wanted
    assert [row[1] for row in found] == [
        metrology.cumulative(bench.device.seed, Quantity.IMPORT, moment) for moment in wanted
    ]
    assert len({row[1] for row in found}) == ROWS


def test_the_last_row_is_the_register_at_that_time(bench: Any) -> None:
    assert rows(bench)[-1][1] == bench.value("1-0:1.8.0.255", 2)
    bench.now += dt.timedelta(minutes=29, seconds=59)
    assert moments(bench)[-1] == NOON
    bench.now += dt.timedelta(seconds=1)
    assert moments(bench)[-1] == NOON + PERIOD


def test_rows_do_not_change_when_time_passes(bench: Any) -> None:
    before = rows(bench)
    bench.now += PERIOD * 10
    assert rows(bench)[:-10] == before[10:]


@given(
    st.datetimes(dt.datetime(2016, 1, 1), dt.datetime(2036, 1, 1), timezones=st.just(dt.UTC)),
    st.timedeltas(dt.timedelta(days=-3650), dt.timedelta(days=300_000)),
)
def test_row_times_are_whole_periods_of_the_device_clock(
    make_bench: Callable[..., Any], true: dt.datetime, offset: dt.timedelta
) -> None:
    """Exactly, whatever the meter's clock is wrong by; the last row is not in the future."""
    meter = make_bench("secure", DAY)
    meter.now = true
    meter.device.state.clock_offset = offset
    found = moments(meter)
    assert len(found) == ROWS
    assert all((m.minute % 30, m.second, m.microsecond) == (0, 0, 0) for m in found)
    assert all(later - earlier == PERIOD for earlier, later in itertools.pairwise(found))
    assert dt.timedelta() <= true + offset - found[-1] < PERIOD


def test_a_wrong_clock_shows_wrong_times_but_true_energy(bench: Any) -> None:
    bench.device.state.clock_offset = dt.timedelta(minutes=10)
    bench.now += dt.timedelta(minutes=25)
    assert moments(bench)[-1] == NOON + PERIOD
    taken = NOON + dt.timedelta(minutes=20)
    assert rows(bench)[-1][1] == metrology.cumulative(bench.device.seed, Quantity.IMPORT, taken)


def test_range_has_both_its_bounds(bench: Any) -> None:
    begin, end = NOON - PERIOD * 5, NOON - PERIOD * 2
    wanted = [begin + PERIOD * n for n in range(4)]
    assert moments(bench, by_range(octets(begin), octets(end))) == wanted
    step = dt.timedelta(milliseconds=10)
    assert moments(bench, by_range(octets(begin + step), octets(end))) == wanted[1:]
    assert moments(bench, by_range(octets(begin), octets(end - step))) == wanted[:-1]
    assert moments(bench, by_range(octets(begin - step), octets(end + step))) == wanted
    assert moments(bench, by_range(octets(begin), octets(begin))) == wanted[:1]


def test_range_has_both_its_bounds_on_a_wrong_clock(bench: Any) -> None:
    bench.device.state.clock_offset = dt.timedelta(days=200_000, seconds=0.123457)
    first, *_, last = found = moments(bench)
    assert moments(bench, by_range(octets(first), octets(last))) == found


def test_range_in_another_zone_and_in_none(bench: Any) -> None:
    east = NOON.astimezone(dt.timezone(dt.timedelta(hours=5)))
    assert moments(bench, by_range(octets(east - PERIOD), octets(east))) == [NOON - PERIOD, NOON]
    naive = NOON.replace(tzinfo=None)
    assert moments(bench, by_range(octets(naive - PERIOD), octets(naive)))[-1] == NOON


def test_range_that_holds_nothing(bench: Any) -> None:
    day = dt.timedelta(days=2)
    assert rows(bench, by_range(octets(NOON), octets(NOON - PERIOD))) == []
    assert rows(bench, by_range(octets(NOON + PERIOD), octets(NOON + day))) == []
    assert rows(bench, by_range(octets(NOON - day * 2), octets(NOON - day))) == []
    assert len(rows(bench, by_range(octets(NOON - day), octets(NOON + day)))) == ROWS


def test_range_with_columns(bench: Any) -> None:
    whole = rows(bench)
    limits = (octets(NOON - PERIOD), octets(NOON))
    assert rows(bench, by_range(*limits, ENERGY)) == [row[1:] for row in whole[-2:]]
    assert rows(bench, by_range(*limits, TIME)) == [row[:1] for row in whole[-2:]]
    # In the order of the buffer, whatever the order asked for.
    assert rows(bench, by_range(*limits, ENERGY, TIME)) == whole[-2:]


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        (1, 0, slice(0, 48)),
        (1, 48, slice(0, 48)),
        (1, 1, slice(0, 1)),
        (2, 3, slice(1, 3)),
        (48, 0, slice(47, 48)),
        (48, 48, slice(47, 48)),
        (40, 1000, slice(39, 48)),
        (49, 0, slice(48, 48)),
        (3, 2, slice(0, 0)),
    ],
)
def test_entries_are_counted_from_1_and_0_is_the_last(
    bench: Any, first: int, last: int, wanted: slice
) -> None:
    assert rows(bench, by_entry(first, last)) == rows(bench)[wanted]


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [(1, 0, slice(0, 2)), (1, 1, slice(0, 1)), (2, 2, slice(1, 2)), (2, 0, slice(1, 2))],
)
def test_entry_columns(bench: Any, left: int, right: int, wanted: slice) -> None:
    whole = [row[wanted] for row in rows(bench)]
    assert rows(bench, by_entry(1, 0, left, right)) == whole


NOW = octets(NOON)
BOX = Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.UNSIGNED), (unsigned(1),)))


@pytest.mark.parametrize(
    "parameters",
    [
        NULL,
        integer(1),
        octet_string(b""),
        array(),
        structure(),
        structure(TIME, NOW, NOW),
        structure(TIME, NOW, NOW, array(), array()),
        structure(TIME, integer(1), NOW, array()),
        structure(TIME, NOW, NULL, array()),
        structure(TIME, octet_string(b""), NOW, array()),
        structure(TIME, octet_string(bytes(12)), NOW, array()),
        structure(TIME, octet_string(b"\xff" * 11), NOW, array()),
        structure(TIME, NOW, octet_string(b"\xff" * 13), array()),
        structure(structure(), NOW, NOW, array()),
        structure(array(), NOW, NOW, array()),
        structure(NULL, NOW, NOW, array()),
        structure(BOX, NOW, NOW, array()),
        structure(octet_string(b"\x08"), NOW, NOW, array()),
        structure(structure(long_unsigned(8)), NOW, NOW, array()),
        structure(ENERGY, NOW, NOW, array()),
        structure(capture(8, "0-0:1.0.1.255"), NOW, NOW, array()),
        structure(capture(8, CLOCK, 3), NOW, NOW, array()),
        BOX,
    ],
)
def test_a_range_that_is_none(bench: Any, parameters: Data) -> None:
    result = bench.get(PROFILE, 2, "s1sp", selection=SelectiveAccess(1, parameters))
    assert result is DataAccessResult.TYPE_UNMATCHED


@pytest.mark.parametrize(
    "parameters",
    [
        NULL,
        structure(),
        structure(unsigned(1), unsigned(1), unsigned(1)),
        structure(unsigned(1), unsigned(1), unsigned(1), NULL),
        structure(octet_string(b"\1"), unsigned(1), unsigned(1), unsigned(1)),
        structure(double_long(-1), unsigned(1), unsigned(1), unsigned(1)),
        structure(unsigned(1), unsigned(1), unsigned(1), integer(-1)),
    ],
)
def test_an_entry_selection_that_is_none(bench: Any, parameters: Data) -> None:
    result = bench.get(PROFILE, 2, "s1sp", selection=SelectiveAccess(2, parameters))
    assert result is DataAccessResult.TYPE_UNMATCHED


@pytest.mark.parametrize("selector", [0, 3, 255])
def test_selectors_that_are_none(bench: Any, selector: int) -> None:
    parameters = by_entry(1, 0).parameters
    result = bench.get(PROFILE, 2, "s1sp", selection=SelectiveAccess(selector, parameters))
    assert result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize("attribute", [3, 4, 5, 6, 7, 8])
def test_only_the_buffer_is_selective(bench: Any, attribute: int) -> None:
    result = bench.get(PROFILE, attribute, "s1sp", selection=by_entry(1, 0))
    assert result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


CELLS = st.recursive(
    st.sampled_from([NULL, unsigned(1), long_unsigned(8), NOW, BOX, TIME, ENERGY, integer(-1)]),
    lambda inner: st.lists(inner, max_size=4).map(lambda parts: structure(*parts)),
    max_leaves=8,
)


@given(st.integers(0, 3), CELLS)
def test_no_selection_is_an_accident(
    make_bench: Callable[..., Any], selector: int, parameters: Data
) -> None:
    result = make_bench().get(PROFILE, 2, "s1sp", selection=SelectiveAccess(selector, parameters))
    assert isinstance(result, Data) or result in (
        DataAccessResult.TYPE_UNMATCHED,
        DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
    )


def table(captures: str, period: int = 3600, entries: int = 3) -> str:
    return (
        f'[objects."{PROFILE}"]\nvalues.3 = {{ array = [{captures}] }}\n'
        f"values.4 = {{ double-long-unsigned = {period} }}\n"
        f"values.8 = {{ double-long-unsigned = {entries} }}\n"
    )


def column(class_id: int, code: str, attribute: int) -> str:
    return (
        f"{{ structure = [{{ long-unsigned = {class_id} }}, "
        f'{{ obis = "{code}" }}, {{ integer = {attribute} }}, {{ long-unsigned = 0 }}] }}'
    )


def test_other_columns_periods_and_lengths(make_bench: Callable[..., Any]) -> None:
    """What is not there is null; what does not depend on time is as it is now."""
    columns = ", ".join(
        (
            column(8, CLOCK, 2),
            column(3, "1-0:1.7.0.255", 2),
            column(1, "0-0:42.0.0.255", 1),
            column(3, CLOCK, 2),
            column(8, "0-0:1.0.9.255", 2),
            column(8, CLOCK, 99),
        )
    )
    meter = make_bench("itron", table(columns))
    found = rows(meter)
    assert meter.value(PROFILE, 7, "s1sp") == len(found) == 3
    assert [m.hour for m in moments(meter)] == [10, 11, 12]
    name = obis.parse("0-0:42.0.0.255")
    power = [
        metrology.power(meter.device.seed, Quantity.IMPORT, moment) for moment in moments(meter)
    ]
    assert [row[1:] for row in found] == [(p, name, None, None, None) for p in power]


def test_without_a_period_there_are_no_rows(make_bench: Callable[..., Any]) -> None:
    """Period 0: captured from outside only (Blue Book 4.3.6)."""
    meter = make_bench("secure", table(column(8, CLOCK, 2), period=0))
    assert rows(meter) == []
    assert meter.value(PROFILE, 7, "s1sp") == 0


def test_reset_and_capture_are_offered_to_nobody(bench: Any) -> None:
    for method in (1, 2):
        for who in ("reader", "s1sp"):
            assert bench.act(PROFILE, method, integer(0), who) == 3
    assert bench.get(PROFILE, 2, "public") is DataAccessResult.OBJECT_UNDEFINED
    assert bench.get(PROFILE, 5, "reader") == enum(1)


# Other orders, other restrictions, other columns --------------------------------------------------


def sorted_by(method: int, code: str = "1-0:1.8.0.255", class_id: int = 3) -> str:
    return table(
        ", ".join(
            (column(8, CLOCK, 2), column(3, "1-0:1.7.0.255", 2), column(3, "1-0:1.8.0.255", 2))
        )
    ) + (f"values.5 = {{ enum = {method} }}\nvalues.6 = {column(class_id, code, 2)}\n")


def sorted_rows(make_bench: Callable[..., Any], method: int, *sort_object: Any) -> list[Any]:
    return rows(make_bench("itron", sorted_by(method, *sort_object)))


def test_sort_methods(make_bench: Callable[..., Any]) -> None:
    """1 fifo, 2 lifo, 3 largest, 4 smallest, 5 nearest to zero, 6 farthest from it (4.3.6)."""
    captured = sorted_rows(make_bench, 1)
    energy = [row[2] for row in captured]
    assert energy == sorted(set(energy))  # a register only grows
    assert sorted_rows(make_bench, 2) == captured[::-1]
    for method, backwards in ((3, True), (4, False), (5, False), (6, True)):
        assert sorted_rows(make_bench, method) == sorted(
            captured, key=lambda row: row[2], reverse=backwards
        )
        power = sorted_rows(make_bench, method, "1-0:1.7.0.255")
        assert power == sorted(captured, key=lambda row: row[1], reverse=backwards)
        # What is no column with numbers sorts nothing.
        assert sorted_rows(make_bench, method, CLOCK, 8) == captured
        assert sorted_rows(make_bench, method, "1-0:32.7.0.255") == captured


def test_entries_are_counted_in_the_order_shown(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("itron", sorted_by(2))
    assert (
        rows(meter, by_entry(1, 1))
        == rows(meter)[:1]
        == [rows(make_bench("itron", sorted_by(1)))[-1]]
    )


def test_a_range_of_numbers(bench: Any) -> None:
    whole = rows(bench)
    low, high = (double_long_unsigned(whole[place][1]) for place in (10, 20))
    assert rows(bench, by_range(low, high, restricting=ENERGY)) == whole[10:21]
    over = double_long_unsigned(whole[10][1] + 1)
    assert rows(bench, by_range(over, high, restricting=ENERGY)) == whole[11:21]
    assert rows(bench, by_range(high, low, restricting=ENERGY)) == []
    for wrong in (NOW, NULL, Data(DataType.BOOLEAN, True)):
        selection = by_range(wrong, high, restricting=ENERGY)
        result = bench.get(PROFILE, 2, "s1sp", selection=selection)
        assert result is DataAccessResult.TYPE_UNMATCHED


def test_another_attribute_of_a_clock_is_a_number(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("itron", table(f"{column(8, CLOCK, 2)}, {column(8, CLOCK, 3)}"))
    zone = capture(8, CLOCK, 3)
    assert rows(meter, by_range(integer(0), integer(0), restricting=zone)) == rows(meter)
    assert rows(meter, by_range(integer(1), integer(2), restricting=zone)) == []


def test_columns_of_the_laboratory(make_bench: Callable[..., Any]) -> None:
    """The whole object for attribute 0, one element for a data_index; newest first."""
    meter = make_bench("laboratory")
    buffer = meter.get("1-0:99.2.0.255", 2, "reader")
    assert len(buffer.value) == meter.value("1-0:99.2.0.255", 7, "reader") == 31
    times = [CosemDateTime.from_octets(row.value[0].value).to_datetime() for row in buffer.value]
    assert times == sorted(times, reverse=True)
    unit = meter.value("1-0:1.8.0.255", 3, "reader")[1]
    voltage = meter.get("1-0:32.7.0.255", 0, "reader")
    assert {row.value[2] for row in buffer.value} == {unit}
    for row in buffer.value:
        assert row.value[3].value[0] == voltage.value[0]
        assert row.value[3].value[2] == voltage.value[2]


def test_elements_that_are_not_there_are_null(make_bench: Callable[..., Any]) -> None:
    index = column(3, "1-0:1.8.0.255", 3).replace("long-unsigned = 0 ", "long-unsigned = {n} ")
    columns = ", ".join(index.replace("{n}", str(n)) for n in (1, 2, 3))
    number = column(3, "1-0:1.8.0.255", 2).replace("long-unsigned = 0 ", "long-unsigned = 1 ")
    meter = make_bench("itron", table(f"{columns}, {number}"))
    assert set(rows(meter)) == {(0, 30, None, None)}


def test_a_buffer_does_not_contain_a_buffer(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("itron", table(f"{column(7, PROFILE, 2)}, {column(7, PROFILE, 0)}"))
    assert rows(meter) == [(None, None)] * 3


def test_rows_are_bounded(make_bench: Callable[..., Any]) -> None:
    meter = make_bench("itron", table(column(8, CLOCK, 2), entries=0xFFFFFFFF))
    assert meter.value(PROFILE, 7, "s1sp") == 20_000
    meter.now = metrology.INSTALLED + dt.timedelta(days=365)
    assert meter.value(PROFILE, 7, "s1sp") == 365 * 24 + 1


# Rows that are not there, and rows that are not made ---------------------------------------------


HOUR = dt.timedelta(hours=1)


@pytest.fixture
def long_memory(make_bench: Callable[..., Any]) -> Any:
    """13 months of half-hours of time, import and voltage; the s1sp may do all."""
    columns = ", ".join(
        (column(8, CLOCK, 2), column(3, "1-0:1.8.0.255", 2), column(3, "1-0:32.7.0.255", 2))
    )
    return make_bench("secure", table(columns, 1800, 395 * 48) + 'rights.s1sp = "rw m"\n')


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[dt.datetime]:
    """The moments for which import energy was computed."""
    moments: list[dt.datetime] = []
    total = metering.total

    def counted(device: Any, quantity: Quantity, moment: dt.datetime) -> int:
        moments.append(moment)
        return total(device, quantity, moment)

    monkeypatch.setattr(metering, "total", counted)
    return moments


def test_only_what_is_selected_is_computed(long_memory: Any, evaluated: list[Any]) -> None:
    assert long_memory.value(PROFILE, 7, "s1sp") == 395 * 48
    assert evaluated == []
    day = NOON - dt.timedelta(days=200)
    found = moments(long_memory, by_range(octets(day), octets(day + 24 * HOUR)))
    assert found == evaluated == [day + PERIOD * n for n in range(49)]
    evaluated.clear()
    found = moments(long_memory, by_entry(101, 148))
    assert found == evaluated == [NOON - PERIOD * (395 * 48 - n) for n in range(101, 149)]
    evaluated.clear()
    assert rows(long_memory, by_range(octets(day + PERIOD), octets(day))) == []
    assert rows(long_memory, by_entry(20_000, 20_001)) == rows(long_memory, by_entry(5, 4)) == []
    assert evaluated == []
    # Columns that are not selected cost nothing either.
    assert len(rows(long_memory, by_entry(1, 0, 3, 3))) == 395 * 48
    assert len(rows(long_memory, by_range(octets(day), octets(day + HOUR), TIME))) == 3
    assert evaluated == []


def test_newest_first_is_no_more_work(make_bench: Callable[..., Any], evaluated: list[Any]) -> None:
    meter = make_bench("itron", sorted_by(2))
    assert [row[2] for row in rows(meter, by_entry(2, 2))] == [
        metrology.cumulative(meter.device.seed, Quantity.IMPORT, NOON - HOUR)
    ]
    assert evaluated == [NOON - HOUR]
    only = rows(meter, by_range(octets(NOON - HOUR), octets(NOON)))
    assert only == rows(meter)[:2]


def test_rows_begin_with_the_meter(long_memory: Any) -> None:
    begin = metrology.INSTALLED
    for after, count in ((HOUR, 3), (dt.timedelta(), 1), (-PERIOD, 0), (-HOUR * 9999, 0)):
        long_memory.now = begin + after
        assert long_memory.value(PROFILE, 7, "s1sp") == len(rows(long_memory)) == count
    long_memory.now = begin + HOUR
    assert moments(long_memory)[0] == begin
    assert rows(long_memory)[0][1] == 0
    assert rows(long_memory, by_entry(3, 0)) == rows(long_memory)[2:]


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        ("FFFFFFFFFFFFFFFFFF8000FF", "FFFFFFFFFFFFFFFFFF8000FF", (0, 24)),
        ("FFFFFFFFFFFFFFFFFF8000FF", "07E3031AFF0A000000000000", (0, 10)),
        ("07E3031AFF02000000000000", "FFFFFFFFFFFFFFFFFF8000FF", (2, 24)),
        # A day, an hour, a minute that are not specified further are whole ones.
        ("07E3031AFFFFFFFFFF000000", "07E3031AFFFFFFFFFF000000", (0, 23.5)),
        ("07E3031AFF03FFFFFF000000", "07E3031AFF03FFFFFF000000", (3, 3.5)),
        ("07E3031AFF031EFFFF000000", "07E3031AFF031EFFFF000000", (3.5, 3.5)),
        ("07E303FFFFFFFFFFFF000000", "07E303FFFFFFFFFFFF000000", (0, 24)),
        ("07E3FFFFFFFFFFFFFF000000", "07E3FFFFFFFFFFFFFF000000", (0, 24)),
        # Hundredths: without them the second is whole, with them it is not.
        ("07E3031AFF031E00FF000000", "07E3031AFF040000FF000000", (3.5, 4)),
        ("07E3031AFF031E0001000000", "07E3031AFF040000FF000000", (4, 4)),
        # 26 March is a Tuesday, whatever is said.
        ("07E3031A05031E0000000000", "07E3031A01040000FF000000", (3.5, 4)),
        # British summer time, as it is told: local time is an hour ahead of UTC.
        ("07E3031AFF04000000FFC480", "07E3031AFF05000000FFC480", (3, 4)),
        # Without a deviation it is the meter's time, UTC here.
        ("07E3031AFF04000000800000", "07E3031AFF05000000800080", (4, 5)),
    ],
)
def test_limits(long_memory: Any, begin: str, end: str, hours: tuple[float, float]) -> None:
    midnight = NOON - 12 * HOUR
    long_memory.now = midnight + 24 * HOUR
    last = octet_string(bytes.fromhex(end))
    first = octet_string(bytes.fromhex(begin))
    found = [moment for moment in moments(long_memory, by_range(first, last)) if moment >= midnight]
    assert (found[0] - midnight, found[-1] - midnight) == tuple(hour * HOUR for hour in hours)


def test_the_last_day_of_a_month(long_memory: Any) -> None:
    for code, day in (("FE", 28), ("FD", 27)):
        limit = octet_string(bytes.fromhex(f"07E302{code}FFFFFFFFFF000000"))
        found = moments(long_memory, by_range(limit, limit))
        assert {moment.date() for moment in found} == {dt.date(2019, 2, day)}
        assert len(found) == 48


@pytest.mark.parametrize(
    "limit",
    [
        "FFFF031AFFFFFFFFFF000000",  # every 26 March
        "FFFFFFFFFF0A000000000000",  # ten o'clock
        "07E3FF1AFFFFFFFFFF000000",  # the 26th of any month
        "07E303FFFF0A000000000000",
        "07E3031AFFFF1E0000000000",
        "07E3031AFF0AFF0000000000",
        "07E3FE01FF02000000000000",  # when summer time begins
        "07E3021EFF02000000000000",  # 30 February
        "07E302E0FF02000000000000",
        "0000031AFF02000000000000",
        "FFFE031AFF02000000000000",
    ],
)
def test_limits_that_are_no_moment(long_memory: Any, limit: str) -> None:
    wrong = octet_string(bytes.fromhex(limit))
    for selection in (by_range(wrong, NOW), by_range(NOW, wrong)):
        result = long_memory.get(PROFILE, 2, "s1sp", selection=selection)
        assert result is DataAccessResult.TYPE_UNMATCHED


def test_the_ends_of_the_calendar(long_memory: Any) -> None:
    first, last = (
        octet_string(bytes.fromhex(text))
        for text in ("00010101FF00000000FCB800", "270F0C1FFFFFFFFFFF034800")
    )
    assert len(rows(long_memory, by_range(first, last))) == 395 * 48
    assert rows(long_memory, by_range(last, first)) == []


def test_a_wrong_clock_is_what_rows_are_compared_with(long_memory: Any) -> None:
    """Rows are captured when the device's clock is at a half-hour, and searched by it."""
    long_memory.device.state.clock_offset = dt.timedelta(minutes=7)
    shown = NOON - HOUR
    (row,) = rows(long_memory, by_range(octets(shown), octets(shown)))
    assert row[0] == octets(shown).value
    true = shown - dt.timedelta(minutes=7)
    assert row[1] == metrology.cumulative(long_memory.device.seed, Quantity.IMPORT, true)


def test_a_zone_of_the_meter(long_memory: Any) -> None:
    """Limits without a deviation are local time, and so are rows."""
    clock = long_memory.profile.objects[obis.parse(CLOCK)]
    long_memory.device.store(clock, 3, Data(DataType.LONG, -60))
    local = octet_string(bytes.fromhex("07E3031AFF0500000080 0000".replace(" ", "")))
    (row,) = rows(long_memory, by_range(local, local))
    assert CosemDateTime.from_octets(row[0]).to_datetime() == NOON - 8 * HOUR
    assert CosemDateTime.from_octets(row[0]).hour == 5


def test_reset_lets_computed_rows_begin_anew(long_memory: Any) -> None:
    before = rows(long_memory)
    assert long_memory.act(PROFILE, 1, integer(0), "s1sp") == 0
    assert rows(long_memory) == []
    assert long_memory.value(PROFILE, 7, "s1sp") == 0
    since = (NOON - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    assert long_memory.device.state.figures == {f"since {PROFILE}": since}
    long_memory.now += HOUR
    assert moments(long_memory) == [NOON + PERIOD, NOON + HOUR]
    assert len(before) == 395 * 48
    # Another buffer has not been cleared, nor a register.
    assert long_memory.value("1-0:1.8.0.255", 2, "s1sp") > before[-1][1]


def test_a_reset_before_the_meter_was_installed(long_memory: Any) -> None:
    long_memory.now = metrology.INSTALLED - 10 * HOUR
    assert long_memory.act(PROFILE, 1, integer(0), "s1sp") == 0
    long_memory.now = metrology.INSTALLED + HOUR
    assert moments(long_memory)[0] == metrology.INSTALLED


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (3, array(TIME, ENERGY)),
        (4, double_long_unsigned(900)),
        (8, double_long_unsigned(100)),
    ],
)
def test_another_structure_clears_the_buffer(long_memory: Any, attribute: int, value: Data) -> None:
    assert long_memory.set(PROFILE, attribute, value, "s1sp") == 0
    assert long_memory.get(PROFILE, attribute, "s1sp") == value
    assert rows(long_memory) == []
    long_memory.now += HOUR
    assert len(rows(long_memory)) == (4 if attribute == 4 else 2)


def test_structures_that_are_not_taken(long_memory: Any) -> None:
    before = long_memory.digest()
    columns = array(*[ENERGY] * 33)
    assert long_memory.set(PROFILE, 3, columns, "s1sp") is DataAccessResult.OTHER_REASON
    assert long_memory.set(PROFILE, 3, NULL, "s1sp") is DataAccessResult.TYPE_UNMATCHED
    assert long_memory.set(PROFILE, 4, long_unsigned(1), "s1sp") is DataAccessResult.TYPE_UNMATCHED
    assert long_memory.digest() == before
    assert long_memory.set(PROFILE, 3, array(*[ENERGY] * 32), "s1sp") == 0


def test_there_is_nothing_to_capture_where_rows_are_computed(long_memory: Any) -> None:
    before = long_memory.digest()
    assert long_memory.act(PROFILE, 2, integer(0), "s1sp") is ActionResult.OBJECT_UNAVAILABLE
    assert long_memory.digest() == before


def test_what_is_no_reading_is_read_once(
    make_bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = ", ".join((column(3, "1-0:1.7.0.255", 3), column(1, "0-0:42.0.0.255", 2)))
    meter = make_bench("itron", table(columns, 1800, 1000))
    read: list[int] = []
    attribute = meter.device.attribute
    monkeypatch.setattr(
        meter.device,
        "attribute",
        lambda row, n, *more: (read.append(n), attribute(row, n, *more))[1],
    )
    assert len(rows(meter)) == 1000
    assert read.count(2) == 1


READINGS = """
[objects."1-0:2.8.0.255"]
class = "Register"
role = "export-energy"
rights.s1sp = "r"
assumed = "for the test"
[objects."1-0:3.8.0.255"]
class = "Register"
role = "reactive-import-energy"
rights.s1sp = "r"
assumed = "for the test"
[objects."1-0:4.8.0.255"]
class = "Register"
role = "reactive-export-energy"
rights.s1sp = "r"
assumed = "for the test"
[objects."7-0:3.0.0.255"]
class = "Register"
role = "gas-volume"
rights.s1sp = "r"
assumed = "for the test"
"""


def test_every_quantity_is_a_register_and_a_column(make_bench: Callable[..., Any]) -> None:
    codes = {
        "1-0:1.8.0.255": Quantity.IMPORT,
        "1-0:2.8.0.255": Quantity.EXPORT,
        "1-0:3.8.0.255": Quantity.REACTIVE_IMPORT,
        "1-0:4.8.0.255": Quantity.REACTIVE_EXPORT,
        "7-0:3.0.0.255": Quantity.GAS_VOLUME,
    }
    columns = ", ".join(column(3, code, 2) for code in codes)
    meter = make_bench("secure", table(columns, 1800, 30) + READINGS)
    seed = meter.device.seed
    now = [metrology.cumulative(seed, quantity, NOON) for quantity in codes.values()]
    assert [meter.value(code, 2, "s1sp") for code in codes] == now
    found = rows(meter)
    assert list(found[-1]) == now
    before = NOON - 29 * PERIOD
    assert list(found[0]) == [metrology.cumulative(seed, q, before) for q in codes.values()]
    assert len(set(now)) == 5
