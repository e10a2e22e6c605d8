"""Read and Write by short name, and what an Association SN says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.profile import ProfileError, load
from dlms.axdr.data import (
    NULL,
    Data,
    array,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.cosem import obis, short_names
from dlms.cosem.interface_class import Attribute
from dlms.security.control import Protection
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.variable_access import ParameterizedAccess, VariableName
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest

PROFILE = load("laboratory")
NAMES = PROFILE.short_names
CURRENT = 0xFA00
PAD = 0x0100  # base_name of 0-0:96.1.9.255 in the profile; attribute 2 is 8 above
NUMBER = NAMES.bases[obis.parse("0-0:96.1.7.255")]
OLD, NEW = octet_string(b"\0"), octet_string(b"\1\2")
OK = DataAccessResult.SUCCESS
UNDEFINED = DataAccessResult.OBJECT_UNDEFINED
DENIED = DataAccessResult.READ_WRITE_DENIED
UNMATCHED = DataAccessResult.TYPE_UNMATCHED
VIOLATED = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.fixture
def lab(make_bench: Callable[..., Any]) -> Any:
    return make_bench("laboratory")


def read(lab: Any, *items: Any, who: str = "sn_ciphered") -> Any:
    specifications = tuple(VariableName(name=i) if isinstance(i, int) else i for i in items)
    return lab.handle(ReadRequest(specifications), who, Protection.BOTH).results


def write(lab: Any, *pairs: tuple[Any, Data], who: str = "sn_ciphered") -> Any:
    names = tuple(VariableName(name=i) if isinstance(i, int) else i for i, _ in pairs)
    values = tuple(value for _, value in pairs)
    return lab.handle(WriteRequest(names, values), who, Protection.BOTH).results


def access(name: int, selector: int, parameter: Data) -> ParameterizedAccess:
    return ParameterizedAccess(name=name, selector=selector, parameter=parameter)


def test_short_and_logical_names_give_equal_values(lab: Any) -> None:
    """Whoever has the reader's rights reads the reader's values, and is refused alike."""
    compared = 0
    for name, (row, member) in NAMES.members.items():
        if not isinstance(member, Attribute) or row.interface_class.class_id == 12:
            continue
        if row.interface_class.class_id not in (1, 3, 7, 8, 17, 70):
            continue
        by_logical = lab.get(obis.text(row.instance), member.number, "reader")
        assert read(lab, name, who="sn") == (by_logical,), (obis.text(row.instance), member.number)
        compared += isinstance(by_logical, Data)
    assert compared > 40


def test_every_attribute_of_every_object(lab: Any) -> None:
    for name, (row, member) in NAMES.members.items():
        if isinstance(member, Attribute):
            rights = row.rights.get("sn")
            (found,) = read(lab, name, who="sn")
            if rights is None:
                assert found is UNDEFINED
            elif rights.attribute(member.number).readable:
                assert isinstance(found, Data), (obis.text(row.instance), member.number)
            else:
                assert found is DENIED


def test_base_names_are_those_written_reserved_or_assigned() -> None:
    assert NAMES.bases[obis.parse("0-0:96.1.9.255")] == 0x0100
    assert NAMES.bases[obis.parse("0-0:96.1.8.255")] == 0x0200
    assert NAMES.bases[obis.parse("0-0:40.0.0.255")] == CURRENT
    assert NAMES.bases[obis.parse("0-0:10.0.125.255")] == 0xFB00
    assert NAMES.bases[obis.parse("0-0:41.0.0.255")] == 0xFC00
    assert NAMES.bases[obis.parse("0-0:42.0.0.255")] == 0xFD00
    assert all(base % 8 == 0 for base in NAMES.bases.values())
    assert NAMES.objects.keys() == NAMES.bases.keys() == PROFILE.objects.keys()
    # The current association is another object by short names.
    assert NAMES.objects[obis.parse("0-0:40.0.0.255")].interface_class.class_id == 12
    assert PROFILE.objects[obis.parse("0-0:40.0.0.255")].interface_class.class_id == 15


def test_each_item_for_itself(lab: Any) -> None:
    assert read(lab, PAD + 8, PAD + 9, 0x0008 - 8, PAD + 8) == (OLD, UNDEFINED, UNDEFINED, OLD)
    assert write(lab, (PAD, NEW), (PAD + 8, NEW), (1, NEW)) == (DENIED, OK, UNDEFINED)
    assert read(lab, PAD + 8) == (NEW,)
    # Type and rights are judged as with logical names.
    scaler = NUMBER + 16
    assert write(lab, (scaler, NEW), (access(PAD + 8, 1, NULL), NEW)) == (UNMATCHED, VIOLATED)
    assert read(lab, access(PAD + 8, 1, NULL)) == (VIOLATED,)
    assert write(lab, (PAD + 8, OLD), who="sn") == (DENIED,)


def test_unconfirmed_write_says_nothing(lab: Any) -> None:
    request = UnconfirmedWriteRequest((VariableName(name=PAD + 8),), (NEW,))
    assert lab.handle(request, "sn_ciphered", Protection.BOTH) is None
    assert read(lab, PAD + 8) == (NEW,)


def test_methods_by_write_and_by_read(lab: Any) -> None:
    """A register's reset is 28 hexadecimal above its base name (Blue Book 4.3.2)."""
    reset = NUMBER + 0x28
    value = NUMBER + 8
    assert write(lab, (reset, NEW)) == (UNMATCHED,)
    assert write(lab, (access(reset, 0, integer(0)), integer(0))) == (VIOLATED,)
    assert read(lab, value)[0].value == 7
    assert write(lab, (reset, integer(0))) == (OK,)
    assert read(lab, value)[0].value == 0
    assert read(lab, access(reset, 0, integer(0))) == (NULL,)  # done, and nothing returned
    assert read(lab, reset) == (UNMATCHED,)  # without its parameter
    assert read(lab, access(reset, 0, integer(0)), who="sn") == (DENIED,)
    assert write(lab, (reset, integer(0)), who="sn") == (DENIED,)


def test_selective_access_to_a_buffer(lab: Any) -> None:
    base = NAMES.bases[obis.parse("1-0:99.1.0.255")]
    entries = structure(*(long_unsigned(n) for n in (1, 2, 1, 0)))
    (whole,), (part,) = (
        read(lab, base + 8, who="sn"),
        read(lab, access(base + 8, 2, entries), who="sn"),
    )
    assert part.value == whole.value[:2]


def test_the_object_list(lab: Any) -> None:
    (found,) = read(lab, CURRENT + 8)
    rows = [tuple(part.value for part in element.value) for element in found.value]
    named = short_names.from_object_list(rows)
    assert {one.instance: one.base_name for one in named} == {
        instance: NAMES.bases[instance]
        for instance, row in NAMES.objects.items()
        if "sn_ciphered" in row.rights
    }
    assert all(-0x8000 <= row[0] < 0x8000 for row in rows)  # long
    (ones,) = read(lab, access(CURRENT + 8, 1, long_unsigned(12)))
    assert [element.value[0].value for element in ones.value] == [CURRENT - 0x10000]
    pad = structure(long_unsigned(1), octet_string(obis.parse("0-0:96.1.9.255")))
    (one,) = read(lab, access(CURRENT + 8, 2, pad))
    assert one.value[0].value == PAD
    nobody = structure(long_unsigned(3), octet_string(obis.parse("0-0:96.1.9.255")))
    wrong = (
        access(CURRENT + 8, 2, nobody),
        access(CURRENT + 8, 1, pad),
        access(CURRENT + 8, 3, pad),
    )
    assert read(lab, *wrong) == (UNDEFINED, UNMATCHED, VIOLATED)


def test_rights_list_and_reality_agree(lab: Any) -> None:
    (found,) = read(lab, CURRENT + 16, who="sn")
    assert len(found.value) == sum("sn" in row.rights for row in NAMES.objects.values())
    for element in found.value:
        base, attributes, methods = (part.value for part in element.value)
        base &= 0xFFFF
        for attribute in attributes:
            number, mode, _ = (part.value for part in attribute.value)
            (result,) = read(lab, base + 8 * (number - 1), who="sn")
            assert isinstance(result, Data) is bool(mode & 1)
        assert all(part.value[1].value in (0, 1) for part in methods)


def test_read_by_logicalname(lab: Any) -> None:
    """Method 3, at 30 hexadecimal; what cannot be had is null-data."""

    def wanted(code: str, number: int, class_id: int = 1) -> Data:
        return structure(long_unsigned(class_id), octet_string(obis.parse(code)), integer(number))

    asked = array(
        wanted("0-0:96.1.9.255", 2),
        wanted("0-0:96.1.9.255", 3),
        wanted("0-0:96.1.9.255", 2, 3),
        wanted("0-0:199.0.0.255", 2),
        wanted("0-0:43.0.11.255", 2, 64),
    )
    assert read(lab, access(CURRENT + 0x30, 0, asked), who="sn") == (
        structure(OLD, NULL, NULL, NULL, NULL),
    )
    assert read(lab, access(CURRENT + 0x30, 0, unsigned(1)), who="sn") == (UNMATCHED,)


def test_read_by_logicalname_goes_past_no_right(make_bench: Callable[..., Any]) -> None:
    lab = make_bench("laboratory", '[objects."0-0:96.1.9.255"]\nrights.sn = "2w"\n')
    name = octet_string(obis.parse("0-0:96.1.9.255"))
    asked = array(structure(long_unsigned(1), name, integer(2)))
    assert read(lab, access(CURRENT + 0x30, 0, asked), who="sn") == (structure(NULL),)


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ('[objects."0-0:96.1.8.255"]\nbase_name = 0x100\n', "taken"),
        ('[objects."0-0:96.1.8.255"]\nbase_name = 0x108\n', "taken"),
        ('[objects."0-0:96.1.8.255"]\nbase_name = 0xFFF8\n', "more objects"),
        ('[objects."0-0:96.1.8.255"]\nbase_name = 0xF9F0\n', "more objects"),
        (
            '[short_name_objects."0-0:40.0.0.255"]\nabsent = true\n',
            "current association is missing",
        ),
    ],
)
def test_names_that_cannot_be(make_bench: Callable[..., Any], extra: str, why: str) -> None:
    with pytest.raises(ProfileError, match=why):
        make_bench("laboratory", extra)


def test_nobody_has_names_where_nobody_uses_them(bench: Any) -> None:
    assert bench.profile.short_names.members == {}
