"""Buffers of profiles as rows: names, null-data, scalers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms import axdr
from dlms.axdr.data import (
    NULL,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    array,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    octet_string,
    unsigned,
)
from dlms.axdr.data import structure as struct
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import classes, obis
from dlms.cosem.quantity import Quantity, ScalerUnit
from dlms.cosem.rows import Column, columns, rows
from dlms.cosem.units import Unit

FOLDER = Path(__file__).parents[3] / "fixtures" / "vectors"


def capture(class_id: int, code: str, attribute: int = 2, data_index: int = 0) -> Data:
    return struct(
        long_unsigned(class_id),
        octet_string(obis.parse(code)),
        integer(attribute),
        long_unsigned(data_index),
    )


LOAD_PROFILE = array(
    capture(8, "0-0:1.0.0.255"),
    capture(1, "0-0:96.10.1.255"),
    capture(3, "1-0:1.8.0.255"),
    capture(3, "1-0:2.8.0.255"),
)
NAMES = ["clock", "status_register_1", "active_energy_import", "active_energy_export"]


def moment(text: str) -> Data:
    return octet_string(bytes.fromhex(text))


def test_a_buffer_of_a_meter() -> None:
    """Four hours of a published buffer: only the first row has its time."""
    entries = json.loads((FOLDER / "axdr.json").read_text("utf-8"))
    entry = next(one for one in entries if "null-data compression" in one["name"])
    buffer = axdr.decode(bytes.fromhex(entry["hex"]))
    found = rows(buffer, columns(LOAD_PROFILE), capture_period=3600)
    assert [str(row["clock"]) for row in found] == [
        "2019-12-31 23:00:00+01:00",
        "2020-01-01 00:00:00+01:00",
        "2020-01-01 01:00:00+01:00",
        "2020-01-01 02:00:00+01:00",
    ]
    # The day of the week goes on with the date: 31 December 2019 was a Tuesday.
    assert [row["clock"].day_of_week for row in found] == [2, 3, 3, 3]
    assert [list(row) for row in found] == [NAMES] * 4
    assert [list(row.values())[1:] for row in found] == [[6, 1517, 1620]] * 4


def test_names_of_columns() -> None:
    found = columns(
        array(
            capture(3, "1-0:32.7.0.255"),
            capture(4, "1-0:1.6.0.255"),
            capture(4, "1-0:1.6.0.255", 5),
            capture(3, "1-0:32.7.0.255", 3, 1),
            capture(3, "1-0:32.7.0.255", 0),
            capture(1, "0-0:199.0.0.255"),
            capture(700, "0-0:1.0.0.255", 7),
            capture(3, "1-0:32.7.0.255"),
            capture(3, "1-0:32.7.0.255"),
        )
    )
    assert [column.name for column in found] == [
        "voltage_l1",
        "active_power_import_maximum",
        "active_power_import_maximum.capture_time",
        "voltage_l1.scaler_unit[1]",
        "voltage_l1.0",
        "0-0:199.0.0.255",
        "clock.7",
        "voltage_l1 (2)",
        "voltage_l1 (3)",
    ]
    assert [column.is_time for column in found] == [False] * 9
    assert columns(LOAD_PROFILE)[0].is_time
    assert columns(array()) == ()


def test_cells_have_the_shape_of_their_attribute() -> None:
    """The capture time of a maximum is a date-time; an element is what its structure says."""
    wanted = columns(
        array(
            capture(4, "1-0:1.6.0.255", 5),
            capture(3, "1-0:1.8.0.255", 3, 2),
            capture(70, "0-0:96.3.10.255", 3),
            capture(1, "0-0:96.1.0.255"),
        )
    )
    buffer = array(
        struct(moment("07E80101FF000000000000FF"), enum(30), enum(1), octet_string(b"1"))
    )
    (row,) = rows(buffer, wanted)
    time, unit, state, serial = row.values()
    assert time == CosemDateTime(
        year=2024, month=1, day=1, hour=0, minute=0, second=0, hundredths=0, deviation=0
    )
    assert (str(unit), str(state), serial) == ("Wh", "connected", b"1")


def test_the_version_of_a_class_may_be_said() -> None:
    wanted = array(capture(15, "0-0:40.0.0.255", 10))
    assert columns(wanted)[0].name == "current_association.10"
    latest = columns(wanted, lambda class_id, _: classes.latest(class_id))
    assert latest[0].name == "current_association.user_list"


TIMES = columns(array(capture(8, "0-0:1.0.0.255")))
START = "07E8021C03173B00FF800000"  # Wednesday, 2024-02-28 23:59, no deviation


@pytest.mark.parametrize(
    ("first", "period", "newest_first", "second"),
    [
        (START, 60, False, "2024-02-29 00:00:00"),
        (START, 86400, False, "2024-02-29 23:59:00"),
        (START, 60, True, "2024-02-28 23:58:00"),
        (START, 0, False, None),
        ("07E802FFFF173B00FF800000", 60, False, None),  # no day
        ("FFFF021C03173B00FF800000", 60, False, None),  # no year
        ("270F0C1FFF173B00FF800000", 60, False, None),  # the last year there is
        ("07E8021EFF173B00FF800000", 60, False, None),  # 30 February
    ],
)
def test_times_left_out(first: str, period: int, newest_first: bool, second: str | None) -> None:
    buffer = array(struct(moment(first)), struct(NULL))
    found = rows(buffer, TIMES, capture_period=period, newest_first=newest_first)
    time = found[1]["clock"]
    assert (None if time is None else str(time)) == second
    if time is not None:
        assert (time.hundredths, time.status, time.deviation) == (None, 0, None)


def test_a_time_is_no_more_specified_than_the_one_before() -> None:
    start = "07E8021CFF1700FFFF8000FF"
    found = rows(array(struct(moment(start)), struct(NULL)), TIMES, capture_period=900)
    assert found[1]["clock"] == CosemDateTime(year=2024, month=2, day=28, hour=23, minute=15)


def test_nothing_before_the_first_row() -> None:
    found = rows(array(struct(NULL), struct(NULL)), TIMES, capture_period=900)
    assert [row["clock"] for row in found] == [None, None]


def test_null_data_repeats_the_cell_above() -> None:
    """Until the next that is given; a time column is told by class and attribute."""
    wanted = columns(array(capture(1, "0-0:96.10.1.255"), capture(8, "0-0:1.0.0.255", 4)))
    given_cells = [(1, 8), (None, None), (2, None), (None, 9), (None, None)]
    buffer = array(
        *(struct(*(NULL if c is None else unsigned(c) for c in row)) for row in given_cells)
    )
    found = [tuple(row.values()) for row in rows(buffer, wanted, capture_period=60)]
    assert found == [(1, 8), (1, 8), (2, 8), (2, 9), (2, 9)]


def test_scalers_make_quantities() -> None:
    wanted = columns(LOAD_PROFILE)
    scalers = {obis.parse("1-0:1.8.0.255"): ScalerUnit(-2, Unit.WATT_HOUR)}
    buffer = array(
        struct(NULL, unsigned(1), double_long_unsigned(12345), double_long_unsigned(7)),
        struct(NULL, NULL, NULL, NULL),
        struct(NULL, NULL, octet_string(b"?"), NULL),
    )
    found = rows(buffer, wanted, scalers=scalers)
    assert [str(row["active_energy_import"]) for row in found] == ["123.45 Wh", "123.45 Wh", "b'?'"]
    assert isinstance(found[0]["active_energy_import"], Quantity)
    assert [row["active_energy_export"] for row in found] == [7, 7, 7]
    status = columns(array(capture(3, "1-0:1.8.0.255", 3)))
    assert rows(array(struct(unsigned(1))), status, scalers=scalers) == [
        {"active_energy_import.scaler_unit": 1}
    ]


def test_a_compact_array() -> None:
    description = TypeDescription(
        DataType.STRUCTURE,
        2,
        (TypeDescription(DataType.UNSIGNED), TypeDescription(DataType.LONG_UNSIGNED)),
    )
    elements = (struct(unsigned(1), long_unsigned(2)), struct(unsigned(3), long_unsigned(4)))
    buffer = Data(DataType.COMPACT_ARRAY, CompactArray(description, elements))
    wanted = columns(array(capture(1, "0-0:96.10.1.255"), capture(3, "1-0:32.7.0.255")))
    assert [list(row.values()) for row in rows(buffer, wanted)] == [[1, 2], [3, 4]]


def test_one_column_without_its_structure() -> None:
    wanted = columns(array(capture(3, "1-0:32.7.0.255")))
    expected = [{"voltage_l1": 5}, {"voltage_l1": 6}]
    assert rows(array(unsigned(5), struct(unsigned(6))), wanted) == expected


@pytest.mark.parametrize(
    ("buffer", "problem"),
    [
        (NULL, "a buffer is an array, not null-data"),
        (struct(), "a buffer is an array, not structure"),
        (Data(DataType.ARRAY, None), "a buffer is an array"),
        (array(struct(NULL, NULL, NULL, NULL), struct(NULL)), "row 1 has 1 cells for 4 columns"),
        (array(NULL), "row 0 has no cells for 4 columns"),
        (array(array(NULL, NULL, NULL, NULL)), "row 0 has no cells for 4 columns"),
    ],
)
def test_what_is_no_buffer_of_these_columns(buffer: Data, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        rows(buffer, columns(LOAD_PROFILE))


@pytest.mark.parametrize(
    ("capture_objects", "problem"),
    [
        (NULL, "no array of capture objects"),
        (struct(), "no array of capture objects"),
        (array(struct(long_unsigned(3))), "no array of capture objects"),
        (array(*[capture(3, "1-0:1.8.0.255")] * 256), "256 columns, more than 255"),
    ],
)
def test_what_is_no_list_of_columns(capture_objects: Data, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        columns(capture_objects)


cells = st.sampled_from([None, 0, 1, 2, 3])


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n))))
def test_compressing_and_filling_are_inverse(table: list[list[int | None]]) -> None:
    """Against a compressor made here: what equals the cell above becomes null-data."""
    width = len(table[0]) if table else 1
    wanted = tuple(
        Column(1, bytes((0, 0, 96, 10, n, 255)), 2, 0, str(n), classes.DATA.attributes[0].shape)
        for n in range(width)
    )
    above: list[int | None] = [None] * width
    sent = []
    for row in table:
        sent.append(
            struct(
                *(
                    NULL if cell is None or cell == before else unsigned(cell)
                    for cell, before in zip(row, above, strict=True)
                )
            )
        )
        above = [before if cell is None else cell for cell, before in zip(row, above, strict=True)]
    filled: list[list[int | None]] = []
    above = [None] * width
    for row in table:
        above = [before if cell is None else cell for cell, before in zip(row, above, strict=True)]
        filled.append(above)
    assert [list(row.values()) for row in rows(array(*sent), wanted)] == filled
