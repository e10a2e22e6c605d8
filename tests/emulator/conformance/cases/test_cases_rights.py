"""Rights as lists of objects say them."""

from __future__ import annotations

import pytest

from dlms.axdr.data import (
    Data,
    array,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.security.control import Protection
from emulator.conformance.cases.rights import AUTHENTICATED, ENCRYPTED, Right, rights_in

OWN = octet_string(bytes((0, 0, 40, 0, 0, 255)))
CLOCK = octet_string(bytes((0, 0, 1, 0, 0, 255)))


def listed(version: int, attribute_mode: int, method_mode: int) -> Data:
    def entry(class_id: int, version: int, name: Data) -> Data:
        attributes = array(structure(integer(2), enum(attribute_mode), array()))
        methods = array(structure(integer(1), enum(method_mode)))
        rights = structure(attributes, methods)
        return structure(long_unsigned(class_id), unsigned(version), name, rights)

    return array(entry(15, version, OWN), entry(8, 0, CLOCK))


@pytest.mark.parametrize(
    ("version", "mode", "right"),
    [(1, 0, 0), (1, 1, 1), (1, 3, 3), (1, 4, 1 | AUTHENTICATED), (1, 6, 3 | AUTHENTICATED),
     (1, 7, 0), (3, 4, 4), (3, 13, 1 | AUTHENTICATED | ENCRYPTED)],
)  # fmt: skip
def test_modes_of_attributes(version: int, mode: int, right: int) -> None:
    rights = tuple(rights_in(listed(version, mode, 0)))
    assert [one.mode for one in rights if not one.is_method] == [right, right]


@pytest.mark.parametrize(("version", "mode", "right"), [(1, 1, 1), (1, 2, 5), (3, 9, 9)])
def test_modes_of_methods(version: int, mode: int, right: int) -> None:
    rights = tuple(rights_in(listed(version, 0, mode)))
    assert [one.mode for one in rights if one.is_method] == [right, right]


@pytest.mark.parametrize("odd", [array(unsigned(1)), array(structure(unsigned(1))), unsigned(1)])
def test_what_is_no_list_says_nothing(odd: Data) -> None:
    assert tuple(rights_in(odd)) == ()


def test_the_protection_that_a_right_asks_for() -> None:
    right = Right(8, bytes(6), 2, False, 1 | ENCRYPTED)
    assert right.request_protection == Protection.ENCRYPTED
    assert str(right) == "attribute 2 of class 8 at 0-0:0.0.0.0"
