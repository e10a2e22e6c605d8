"""The tables of interface classes, against the Blue Book's tables copied by hand."""

from __future__ import annotations

import pytest

from dlms.axdr.data import DataType
from dlms.cosem import classes
from dlms.cosem.interface_class import LOGICAL_NAME, InterfaceClass
from dlms.cosem.shape import Anything, ArrayOf, Choice, Shape, Simple, StructureOf

every = pytest.mark.parametrize(
    "row", classes.ALL, ids=lambda row: f"{row.class_id}-v{row.version}"
)

# class id, version: types of the attributes from 2 on, types of the methods' parameters, in order.
# b boolean, bs bit-string, e enum, i integer, l long, u unsigned, lu long-unsigned, dl double-long,
# dlu double-long-unsigned, os octet-string, vs visible-string, dt date-time or octet-string, st
# structure, arr array, ca compact-array, n null-data, any CHOICE.
BOOK = {
    (1, 0): ("any", ""),
    (3, 0): ("any st", "i"),
    (4, 0): ("any st any os", "i"),
    (5, 0): ("any any st any os os dlu lu", "i i"),
    (6, 0): ("arr arr os", "st st os"),
    (7, 0): ("arr|ca arr dlu e st|n dlu dlu", "i i any any"),
    (7, 1): ("arr|ca arr dlu e st|n dlu dlu", "i i"),
    (8, 0): ("os l u os os i b e", "i i i i st l"),
    (9, 0): ("arr", "lu"),
    (10, 0): ("arr", "st st st"),
    (11, 0): ("arr", "st lu"),
    (12, 0): ("arr", "lu st arr arr os os i os"),
    (12, 1): ("arr", "arr arr os os os"),
    (12, 2): ("arr arr os", "arr arr os os os"),
    (12, 3): ("arr arr os arr st", "arr os os st st"),
    (12, 4): ("arr arr os arr st", "arr os os st st"),
    (15, 0): ("arr st st|os st st|os os e", "os os st st"),
    (15, 1): ("arr st st|os st st|os os e os", "os os st st"),
    (15, 2): ("arr st st|os st st|os os e os arr st", "os os st st st st"),
    (15, 3): ("arr st st|os st st|os os e os arr st", "os os st st st st"),
    (17, 0): ("arr", "st"),
    (18, 0): ("dlu bs dlu b e arr", "st st i i"),
    (19, 0): ("e e e e os os os os", ""),
    (19, 1): ("e e e e os os os os", ""),
    (20, 0): ("os arr arr arr os arr arr arr os", "i"),
    (21, 0): ("arr st arr", ""),
    (22, 0): ("st e arr", ""),
    (23, 0): ("e u u u|lu u|lu lu lu u|lu", ""),
    (23, 1): ("e u u lu lu lu lu lu", ""),
    (24, 0): ("e e arr arr", ""),
    (25, 0): ("e e e u", ""),
    (26, 0): ("lu dlu os", ""),
    (27, 0): ("e arr arr", ""),
    (27, 1): ("e arr arr", ""),
    (28, 0): ("e arr e u st", ""),
    (28, 2): ("e arr e u st arr", ""),
    (29, 1): ("e u lu arr arr", ""),
    (29, 2): ("e u lu arr arr", "i"),
    (30, 0): ("os arr arr arr e", "st st st"),
    (40, 0): ("arr st arr lu u lu", "i"),
    (40, 1): ("arr st arr lu u lu os i arr", "i"),
    (40, 2): ("arr st arr lu u st os i arr e st dt|n", "i i"),
    (40, 3): ("arr st arr lu u st os i arr e st dt|n", "i i"),
    (41, 0): ("lu os lu u lu", ""),
    (42, 0): ("os dlu arr arr dlu dlu b dlu dlu", "dlu dlu i"),
    (43, 0): ("os", ""),
    (44, 0): ("os arr arr st|n", ""),
    (45, 0): ("os lu st", ""),
    (46, 0): ("lu os os os os", ""),
    (47, 0): ("vs e e e st arr dt", ""),
    (47, 1): ("vs e e e st arr dt", ""),
    (47, 2): ("vs e e e st arr dt", ""),
    (48, 0): ("os e arr arr arr os os u arr", "st st"),
    (50, 1): ("e e u u u st lu arr e b u lu b e", ""),
    (51, 0): ("st", "lu"),
    (52, 0): ("lu lu lu lu", ""),
    (53, 0): ("arr st arr dlu dlu dlu dlu", "i"),
    (55, 1): ("lu arr", ""),
    (56, 0): ("arr", ""),
    (57, 0): ("lu", ""),
    (58, 0): ("u u lu u lu lu lu lu", ""),
    (59, 0): ("lu u lu lu lu", ""),
    (61, 0): ("any st st", "i i"),
    (62, 0): ("os arr u os e", "i i"),
    (62, 1): ("os arr u os e", "i i"),
    (63, 0): ("bs|dlu|os|vs|utf8|u|lu|llu st", ""),
    (64, 0): ("e e os os", "e arr"),
    (64, 1): ("e e os os arr", "e arr arr e e os st st"),
    (65, 0): ("st dt arr", "st st"),
    (65, 1): ("st dt arr os e os any", "st st"),
    (67, 0): ("os os e os e any st any dt arr arr st arr arr", "i"),
    (68, 0): ("arr arr arr arr u", "st i"),
    (70, 0): ("b e e", "i i"),
    (71, 0): ("st any any any dlu dlu st arr b st", ""),
    (72, 0): ("os arr dlu u dlu lu u u u u u", "u i i i i arr os os"),
    (72, 1): ("os arr dlu u dlu lu u u u u u lu e", "u i i i i arr os os"),
    (73, 1): ("e os os", ""),
    (74, 0): ("e", ""),
    (76, 0): ("os e e u dlu lu u u lu arr", ""),
    (77, 0): ("u u e arr dlu dlu dlu st", "i"),
    (80, 0): ("lu lu", "i"),
    (81, 0): ("lu lu lu lu", "i"),
    (82, 0): ("u u u u u u u", ""),
    (83, 0): ("l u u os e l u u u u u u lu", ""),
    (84, 0): ("dlu dlu dlu dlu dlu dlu", "i"),
    (85, 0): ("arr arr arr arr arr", "i"),
    (86, 0): ("os lu lu", ""),
    (100, 0): ("b os lu e arr os", "i st dlu"),
    (101, 0): ("lu os lu dlu u e u os os os b", ""),
    (102, 0): ("u lu lu lu", ""),
    (103, 0): ("lu lu", ""),
    (104, 0): ("b lu arr", "any any any any any any any any any any any"),
    (105, 0): ("lu lu os lu", ""),
    (111, 0): ("st u bs dl dl dl dl arr arr arr arr os os st dl dl lu dl", "i i i"),
    (112, 0): ("dl e u dl dl bs e dl dl os", "dl dl i"),
    (113, 0): ("dl e u st st os dlu bs dt dl dl lu", "arr i i dl dl"),
    (115, 0): ("os os arr e st", "os"),
    (116, 0): ("st vs arr u dlu u u u u u vs", ""),
    (122, 0): ("arr arr", "arr st os"),
    (123, 0): ("arr", "u st st st st"),
    (124, 0): ("e lu dlu u dlu os e dlu dlu", "i"),
    (151, 0): ("st", ""),
    (151, 1): ("st st", ""),
    (9000, 0): ("any st any st os", "i i"),
}
METHOD_NUMBERS = {
    (12, 1): [3, 4, 5, 6, 8],
    (12, 2): [3, 4, 5, 6, 8],
    (12, 3): [3, 5, 8, 9, 10],
    (12, 4): [3, 5, 8, 9, 10],
}
"""Where numbers of methods are reserved from previous versions."""
TYPES = {
    "n": DataType.NULL_DATA,
    "b": DataType.BOOLEAN,
    "bs": DataType.BIT_STRING,
    "e": DataType.ENUM,
    "i": DataType.INTEGER,
    "l": DataType.LONG,
    "u": DataType.UNSIGNED,
    "lu": DataType.LONG_UNSIGNED,
    "llu": DataType.LONG64_UNSIGNED,
    "dl": DataType.DOUBLE_LONG,
    "dlu": DataType.DOUBLE_LONG_UNSIGNED,
    "os": DataType.OCTET_STRING,
    "vs": DataType.VISIBLE_STRING,
    "utf8": DataType.UTF8_STRING,
    "st": DataType.STRUCTURE,
    "arr": DataType.ARRAY,
    "ca": DataType.COMPACT_ARRAY,
}


def read(words: str) -> list[set[DataType]]:
    names = words.replace("dt", "os|date-time")
    kinds = TYPES | {"date-time": DataType.DATE_TIME}
    return [
        set() if word == "any" else {kinds[name] for name in word.split("|")}
        for word in names.split()
    ]


def types(shape: Shape) -> set[DataType]:
    if isinstance(shape, Simple):
        return set(shape.types)
    if isinstance(shape, Choice):
        return set().union(*(types(one) for one in shape.shapes))
    if isinstance(shape, StructureOf):
        return {DataType.STRUCTURE}
    if isinstance(shape, ArrayOf):
        return {DataType.ARRAY} | ({DataType.COMPACT_ARRAY} if shape.compact else set())
    assert isinstance(shape, Anything)
    return set()


def test_every_class_is_in_the_tables_once() -> None:
    keys = [(row.class_id, row.version) for row in classes.ALL]
    assert len(set(keys)) == len(keys)
    assert set(keys) == BOOK.keys() == classes.BY_VERSION.keys()


@every
def test_types(row: InterfaceClass) -> None:
    attributes, methods = BOOK[row.class_id, row.version]
    assert [set(attribute.types) for attribute in row.attributes] == read(attributes)
    assert [types(attribute.shape) for attribute in row.attributes] == read(attributes)
    assert [types(method.parameter) for method in row.methods] == read(methods)


@every
def test_numbers_are_complete_and_ascend(row: InterfaceClass) -> None:
    assert [a.number for a in row.attributes] == list(range(2, 2 + len(row.attributes)))
    numbers = METHOD_NUMBERS.get((row.class_id, row.version), range(1, 1 + len(row.methods)))
    assert [m.number for m in row.methods] == list(numbers)


@every
def test_names_are_unique(row: InterfaceClass) -> None:
    names = ["logical_name", *(a.name for a in row.attributes), *(m.name for m in row.methods)]
    assert len(set(names)) == len(names)
    assert all(name and " " not in name for name in names)


@every
def test_look_up(row: InterfaceClass) -> None:
    assert classes.get(row.class_id, row.version) is row
    assert row in classes.versions(row.name)
    assert row.attribute(1) is LOGICAL_NAME
    for attribute in row.attributes:
        assert row.attribute(attribute.number) is attribute
    for method in row.methods:
        assert row.method(method.number) is method
    for number in (-1, 0, len(row.attributes) + 2, 255):
        assert row.attribute(number) is None
    for number in (-1, 0, 11, 255):
        assert row.method(number) is None or (row.class_id, number) == (104, 11)


def test_versions() -> None:
    """They ascend; the default is the last, unless the table of defaults says another."""
    by_name: dict[str, set[int]] = {}
    for row in classes.ALL:
        by_name.setdefault(row.name, set()).add(row.class_id)
        found = [one.version for one in classes.versions(row.name)]
        assert found == sorted(found)
        latest = classes.latest(row.class_id)
        assert latest is not None
        assert latest.version == found[-1]
        default = classes.BY_ID[row.class_id].version
        assert default == classes.DEFAULT_VERSIONS.get(row.class_id, found[-1])
        assert classes.BY_NAME[row.name] is classes.BY_ID[row.class_id]
    assert all(len(ids) == 1 for ids in by_name.values())
    assert len(by_name) == len(classes.BY_ID) == 81
    assert [one.version for one in classes.versions("Association LN")] == [0, 1, 2, 3]
    assert classes.get(3, 1) is None
    assert classes.get(2, 0) is classes.latest(2) is None
    assert classes.versions("Elephant") == ()
    assert (classes.ASSOCIATION_LN.version, classes.SECURITY_SETUP.version) == (1, 0)


def test_what_the_server_changes_itself() -> None:
    """Marked (dyn.) in the book: readings, states, and what prepayment moves."""
    expected = {
        (1, 0): set(),
        (3, 0): {2},
        (4, 0): {2, 4, 5},
        (5, 0): {2, 3, 5, 6, 7},
        (6, 0): {4},
        (7, 1): {2, 7},
        (8, 0): {2, 4},
        (15, 1): set(),
        (18, 0): {3, 4, 6, 7},
        (20, 0): set(),
        (40, 3): {13},
        (62, 1): {2, 5},
        (65, 1): {2, 3, 7, 8},
        (68, 0): {5, 6},
        (70, 0): {2, 3},
        (71, 0): {3, 10},
        (104, 0): {4},
        (111, 0): {3, 4, 5, 6, 8, 16, 17},
        (112, 0): {2, 8},
        (113, 0): {2, 10, 11, 12},
        (115, 0): {2, 3, 4, 5, 6},
        (116, 0): {6, 7, 8, 9, 10},
        (124, 0): {8, 9, 10},
    }
    for key, numbers in expected.items():
        row = classes.BY_VERSION[key]
        assert {a.number for a in row.attributes if a.dynamic} == numbers, key
