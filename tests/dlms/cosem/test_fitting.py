"""Whether values have the shape of their attribute, down to the last element."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.axdr.data import (
    NULL,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    array,
    bit_string,
    boolean,
    double_long_unsigned,
    enum,
    integer,
    long,
    long_unsigned,
    octet_string,
    unsigned,
)
from dlms.axdr.data import structure as struct
from dlms.cosem import classes
from dlms.cosem.fitting import fits, misfit
from dlms.cosem.shape import ANY, Anything, ArrayOf, Choice, Shape, StructureOf, types_of

CLOCK = bytes.fromhex("0000010000FF")
ENERGY = bytes.fromhex("0100010800FF")
MOMENT = octet_string(bytes.fromhex("07E80102020304050000" + "00" + "00"))


def of(class_id: int, attribute: int, version: int = 0) -> Shape:
    found = classes.BY_VERSION[class_id, version].attribute(attribute)
    assert found is not None
    return found.shape


_TWO = integer(2)


def capture(instance: bytes = CLOCK, index: Data = _TWO) -> Data:
    return struct(long_unsigned(8), octet_string(instance), index, long_unsigned(0))


SCALER_UNIT = of(3, 3)
CAPTURE_OBJECTS = of(7, 3, 1)
OBJECT_LIST = of(15, 2, 1)


def listed(mode: Data, selectors: Data, method: Data) -> Data:
    rights = struct(
        array(struct(integer(1), mode, selectors)),
        array(struct(integer(1), method)),
    )
    return array(struct(long_unsigned(8), unsigned(0), octet_string(CLOCK), rights))


FITTING = [
    (SCALER_UNIT, struct(integer(-3), enum(30))),
    (SCALER_UNIT, struct(integer(0), enum(200))),  # a unit the book reserves
    (CAPTURE_OBJECTS, array()),
    (CAPTURE_OBJECTS, array(capture(), capture(ENERGY))),
    (of(7, 6, 1), NULL),
    (of(7, 6, 1), capture()),
    (of(7, 2, 1), array(struct(MOMENT, NULL), double_long_unsigned(5))),
    (
        of(7, 2, 1),
        Data(
            DataType.COMPACT_ARRAY,
            CompactArray(TypeDescription(DataType.UNSIGNED), (unsigned(1), unsigned(2))),
        ),
    ),
    (of(8, 2), MOMENT),
    (OBJECT_LIST, listed(enum(1), NULL, boolean(True))),
    (OBJECT_LIST, listed(enum(1), array(integer(1), integer(2)), enum(1))),
    (of(15, 4, 1), octet_string(bytes.fromhex("60857405080101"))),
    (
        of(15, 4, 1),
        struct(
            unsigned(2),
            unsigned(16),
            long_unsigned(756),
            unsigned(5),
            unsigned(8),
            unsigned(1),
            unsigned(1),
        ),
    ),
    (of(12, 2, 2), array(struct(long(-1536), long_unsigned(12), unsigned(2), octet_string(CLOCK)))),
    (of(64, 4), octet_string(bytes(8))),
    (of(64, 4), octet_string(b"")),
    (of(63, 3), struct(unsigned(1), long_unsigned(7))),
    (of(63, 3), struct(unsigned(1), array(long_unsigned(7), long_unsigned(9)))),
    (of(40, 13, 3), Data(DataType.DATE_TIME, bytes(12))),
    (of(40, 13, 3), octet_string(bytes(12))),
    (of(1, 2), NULL),
    (of(1, 2), struct(array(), NULL)),
]

MISFITTING = [
    (SCALER_UNIT, None, "a value is needed"),
    (SCALER_UNIT, NULL, "is structure, not null-data"),
    (SCALER_UNIT, array(integer(0), enum(30)), "is structure, not array"),
    (SCALER_UNIT, struct(integer(0)), "2 fields needed, not 1"),
    (SCALER_UNIT, struct(integer(0), enum(1), enum(1)), "2 fields needed, not 3"),
    (SCALER_UNIT, struct(integer(0), unsigned(30)), "unit: is enum, not unsigned"),
    (SCALER_UNIT, struct(unsigned(0), unsigned(30)), "scaler: is integer, not unsigned"),
    (SCALER_UNIT, Data(DataType.STRUCTURE, None), "structure without elements"),
    (CAPTURE_OBJECTS, struct(), "is array, not structure"),
    (
        CAPTURE_OBJECTS,
        array(capture(), capture(b"12345")),
        "[1].logical_name: 6 octets needed, not 5",
    ),
    (
        CAPTURE_OBJECTS,
        array(capture(), capture(), capture(index=unsigned(2))),
        "[2].attribute_index: is integer, not unsigned",
    ),
    (of(7, 6, 1), struct(), "4 fields needed, not 0"),
    (of(7, 6, 1), array(), "is structure or null-data, not array"),
    (of(7, 2, 1), struct(), "is array or compact-array, not structure"),
    (of(8, 2), octet_string(bytes(11)), "12 octets needed, not 11"),
    (of(8, 2), Data(DataType.DATE_TIME, bytes(12)), "is octet-string, not date-time"),
    (of(64, 4), octet_string(bytes(7)), "8 or 0 octets needed, not 7"),
    (
        of(15, 5, 1),
        struct(
            bit_string("1" * 16),
            long_unsigned(1),
            long_unsigned(1),
            unsigned(6),
            integer(0),
            octet_string(b""),
        ),
        "conformance: 24 bits needed, not 16",
    ),
    (
        OBJECT_LIST,
        listed(enum(1), array(unsigned(1)), enum(1)),
        "[0].access_rights.attribute_access[0].access_selectors[0]: is integer, not unsigned",
    ),
    (
        OBJECT_LIST,
        listed(enum(1), NULL, integer(1)),
        "[0].access_rights.method_access[0].access_mode: is enum or boolean, not integer",
    ),
    (of(63, 3), struct(unsigned(1), array(unsigned(7))), "ref_table_mapping[0]: is long-unsigned"),
    (Anything((DataType.NULL_DATA,)), NULL, "may not be null-data"),
]


@pytest.mark.parametrize(("wanted", "value"), FITTING)
def test_what_fits(wanted: Shape, value: Data) -> None:
    assert misfit(wanted, value) is None
    assert fits(wanted, value)


@pytest.mark.parametrize(("wanted", "value", "problem"), MISFITTING)
def test_what_does_not(wanted: Shape, value: Data | None, problem: str) -> None:
    found = misfit(wanted, value)
    assert found is not None
    assert found.startswith(problem)
    assert not fits(wanted, value)


def test_the_first_misfit_is_named_with_where_it_is_looked_for() -> None:
    assert misfit(SCALER_UNIT, struct(integer(0), unsigned(30)), "objects[4]") == (
        "objects[4].unit: is enum, not unsigned"
    )
    assert misfit(SCALER_UNIT, NULL, "scaler_unit") == ("scaler_unit: is structure, not null-data")


simple = st.sampled_from(
    [
        NULL,
        integer(1),
        unsigned(1),
        enum(1),
        boolean(True),
        octet_string(CLOCK),
        MOMENT,
        long_unsigned(3),
        bit_string("101"),
        Data(DataType.COMPACT_ARRAY, None),
    ]
)
values = st.recursive(
    simple,
    lambda inner: st.builds(
        lambda kind, parts: Data(kind, tuple(parts)),
        st.sampled_from([DataType.ARRAY, DataType.STRUCTURE]),
        st.lists(inner, max_size=5),
    ),
    max_leaves=20,
)
SHAPES = [a.shape for row in classes.ALL for a in row.attributes] + [
    m.parameter for row in classes.ALL for m in row.methods
]


@given(st.sampled_from(SHAPES), values)
def test_any_value_fits_or_is_told_why(wanted: Shape, value: Data) -> None:
    problem = misfit(wanted, value)
    assert problem is None or problem
    assert fits(wanted, value) is (problem is None)
    if problem is None and types_of(wanted):
        assert value.type in types_of(wanted)


def sample(wanted: Shape) -> st.SearchStrategy[Data]:
    """Values made to fit."""
    if isinstance(wanted, Choice):
        return st.one_of([sample(one) for one in wanted.shapes])
    if isinstance(wanted, ArrayOf):
        return st.lists(sample(wanted.element), max_size=3).map(lambda parts: array(*parts))
    if isinstance(wanted, StructureOf):
        fields = [sample(field.shape) for field in wanted.fields]
        return st.tuples(*fields).map(lambda parts: struct(*parts))
    if isinstance(wanted, Anything):
        return values
    kinds = {
        DataType.NULL_DATA: None,
        DataType.BOOLEAN: True,
        DataType.BIT_STRING: "1" * (wanted.sizes or (3,))[0],
        DataType.VISIBLE_STRING: "a",
        DataType.UTF8_STRING: "a",
    }
    size = st.sampled_from(wanted.sizes or (5,))
    return st.builds(
        lambda kind, length: Data(
            kind,
            bytes(length)
            if kind in (DataType.OCTET_STRING, DataType.DATE_TIME)
            else kinds.get(kind, 1),
        ),
        st.sampled_from(wanted.types),
        size,
    )


def leaves(shape: Shape) -> list[Shape]:
    if isinstance(shape, ArrayOf):
        return leaves(shape.element)
    if isinstance(shape, StructureOf):
        return [leaf for field in shape.fields for leaf in leaves(field.shape)]
    if isinstance(shape, Choice):
        return [leaf for one in shape.shapes for leaf in leaves(one)]
    return [shape]


def broken(value: Data) -> list[Data]:
    """Every value that differs from this one in the type of one leaf."""
    if isinstance(value.value, tuple) and value.value:
        return [
            Data(value.type, (*value.value[:n], other, *value.value[n + 1 :]))
            for n, part in enumerate(value.value)
            for other in broken(part)
        ]
    return [Data(DataType.DELTA_LONG, 1)]


@given(st.data())
def test_what_is_made_to_fit_does_and_no_leaf_may_change(data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from([one for one in SHAPES if ANY not in leaves(one)]))
    value = data.draw(sample(wanted))
    assert misfit(wanted, value) is None
    for other in broken(value):
        assert not fits(wanted, other)
