"""Short names against the Blue Book's tables, and both ways for every member of every class."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.cosem import classes, obis, short_names
from dlms.cosem.interface_class import LOGICAL_NAME, Attribute, InterfaceClass, Method
from dlms.cosem.short_names import NamedObject, Target, name_of, resolve

# class_id, version: attribute number and offset, method number and offset, as the book prints them.
BOOK = [
    (3, 0, {2: 0x08, 3: 0x10}, {1: 0x28}),
    (4, 0, {5: 0x20}, {1: 0x38}),
    (5, 0, {9: 0x40}, {1: 0x48, 2: 0x50}),
    (6, 0, {4: 0x18}, {1: 0x30, 2: 0x38, 3: 0x40}),
    (7, 1, {2: 0x08, 8: 0x38}, {1: 0x58, 2: 0x60}),
    (7, 0, {8: 0x38}, {1: 0x58, 2: 0x60, 3: 0x68, 4: 0x70}),
    (8, 0, {2: 0x08, 9: 0x40}, {1: 0x60, 2: 0x68, 3: 0x70, 4: 0x78, 5: 0x80, 6: 0x88}),
    (9, 0, {2: 0x08}, {1: 0x20}),
    (11, 0, {2: 0x08}, {1: 0x10, 2: 0x18}),
    (12, 2, {2: 0x08, 3: 0x10, 4: 0x18}, {3: 0x30, 4: 0x38, 5: 0x40, 6: 0x48, 8: 0x58}),
    (12, 4, {5: 0x20, 6: 0x28}, {3: 0x30, 5: 0x40, 8: 0x58, 9: 0x60, 10: 0x68}),
    (18, 0, {7: 0x30}, {1: 0x40, 2: 0x48, 3: 0x50, 4: 0x58}),
    (20, 0, {10: 0x48}, {1: 0x50}),
    (42, 0, {10: 0x48}, {1: 0x60, 2: 0x68, 3: 0x70}),
    (61, 0, {4: 0x18}, {1: 0x28, 2: 0x30}),
    (64, 0, {5: 0x20}, {1: 0x30, 2: 0x38}),
    (64, 1, {6: 0x28}, {1: 0x30, 8: 0x68}),
    (67, 0, {15: 0x70}, {1: 0x80}),
    (70, 0, {4: 0x18}, {1: 0x20, 2: 0x28}),
    (72, 0, {12: 0x58}, {1: 0x60, 8: 0x98}),
    (104, 0, {4: 0x18}, {1: 0x20, 11: 0x70}),
    (111, 0, {19: 0x90}, {1: 0x98, 3: 0xA8}),
    (113, 0, {13: 0x60}, {1: 0x68, 5: 0x88}),
    (124, 0, {10: 0x48}, {1: 0x50}),
]
WITHOUT = {(40, 1), (40, 2), (40, 3), (65, 1), (77, 0), (100, 0), (9000, 0)}
"""Classes whose methods have no short name here."""
CLOCK = bytes.fromhex("0000010000FF")


@pytest.mark.parametrize(("class_id", "version", "attributes", "methods"), BOOK)
def test_offsets(
    class_id: int, version: int, attributes: dict[int, int], methods: dict[int, int]
) -> None:
    row = classes.BY_VERSION[class_id, version]
    base = 0x1000
    assert name_of(base, LOGICAL_NAME, row) == base
    for number, offset in attributes.items():
        attribute = row.attribute(number)
        assert attribute is not None
        assert name_of(base, attribute, row) == base + offset
    for number, offset in methods.items():
        method = row.method(number)
        assert method is not None
        assert name_of(base, method, row) == base + offset


def every_member(row: InterfaceClass) -> list[Attribute | Method]:
    return [LOGICAL_NAME, *row.attributes, *row.methods]


@pytest.mark.parametrize("row", classes.ALL, ids=lambda row: f"{row.class_id}-v{row.version}")
def test_every_member_has_its_own_name(row: InterfaceClass) -> None:
    """Methods come behind the attributes; only where the book is not known they have none."""
    named = short_names.members(row)
    without = (row.class_id, row.version) in WITHOUT
    expected = [m for m in every_member(row) if not (without and isinstance(m, Method))]
    assert list(named.values()) == expected
    assert list(named) == sorted(named)
    assert all(offset % 8 == 0 for offset in named)
    assert short_names.span(row) == max(named) + 8
    for member in row.methods if without else ():
        with pytest.raises(LookupError, match="no short name"):
            name_of(0, member, row)


objects = st.lists(
    st.tuples(st.sampled_from(classes.ALL), st.binary(min_size=6, max_size=6)), max_size=12
)


@given(objects, st.integers(0, 500).map(lambda n: 8 * n))
def test_name_and_resolve_are_inverse(rows: list[tuple[InterfaceClass, bytes]], start: int) -> None:
    reserved = short_names.RESERVED.values()
    rows = [row for row in rows if (row[0].class_id, row[1]) not in reserved]
    named = short_names.allocate(rows, start)
    table = short_names.index(named)
    seen = set()
    for one in named:
        for offset, member in short_names.members(one.interface_class).items():
            name = name_of(one.base_name, member, one.interface_class)
            assert name == one.base_name + offset
            assert resolve(name, named) == Target(one, member) == table[name]
            seen.add(name)
    assert table.keys() == seen
    assert len(seen) == sum(len(short_names.members(row)) for row, _ in rows)
    for name in range(start, start + 600):
        assert (resolve(name, named) is None) is (name not in seen)


def test_reserved_names() -> None:
    """Objects that the standard has names for get them, wherever they stand in the list."""
    rows = [
        (classes.CLOCK, CLOCK),
        (classes.ASSOCIATION_SN, obis.parse("0-0:40.0.0.255")),
        (classes.SCRIPT_TABLE, obis.parse("0-0:10.0.125.255")),
        (classes.SAP_ASSIGNMENT, obis.parse("0-0:41.0.0.255")),
        (classes.DATA, obis.parse("0-0:42.0.0.255")),
        (classes.DATA, obis.parse("0-0:96.1.0.255")),
    ]
    named = short_names.allocate(rows, 0x20)
    assert [one.base_name for one in named] == [0x20, 0xFA00, 0xFB00, 0xFC00, 0xFD00, 0x20 + 0x90]
    short_names.index(named)
    found = resolve(0xFA58, named)
    assert found is not None
    assert found.member.name == "reply_to_HLS_authentication"
    found = resolve(0xFD08, named)
    assert found is not None
    assert found.member.name == "value"


def test_what_is_no_name() -> None:
    with pytest.raises(ValueError, match="no base name"):
        name_of(0x0004, LOGICAL_NAME, classes.DATA)
    with pytest.raises(ValueError, match="no base name"):
        name_of(-8, LOGICAL_NAME, classes.DATA)
    with pytest.raises(ValueError, match="no base name"):
        name_of(0x10000, LOGICAL_NAME, classes.DATA)
    assert name_of(0xFFF8, LOGICAL_NAME, classes.DATA) == 0xFFF8
    with pytest.raises(ValueError, match="FFF8 is no base name for Data"):
        name_of(0xFFF8, classes.DATA.attributes[0], classes.DATA)
    with pytest.raises(LookupError, match="Data has no short name for time"):
        name_of(0, classes.CLOCK.attributes[0], classes.DATA)
    with pytest.raises(LookupError):
        name_of(0, classes.CLOCK.methods[0], classes.DATA)


def test_overlaps_are_refused() -> None:
    clock = NamedObject(0x100, classes.CLOCK, CLOCK)
    with pytest.raises(ValueError, match="short name 0108 of logical_name is taken"):
        short_names.index([clock, NamedObject(0x108, classes.DATA, bytes(6))])
    # Into the gap between attributes and methods another object fits.
    short_names.index([clock, NamedObject(0x148, classes.DATA, bytes(6))])


def test_no_more_than_there_is_room_for() -> None:
    room = 0xFA00 // 0x10
    rows = [(classes.DATA, bytes(6))] * room
    assert short_names.allocate(rows, 0)[-1].base_name == 0xFA00 - 0x10
    with pytest.raises(ValueError, match="more objects"):
        short_names.allocate([*rows, (classes.DATA, bytes(6))], 0)
    last = 0xFA00 - 0x10
    assert short_names.allocate(rows[:1], last)[0].base_name == last
    with pytest.raises(ValueError, match="more objects"):
        short_names.allocate(rows[:1], last + 8)
    for start in (4, -8):
        with pytest.raises(ValueError, match="no base name"):
            short_names.allocate([], start)


def test_from_an_object_list() -> None:
    """A base name is long there: FA00 is -1536. What is not tabulated is left out."""
    rows = [(-1536, 12, 2, bytes(6)), (0x100, 8, 0, CLOCK), (0x200, 8, 7, CLOCK)]
    assert short_names.from_object_list(rows) == (
        NamedObject(0xFA00, classes.BY_VERSION[12, 2], bytes(6)),
        NamedObject(0x100, classes.CLOCK, CLOCK),
    )
