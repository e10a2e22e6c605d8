"""Short names: attributes and methods as DLMS named variables (Blue Book 4.1.3; GB Ed. 8, 9.1.4.3).

An object has a base name x, the short name of its attribute 1. Attribute n is x + 8 (n - 1). The
class says where its methods begin, often with a gap behind the last attribute, so that later
versions have room; method m is 8 (m - 1) above that.

The beginnings are those of the Blue Book's class tables as public implementations have them: two or
more agree on 3 to 9, 11, 12, 18, 20, 42, 64, 70 and 72; one says so of 51, 53, 61, 67, 68, 80 to
85, 104, 111, 113 and 122 to 124. From general knowledge: 10, 12 from version 3 on, 15, 17, 29, 30,
48, 62, 65 version 0, 72 version 1, 112, 115. Where none is known (push setup from version 1 on,
among others) methods have no short name here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dlms.cosem import classes
from dlms.cosem.interface_class import LOGICAL_NAME, Attribute, InterfaceClass, Method

STEP = 8
MAX_NAME = 0xFFF8
"""Names have 16 bits, and their last three are zero."""

ASSOCIATION = 0xFA00
SCRIPT_TABLE = 0xFB00
SAP_ASSIGNMENT = 0xFC00
LOGICAL_DEVICE_NAME = 0xFD00
RESERVED = {
    ASSOCIATION: (12, bytes((0, 0, 40, 0, 0, 255))),
    SCRIPT_TABLE: (9, bytes((0, 0, 10, 0, 125, 255))),
    SAP_ASSIGNMENT: (17, bytes((0, 0, 41, 0, 0, 255))),
    LOGICAL_DEVICE_NAME: (1, bytes((0, 0, 42, 0, 0, 255))),
}
"""Base names that the standard gives out (Blue Book 4.1.3): class_id and logical name of the
current Association SN, the script table for broadcast, the SAP assignment and the logical device
name."""
FIRST_RESERVED = 0xFA00

METHODS_AT = {
    (3, 0): 0x28,
    (4, 0): 0x38,
    (5, 0): 0x48,
    (6, 0): 0x30,
    (7, 0): 0x58,
    (7, 1): 0x58,
    (8, 0): 0x60,
    (9, 0): 0x20,
    (10, 0): 0x20,
    (11, 0): 0x10,
    (12, 0): 0x20,
    (12, 1): 0x20,
    (12, 2): 0x20,
    # Methods 1 and 2 went, and attributes 5 and 6 took their names.
    (12, 3): 0x20,
    (12, 4): 0x20,
    (15, 0): 0x60,
    (15, 1): 0x60,
    (15, 2): 0x60,
    (15, 3): 0x60,
    (17, 0): 0x20,
    (18, 0): 0x40,
    (20, 0): 0x50,
    (29, 2): 0x30,
    (30, 0): 0x30,
    (40, 0): 0x38,
    (42, 0): 0x60,
    (48, 0): 0x60,
    (51, 0): 0x10,
    (53, 0): 0x50,
    (61, 0): 0x28,
    (62, 0): 0x30,
    (62, 1): 0x30,
    (64, 0): 0x30,
    (64, 1): 0x30,
    (65, 0): 0x20,
    (67, 0): 0x80,
    (68, 0): 0x30,
    (70, 0): 0x20,
    (72, 0): 0x60,
    (72, 1): 0x70,
    (80, 0): 0x20,
    (81, 0): 0x28,
    (84, 0): 0x40,
    (85, 0): 0x30,
    (104, 0): 0x20,
    (111, 0): 0x98,
    (112, 0): 0x58,
    (113, 0): 0x68,
    (115, 0): 0x30,
    (122, 0): 0x20,
    (123, 0): 0x20,
    (124, 0): 0x50,
}
"""Offset of what is, or would be, method 1, by class_id and version."""


class NamedObject(NamedTuple):
    """An object with a base name, as a row of the object_list of an Association SN gives it."""

    base_name: int
    interface_class: InterfaceClass
    instance: bytes


class Target(NamedTuple):
    """What a short name stands for."""

    object: NamedObject
    member: Attribute | Method


def attribute_offset(number: int) -> int:
    """How far attribute ``number`` (from 1) is above the base name."""
    return STEP * (number - 1)


def method_offset(interface_class: InterfaceClass, number: int) -> int | None:
    """How far method ``number`` is above the base name; ``None`` where the book is not known."""
    first = METHODS_AT.get((interface_class.class_id, interface_class.version))
    return None if first is None else first + STEP * (number - 1)


def name_of(base: int, member: Attribute | Method, interface_class: InterfaceClass) -> int:
    """The short name of an attribute or method of the object at ``base``.

    ``LookupError`` if the class has no such member, or its methods have no short names.
    ``ValueError`` if the name exceeds 16 bits, or ``base`` is no base name.
    """
    known: Attribute | Method | None
    if isinstance(member, Attribute):
        known = interface_class.attribute(member.number)
        offset: int | None = attribute_offset(member.number)
    else:
        known = interface_class.method(member.number)
        offset = method_offset(interface_class, member.number)
    if known != member or offset is None:
        raise LookupError(f"{interface_class.name} has no short name for {member.name}")
    if base % STEP or not 0 <= base <= MAX_NAME - offset:
        raise ValueError(f"{base:04X} is no base name for {interface_class.name}")
    return base + offset


def members(interface_class: InterfaceClass) -> dict[int, Attribute | Method]:
    """Every member that has a short name, by its offset from the base name."""
    table: dict[int, Attribute | Method] = {
        attribute_offset(row.number): row for row in (LOGICAL_NAME, *interface_class.attributes)
    }
    for method in interface_class.methods:
        offset = method_offset(interface_class, method.number)
        if offset is not None:
            table[offset] = method
    return table


def span(interface_class: InterfaceClass) -> int:
    """How many names an object of the class occupies from its base name on; a multiple of 8."""
    return max(members(interface_class)) + STEP


def index(objects: Iterable[NamedObject]) -> dict[int, Target]:
    """What each short name stands for, for a server that looks up many.

    ``ValueError`` if a base name is none, two objects overlap, or a name exceeds 16 bits.
    """
    table: dict[int, Target] = {}
    for row in objects:
        for offset, member in members(row.interface_class).items():
            name = name_of(row.base_name, member, row.interface_class)
            if name in table:
                raise ValueError(f"short name {name:04X} of {member.name} is taken")
            table[row.base_name + offset] = Target(row, member)
    return table


def resolve(name: int, objects: Sequence[NamedObject]) -> Target | None:
    """What a short name stands for; ``None`` if it is nobody's."""
    for row in objects:
        member = members(row.interface_class).get(name - row.base_name)
        if member is not None:
            return Target(row, member)
    return None


def allocate(
    rows: Iterable[tuple[InterfaceClass, bytes]], start: int = STEP
) -> tuple[NamedObject, ...]:
    """Give objects base names from ``start`` on, one after the other.

    Objects that the standard has a base name for get that one. ``ValueError`` if the names below
    the reserved ones do not suffice, or ``start`` is no base name.
    """
    if start % STEP or start < 0:
        raise ValueError(f"{start:04X} is no base name")
    fixed = {row: base for base, row in RESERVED.items()}
    named = []
    for interface_class, instance in rows:
        base = fixed.get((interface_class.class_id, instance))
        if base is None:
            base, start = start, start + span(interface_class)
            if start > FIRST_RESERVED:
                raise ValueError("more objects than there are short names")
        named.append(NamedObject(base, interface_class, instance))
    return tuple(named)


def from_object_list(rows: Iterable[tuple[int, int, int, bytes]]) -> tuple[NamedObject, ...]:
    """Objects from the rows of an object_list: base_name, class_id, version, logical name.

    A base name is ``long`` in the list, so from 8000 hexadecimal on it comes negative. Classes that
    are not tabulated are left out: nothing is known of their members.
    """
    found = []
    for base, class_id, version, instance in rows:
        interface_class = classes.get(class_id, version)
        if interface_class is not None:
            found.append(NamedObject(base & 0xFFFF, interface_class, instance))
    return tuple(found)
