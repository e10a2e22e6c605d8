"""Values as Python sees them and writes them."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
    bit_string,
    boolean,
    double_long,
    enum,
    integer,
    long_unsigned,
    octet_string,
    unsigned,
    visible_string,
)
from dlms.axdr.data import structure as struct
from dlms.axdr.datetimes import CosemDateTime
from dlms.cosem import classes, shape
from dlms.cosem.fitting import fits
from dlms.cosem.shape import ANY, Shape
from dlms.cosem.typed import Named, plain, typed
from dlms.cosem.units import Unit
from dlms.cosem.writing import data_of
from dlms.errors import CodecError

NEW_YEAR = bytes.fromhex("07E801010100000000000000")  # Monday, 2024-01-01 00:00:00.00, UTC
NOON = octet_string(bytes.fromhex("0C000000"))
CHRISTMAS = octet_string(bytes.fromhex("FFFF0C19FF"))
CLOCK = octet_string(bytes.fromhex("0000010000FF"))


def of(class_id: int, attribute: int, version: int = 0) -> Shape:
    found = classes.BY_VERSION[class_id, version].attribute(attribute)
    assert found is not None
    return found.shape


MOMENT = CosemDateTime(
    year=2024, month=1, day=1, day_of_week=1, hour=0, minute=0, second=0, hundredths=0,
    deviation=0, status=0,
)  # fmt: skip
BOTH_WAYS: list[tuple[Shape, Data, Any]] = [
    (of(3, 3), struct(integer(-3), enum(30)), {"scaler": -3, "unit": Unit.WATT_HOUR}),
    (of(8, 2), octet_string(NEW_YEAR), MOMENT),
    (of(8, 1), CLOCK, "0-0:1.0.0.255"),
    (of(70, 3), enum(2), 2),
    (of(70, 2), boolean(True), True),
    (of(18, 3), bit_string("1011"), "1011"),
    (of(11, 2), array(), []),
    (
        of(11, 2),
        array(struct(long_unsigned(1), CHRISTMAS, unsigned(7))),
        [{"index": 1, "specialday_date": CosemDateTime(month=12, day=25), "day_id": 7}],
    ),
    (
        of(22, 4),
        array(struct(NOON, CHRISTMAS)),
        [
            {
                "time": CosemDateTime(hour=12, minute=0, second=0, hundredths=0),
                "date": CosemDateTime(month=12, day=25),
            }
        ],
    ),
    (
        of(7, 6, 1),
        struct(long_unsigned(8), CLOCK, integer(2), long_unsigned(0)),
        {
            "class_id": 8,
            "logical_name": "0-0:1.0.0.255",
            "attribute_index": 2,
            "data_index": 0,
        },
    ),
    (of(7, 6, 1), NULL, None),
    (of(15, 10, 2), array(struct(unsigned(1), visible_string("A"))), [{"id": 1, "name": "A"}]),
    (of(5, 8), Data(DataType.DOUBLE_LONG_UNSIGNED, 900), 900),
]


@pytest.mark.parametrize(("wanted", "data", "value"), BOTH_WAYS)
def test_both_ways(wanted: Shape, data: Data, value: Any) -> None:
    assert typed(wanted, data) == value
    assert data_of(wanted, value) == data


def test_enums_know_their_names() -> None:
    state = typed(of(70, 3), enum(2))
    assert isinstance(state, Named)
    assert (state, str(state), repr(state)) == (
        2,
        "ready for reconnection",
        "2 (ready for reconnection)",
    )
    unit = typed(of(3, 3), struct(integer(0), enum(30)))["unit"]
    assert str(unit) == "Wh"
    other = typed(of(70, 3), enum(9))
    assert (other, str(other), repr(other), other.label) == (9, "9", "9", "")
    assert data_of(of(70, 3), "ready for reconnection") == enum(2)
    assert data_of(of(3, 3), {"scaler": 0, "unit": "Wh"}) == struct(integer(0), enum(30))


def test_what_the_class_leaves_open_is_shown_by_its_own_type() -> None:
    value = struct(
        double_long(-5), array(octet_string(NEW_YEAR)), Data(DataType.DATE_TIME, NEW_YEAR)
    )
    assert typed(ANY, value) == plain(value) == [-5, [NEW_YEAR], MOMENT]
    assert plain(Data(DataType.DATE, b"\xff\xff\x0c\x19\xff")) == CosemDateTime(month=12, day=25)
    assert plain(Data(DataType.TIME, b"\x0c\xff\xff\xff")) == CosemDateTime(hour=12)
    compact = CompactArray(TypeDescription(DataType.UNSIGNED), (unsigned(1), unsigned(2)))
    assert plain(Data(DataType.COMPACT_ARRAY, compact)) == [1, 2]
    assert typed(of(7, 2, 1), Data(DataType.COMPACT_ARRAY, compact)) == [1, 2]
    assert plain(NULL) is plain(Data(DataType.DONT_CARE, None)) is None


@pytest.mark.parametrize(
    ("wanted", "data", "value"),
    [
        (of(8, 2), octet_string(b"\x01\x02"), b"\x01\x02"),
        (
            of(8, 2),
            octet_string(b"\xff\xff\x0d" + bytes(9)),
            b"\xff\xff\x0d" + bytes(9),
        ),  # month 13
        (of(8, 2), NULL, None),
        (of(8, 2), unsigned(3), 3),
        (of(8, 2), Data(DataType.DATE_TIME, NEW_YEAR), MOMENT),
        (of(8, 1), octet_string(b"abc"), b"abc"),
        (of(3, 3), array(integer(0), enum(30)), [0, 30]),
        (of(3, 3), struct(integer(0)), [0]),
        (of(3, 3), NULL, None),
        (of(3, 3), struct(integer(0), unsigned(30)), {"scaler": 0, "unit": 30}),
        (of(11, 2), struct(unsigned(1)), [1]),
        (of(7, 6, 1), array(CLOCK), [CLOCK.value]),
        (of(111, 9), struct(CLOCK), [CLOCK.value]),
        (of(1, 2), enum(4), 4),
    ],
)
def test_what_misfits_is_shown_all_the_same(wanted: Shape, data: Data, value: Any) -> None:
    assert typed(wanted, data) == value


octets = st.binary(max_size=64)
SHAPES = [a.shape for row in classes.ALL for a in row.attributes]


@given(st.sampled_from(SHAPES), octets)
def test_whatever_can_be_decoded_can_be_shown(wanted: Shape, encoded: bytes) -> None:
    try:
        value = axdr.decode(encoded)
    except CodecError:
        return
    typed(wanted, value)
    plain(value)


@given(st.sampled_from([(wanted, data) for wanted, data, _ in BOTH_WAYS]), octets)
def test_mutations_can_be_shown(pair: tuple[Shape, Data], noise: bytes) -> None:
    wanted, data = pair
    encoded = bytearray(axdr.encode(data))
    for place, octet in enumerate(noise[: len(encoded)]):
        if octet < 64:
            encoded[place] ^= octet
    try:
        value = axdr.decode(bytes(encoded))
    except CodecError:
        return
    typed(wanted, value)


@pytest.mark.parametrize(
    ("wanted", "value", "problem"),
    [
        (of(3, 3), {"scaler": 0}, "fields scaler, unit are needed"),
        (of(3, 3), [0], "fields scaler, unit are needed"),
        (of(3, 3), 5, "fields scaler, unit are needed"),
        (of(3, 3), {"scaler": 0, "unit": "furlong"}, "unit: 'furlong' is none of"),
        (of(3, 3), {"scaler": True, "unit": 1}, "scaler: integer cannot be made of bool"),
        (of(3, 3), {"scaler": 1.5, "unit": 1}, "scaler: integer cannot be made of float"),
        (of(70, 2), 1, "boolean cannot be made of int"),
        (of(11, 2), 5, "a list is needed"),
        (
            of(11, 2),
            [{"index": 1, "specialday_date": 5, "day_id": 1}],
            r"\[0\].specialday_date: a date",
        ),
        (of(8, 2), "now", "a date-time is needed"),
        (of(8, 2), CosemDateTime(month=13), "month 13"),
        (of(8, 1), "nonsense", "no name of one"),
        (of(8, 1), 5, "an OBIS code is needed"),
        (of(8, 2), b"\x00", "12 octets needed"),
        (of(1, 2), 5, "leaves the type open"),
        (of(7, 6, 1), 5, "cannot be made of int"),
        (of(8, 3), unsigned(1), "is long, not unsigned"),
    ],
)
def test_what_cannot_be_written(wanted: Shape, value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        data_of(wanted, value)


def test_more_ways_to_write() -> None:
    moment = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert data_of(of(8, 2), moment) == data_of(of(8, 2), MOMENT) == octet_string(NEW_YEAR)
    assert data_of(of(8, 2), NEW_YEAR) == octet_string(NEW_YEAR)
    assert data_of(of(8, 1), "clock") == data_of(of(8, 1), CLOCK.value) == CLOCK
    assert data_of(of(3, 3), (0, Unit.WATT)) == struct(integer(0), enum(27))
    assert type(data_of(of(3, 3), (0, Unit.WATT)).value[1].value) is int  # type: ignore[index,union-attr]
    assert data_of(of(1, 2), unsigned(5)) == unsigned(5)
    assert data_of(of(40, 13, 3), None) == NULL
    assert data_of(of(40, 13, 3), MOMENT) == octet_string(NEW_YEAR)
    assert data_of(shape.Simple((DataType.FLOAT32,)), 1) == Data(DataType.FLOAT32, 1)
    parameter = classes.PUSH_SETUP.methods[0].parameter
    assert data_of(parameter, 0) == integer(0)
    assert fits(parameter, integer(0))
