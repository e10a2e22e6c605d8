"""The tables of interface classes, against the Blue Book's tables copied by hand."""

from __future__ import annotations

import pytest

from dlms.axdr.data import NULL, Data, DataType, array, enum, octet_string
from dlms.cosem import classes
from dlms.cosem.interface_class import ANY, LOGICAL_NAME, InterfaceClass, fits

every = pytest.mark.parametrize("row", classes.ALL, ids=lambda row: row.name.replace(" ", "-"))

# class id, version: types of the attributes from 2 on, types of the methods' parameters from 1 on.
# b boolean, bs bit-string, e enum, i integer, l long, u unsigned, lu long-unsigned, dl double-long,
# dlu double-long-unsigned, os octet-string, st structure, arr array, any CHOICE.
BOOK = {
    (1, 0): ("any", ""),
    (3, 0): ("any st", "i"),
    (7, 1): ("arr|ca arr dlu e st dlu dlu", "i i"),
    (8, 0): ("os l u os os i b e", "i i i i st l"),
    (15, 1): ("arr st st|os st st|os os e os", "os os st st"),
    (17, 0): ("arr", "st"),
    (64, 0): ("e e os os", "e arr"),
    (70, 0): ("b e e", "i i"),
    (111, 0): ("st u bs dl dl dl dl arr arr arr arr os os st dl dl lu dl", "i i i"),
    (112, 0): ("dl e u dl dl bs e dl dl os", "dl dl i"),
    (113, 0): ("dl e u st st os dlu bs os dl dl lu", "arr i i dl dl"),
    (115, 0): ("os os arr e st", "os"),
}
NAMES = {
    1: "Data",
    3: "Register",
    7: "Profile generic",
    8: "Clock",
    15: "Association LN",
    17: "SAP assignment",
    64: "Security setup",
    70: "Disconnect control",
    111: "Account",
    112: "Credit",
    113: "Charge",
    115: "Token gateway",
}
TYPES = {
    "b": DataType.BOOLEAN,
    "bs": DataType.BIT_STRING,
    "e": DataType.ENUM,
    "i": DataType.INTEGER,
    "l": DataType.LONG,
    "u": DataType.UNSIGNED,
    "lu": DataType.LONG_UNSIGNED,
    "dl": DataType.DOUBLE_LONG,
    "dlu": DataType.DOUBLE_LONG_UNSIGNED,
    "os": DataType.OCTET_STRING,
    "st": DataType.STRUCTURE,
    "arr": DataType.ARRAY,
    "ca": DataType.COMPACT_ARRAY,
}


def read(words: str) -> list[set[DataType]]:
    return [
        set() if word == "any" else {TYPES[name] for name in word.split("|")}
        for word in words.split()
    ]


def test_ids_versions_and_names() -> None:
    assert {(row.class_id, row.version) for row in classes.ALL} == BOOK.keys()
    assert {row.class_id: row.name for row in classes.ALL} == NAMES


@every
def test_types(row: InterfaceClass) -> None:
    attributes, methods = BOOK[row.class_id, row.version]
    assert [set(attribute.types) for attribute in row.attributes] == read(attributes)
    assert [set(method.parameter) for method in row.methods] == read(methods)


@every
def test_numbers_are_complete_and_ascend(row: InterfaceClass) -> None:
    assert [a.number for a in row.attributes] == list(range(2, 2 + len(row.attributes)))
    assert [m.number for m in row.methods] == list(range(1, 1 + len(row.methods)))


@every
def test_names_are_unique(row: InterfaceClass) -> None:
    names = ["logical_name", *(a.name for a in row.attributes), *(m.name for m in row.methods)]
    assert len(set(names)) == len(names)
    assert all(name and " " not in name for name in names)


@every
def test_look_up(row: InterfaceClass) -> None:
    assert classes.BY_ID[row.class_id] is classes.BY_NAME[row.name] is row
    assert row.attribute(1) is LOGICAL_NAME
    for attribute in row.attributes:
        assert row.attribute(attribute.number) is attribute
    for method in row.methods:
        assert row.method(method.number) is method
    for number in (-1, 0, len(row.attributes) + 2, 255):
        assert row.attribute(number) is None
    for number in (-1, 0, len(row.methods) + 1, 255):
        assert row.method(number) is None


def test_every_class_is_in_the_tables_once() -> None:
    assert len(classes.BY_ID) == len(classes.BY_NAME) == len(classes.ALL) == 12


def test_what_the_server_changes_itself() -> None:
    """Marked (dyn.) in the book: readings, states, and what prepayment moves."""
    dynamic = {
        row.class_id: {a.number for a in row.attributes if a.dynamic}
        for row in classes.ALL
        if any(a.dynamic for a in row.attributes)
    }
    assert dynamic == {
        3: {2},
        7: {2, 7},
        8: {2, 4},
        70: {2, 3},
        111: {3, 4, 5, 6, 8, 16, 17},
        112: {2, 8},
        113: {2, 10, 11, 12},
        115: {2, 3, 4, 5, 6},
    }


def test_fits() -> None:
    assert fits(ANY, NULL)
    assert fits(ANY, enum(1))
    assert fits((DataType.ENUM,), enum(1))
    assert fits((DataType.ARRAY, DataType.COMPACT_ARRAY), array())
    assert not fits((DataType.ENUM,), Data(DataType.UNSIGNED, 1))
    assert not fits((DataType.ENUM,), NULL)
    assert not fits((DataType.ENUM,), None)
    assert not fits(ANY, None)
    assert not fits((DataType.STRUCTURE, DataType.OCTET_STRING), array())
    assert fits(LOGICAL_NAME.types, octet_string(bytes(6)))
