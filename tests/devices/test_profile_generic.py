"""The load profile: rows that are computed, and selective access to them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import metrology
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
from dlms.xdlms.codes import DataAccessResult
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


@settings(deadline=None)
@given(
    st.datetimes(dt.datetime(2016, 1, 1), dt.datetime(2036, 1, 1), timezones=st.just(dt.UTC)),
    st.timedeltas(dt.timedelta(days=-3650), dt.timedelta(days=300_000)),
)
def test_row_times_are_whole_periods_of_the_device_clock(
    make_bench: Callable[..., Any], true: dt.datetime, offset: dt.timedelta
) -> None:
    """Exactly, whatever the meter's clock is wrong by; the last row is not in the future."""
    meter = make_bench()
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
        structure(TIME, octet_string(b"\xff" * 12), NOW, array()),
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


@settings(deadline=None)
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
    """Period 0: captured from outside only, which nothing does (Blue Book 4.3.6)."""
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
    assert meter.value(PROFILE, 7, "s1sp") == 10_000
