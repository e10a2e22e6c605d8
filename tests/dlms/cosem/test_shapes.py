"""Shapes as the tables have them."""

from __future__ import annotations

import pytest

from dlms.axdr.data import (
    NULL,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    array,
    octet_string,
    unsigned,
)
from dlms.cosem import classes, shape
from dlms.cosem.fitting import elements_of, shape_within
from dlms.cosem.interface_class import InterfaceClass
from dlms.cosem.shape import ANY, ArrayOf, Choice, Shape, Simple, StructureOf, types_of

every = pytest.mark.parametrize(
    "row", classes.ALL, ids=lambda row: f"{row.class_id}-v{row.version}"
)


def of(class_id: int, attribute: int, version: int = 0) -> Shape:
    found = classes.BY_VERSION[class_id, version].attribute(attribute)
    assert found is not None
    return found.shape


SCALER_UNIT = of(3, 3)
CAPTURE_OBJECTS = of(7, 3, 1)


def test_elements() -> None:
    assert elements_of(array(NULL)) == (NULL,)
    assert elements_of(NULL) is elements_of(octet_string(b"")) is None
    compact = CompactArray(TypeDescription(DataType.UNSIGNED), (unsigned(1),))
    assert elements_of(Data(DataType.COMPACT_ARRAY, compact)) == (unsigned(1),)


def test_shape_within() -> None:
    """data_index counts fields from 1; the elements of an array are alike."""
    assert shape_within(SCALER_UNIT, 0) is SCALER_UNIT
    assert shape_within(SCALER_UNIT, 1) is shape.INTEGER
    assert shape_within(SCALER_UNIT, 3) is ANY
    assert shape_within(CAPTURE_OBJECTS, 9) == shape_within(CAPTURE_OBJECTS, 1)
    assert types_of(shape_within(CAPTURE_OBJECTS, 9)) == (DataType.STRUCTURE,)
    assert shape_within(shape.INTEGER, 1) is shape_within(ANY, 1) is ANY


def test_names() -> None:
    """The second argument of an enum says where it begins; bits are counted from the first."""
    sort = of(7, 5, 1)
    assert isinstance(sort, Simple)
    assert [sort.name_of(n) for n in (0, 1, 2, 6, 7)] == [
        "",
        "fifo",
        "lifo",
        "farthest from zero",
        "",
    ]
    mode = of(29, 2, 2)
    assert isinstance(mode, Simple)
    assert mode.name_of(101) == "permanently connected"
    status = of(111, 4)
    assert isinstance(status, Simple)
    assert (status.name_of(0), status.name_of(6), status.name_of(7)) == (
        "in_credit",
        "out_of_credit",
        "",
    )


def leaves(shape: Shape) -> list[Shape]:
    if isinstance(shape, ArrayOf):
        return leaves(shape.element)
    if isinstance(shape, StructureOf):
        return [leaf for field in shape.fields for leaf in leaves(field.shape)]
    if isinstance(shape, Choice):
        return [leaf for one in shape.shapes for leaf in leaves(one)]
    return [shape]


@every
def test_shapes_end_in_types(row: InterfaceClass) -> None:
    """No structure without fields, no choice of one; field names told apart."""

    def check(shape: Shape) -> None:
        if isinstance(shape, StructureOf):
            names = [field.name for field in shape.fields]
            assert len(set(names)) == len(names) > 0
            for field in shape.fields:
                check(field.shape)
        elif isinstance(shape, ArrayOf):
            check(shape.element)
        elif isinstance(shape, Choice):
            assert len(set(shape.shapes)) == len(shape.shapes) > 1
            for one in shape.shapes:
                check(one)

    for attribute in row.attributes:
        check(attribute.shape)
        for leaf in leaves(attribute.shape):
            assert leaf == ANY or (isinstance(leaf, Simple) and leaf.types)
    for method in row.methods:
        check(method.parameter)
        if method.returns is not None:
            check(method.returns)
