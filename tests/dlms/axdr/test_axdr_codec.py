"""A-XDR of ``Data``: every type, and values that do not fit theirs."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dlms.axdr import CompactArray, Data, DataType, TypeDescription, decode, encode
from dlms.axdr.data import (
    NULL,
    array,
    bit_string,
    boolean,
    double_long,
    double_long_unsigned,
    enum,
    integer,
    long,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
    utf8_string,
    visible_string,
)
from dlms.errors import CodecError

T = DataType

# Tag, octets of the value and the value: written by hand from the tags of GB 9.5.
CASES: list[tuple[DataType, str, Any]] = [
    (T.NULL_DATA, "00", None),
    (T.ARRAY, "0100", ()),
    (T.ARRAY, "010211011102", (unsigned(1), unsigned(2))),
    (T.STRUCTURE, "0200", ()),
    (T.STRUCTURE, "0202110109024142", (unsigned(1), octet_string(b"AB"))),
    (T.BOOLEAN, "0300", False),
    (T.BOOLEAN, "0301", True),
    (T.BIT_STRING, "0400", ""),
    (T.BIT_STRING, "040480", "1000"),
    (T.BIT_STRING, "040855", "01010101"),
    (T.BIT_STRING, "0409FF80", "111111111"),
    (T.DOUBLE_LONG, "05FFFFFFFF", -1),
    (T.DOUBLE_LONG, "0580000000", -(2**31)),
    (T.DOUBLE_LONG_UNSIGNED, "06FFFFFFFF", 2**32 - 1),
    (T.OCTET_STRING, "0900", b""),
    (T.OCTET_STRING, "090301FF00", b"\x01\xff\x00"),
    (T.VISIBLE_STRING, "0A03414243", "ABC"),
    (T.VISIBLE_STRING, "0A01E9", "é"),
    (T.UTF8_STRING, "0C02C3A9", "é"),
    (T.BCD, "0D80", -128),
    (T.INTEGER, "0F80", -128),
    (T.INTEGER, "0F7F", 127),
    (T.LONG, "108000", -32768),
    (T.UNSIGNED, "11FF", 255),
    (T.LONG_UNSIGNED, "12FFFF", 65535),
    (T.LONG64, "148000000000000000", -(2**63)),
    (T.LONG64_UNSIGNED, "15FFFFFFFFFFFFFFFF", 2**64 - 1),
    (T.ENUM, "1605", 5),
    (T.FLOAT32, "173FC00000", 1.5),
    (T.FLOAT64, "18BFF8000000000000", -1.5),
    (T.FLOAT32, "177F800000", math.inf),
    (T.DATE_TIME, "1907E80B15FF081E0F17800000", bytes.fromhex("07E80B15FF081E0F17800000")),
    (T.DATE, "1A07E80B15FF", bytes.fromhex("07E80B15FF")),
    (T.TIME, "1B081E0F17", bytes.fromhex("081E0F17")),
    (T.DELTA_INTEGER, "1CFF", -1),
    (T.DELTA_LONG, "1DFFFF", -1),
    (T.DELTA_DOUBLE_LONG, "1EFFFFFFFF", -1),
    (T.DELTA_UNSIGNED, "1FFF", 255),
    (T.DELTA_LONG_UNSIGNED, "20FFFF", 65535),
    (T.DELTA_DOUBLE_LONG_UNSIGNED, "21FFFFFFFF", 2**32 - 1),
    (T.DONT_CARE, "FF", None),
    (
        T.COMPACT_ARRAY,
        "13" + "11" + "03010203",
        CompactArray(TypeDescription(T.UNSIGNED), (unsigned(1), unsigned(2), unsigned(3))),
    ),
    (T.COMPACT_ARRAY, "131200", CompactArray(TypeDescription(T.LONG_UNSIGNED), ())),
    (
        T.COMPACT_ARRAY,
        "13" + "0202" + "12" + "00" + "04" + "00010002",
        CompactArray(
            TypeDescription(
                T.STRUCTURE, 2, (TypeDescription(T.LONG_UNSIGNED), TypeDescription(T.NULL_DATA))
            ),
            (structure(long_unsigned(1), NULL), structure(long_unsigned(2), NULL)),
        ),
    ),
    (
        T.COMPACT_ARRAY,
        "13" + "01000211" + "04" + "01020304",
        CompactArray(
            TypeDescription(T.ARRAY, 2, (TypeDescription(T.UNSIGNED),)),
            (array(unsigned(1), unsigned(2)), array(unsigned(3), unsigned(4))),
        ),
    ),
    (
        T.COMPACT_ARRAY,
        "13" + "0204" + "0304090A" + "08" + "01" + "0480" + "0141" + "024243",
        CompactArray(
            TypeDescription(
                T.STRUCTURE,
                4,
                tuple(
                    TypeDescription(kind)
                    for kind in (T.BOOLEAN, T.BIT_STRING, T.OCTET_STRING, T.VISIBLE_STRING)
                ),
            ),
            (
                structure(
                    boolean(True), bit_string("1000"), octet_string(b"A"), visible_string("BC")
                ),
            ),
        ),
    ),
    (
        T.COMPACT_ARRAY,
        "13" + "1B" + "08" + "0102030405060708",
        CompactArray(
            TypeDescription(T.TIME),
            (Data(T.TIME, b"\1\2\3\4"), Data(T.TIME, b"\5\6\7\10")),
        ),
    ),
]


@pytest.mark.parametrize(("kind", "octets", "value"), CASES, ids=lambda value: str(value)[:40])
def test_both_ways(kind: DataType, octets: str, value: Any) -> None:
    data = Data(kind, value)
    assert decode(bytes.fromhex(octets)) == data
    assert decode(bytes.fromhex(octets)).type is kind
    assert encode(data) == bytes.fromhex(octets)


def test_every_type_is_covered() -> None:
    assert {case[0] for case in CASES} == set(DataType)


@pytest.mark.parametrize(("kind", "octets", "value"), CASES, ids=lambda value: str(value)[:40])
def test_cut_and_left_over(kind: DataType, octets: str, value: Any) -> None:
    whole = bytes.fromhex(octets)
    for cut in range(len(whole)):
        with pytest.raises(CodecError):
            decode(whole[:cut])
    with pytest.raises(CodecError):
        decode(whole + b"\0")


def test_shorthands_make_the_types_they_name() -> None:
    made = {
        T.BOOLEAN: boolean(True),
        T.DOUBLE_LONG: double_long(1),
        T.DOUBLE_LONG_UNSIGNED: double_long_unsigned(1),
        T.UTF8_STRING: utf8_string("x"),
        T.INTEGER: integer(1),
        T.LONG: long(1),
        T.ENUM: enum(1),
    }
    assert all(data.type is kind for kind, data in made.items())
    assert T.LONG_UNSIGNED.label == "long-unsigned"


@pytest.mark.parametrize("tag", [t for t in range(256) if t not in set(DataType)])
def test_unknown_types(tag: int) -> None:
    with pytest.raises(CodecError) as caught:
        decode(bytes((tag,)) + bytes(20))
    assert caught.value.offset == 0


def test_true_as_ff() -> None:
    assert decode(b"\x03\xff") == boolean(True)
    for octet in (2, 0x7F, 0xFE):
        with pytest.raises(CodecError):
            decode(bytes((3, octet)))


def test_nan_survives() -> None:
    value = decode(bytes.fromhex("177FC00000")).value
    assert isinstance(value, float)
    assert math.isnan(value)


def test_long_form_lengths() -> None:
    assert decode(bytes.fromhex("09810141")) == octet_string(b"A")
    assert decode(bytes.fromhex("0182000111FF")) == array(unsigned(255))
    long = octet_string(bytes(300))
    assert encode(long)[:4].hex() == "0982012c"
    assert decode(encode(long)) == long


def compact(description: TypeDescription, *elements: Data) -> Data:
    return Data(T.COMPACT_ARRAY, CompactArray(description, elements))


def test_bytearrays_are_octets_as_well() -> None:
    assert encode(Data(T.OCTET_STRING, bytearray(b"AB"))) == b"\x09\x02AB"
    assert encode(Data(T.TIME, bytearray(4))) == b"\x1b" + bytes(4)
    assert type(encode(Data(T.TIME, bytearray(4)))) is bytes


MISFITS: list[Data] = [
    unsigned(256),
    unsigned(-1),
    integer(128),
    long(40000),
    long_unsigned(-1),
    double_long(2**31),
    double_long_unsigned(2**32),
    enum(256),
    Data(T.LONG64, 2**63),
    Data(T.UNSIGNED, "1"),
    Data(T.UNSIGNED, None),
    Data(T.UNSIGNED, 1.5),
    Data(T.FLOAT32, 1e300),
    Data(T.FLOAT32, "x"),
    Data(T.BOOLEAN, 1),
    Data(T.BIT_STRING, "012"),
    Data(T.BIT_STRING, b"\1"),
    Data(T.OCTET_STRING, "text"),
    Data(T.VISIBLE_STRING, b"octets"),
    Data(T.VISIBLE_STRING, "☃"),
    Data(T.UTF8_STRING, b"octets"),
    Data(T.UTF8_STRING, "\ud800"),
    Data(T.DATE_TIME, bytes(11)),
    Data(T.DATE, bytes(6)),
    Data(T.TIME, "time"),
    Data(T.ARRAY, None),
    Data(T.STRUCTURE, "ab"),
    Data(T.COMPACT_ARRAY, None),
    structure(unsigned(1), structure(unsigned(300))),
    Data(T.COMPACT_ARRAY, CompactArray(TypeDescription(T.UNSIGNED), (long(1),))),
    Data(T.COMPACT_ARRAY, CompactArray(TypeDescription(T.UNSIGNED), (unsigned(256),))),
    Data(
        T.COMPACT_ARRAY,
        CompactArray(
            TypeDescription(T.STRUCTURE, 1, (TypeDescription(T.UNSIGNED),)), (structure(),)
        ),
    ),
    Data(
        T.COMPACT_ARRAY,
        CompactArray(
            TypeDescription(T.ARRAY, 2, (TypeDescription(T.UNSIGNED),)), (array(unsigned(1)),)
        ),
    ),
    Data(
        T.COMPACT_ARRAY,
        CompactArray(
            TypeDescription(T.STRUCTURE, 1, (TypeDescription(T.UNSIGNED),)),
            (Data(T.STRUCTURE, None),),
        ),
    ),
    # Descriptions that cannot be written, or would not be read as they were meant.
    compact(TypeDescription(T.ARRAY, -1, (TypeDescription(T.UNSIGNED),))),
    compact(TypeDescription(T.ARRAY, 0x10000, (TypeDescription(T.UNSIGNED),))),
    compact(TypeDescription(T.ARRAY, 2)),
    compact(TypeDescription(T.ARRAY, 2, (TypeDescription(T.UNSIGNED),) * 2)),
    compact(TypeDescription(T.UNSIGNED, 1, (TypeDescription(T.UNSIGNED),))),
    compact(TypeDescription(T.COMPACT_ARRAY)),
    # Elements of no octets: nobody could tell how many there were.
    compact(TypeDescription(T.NULL_DATA), NULL),
    compact(TypeDescription(T.STRUCTURE), structure()),
    # Tuples that are no sequence of Data.
    Data(T.STRUCTURE, unsigned(1)),
    Data(T.ARRAY, CompactArray(TypeDescription(T.UNSIGNED), ())),
    compact(TypeDescription(T.STRUCTURE, 2), Data(T.STRUCTURE, unsigned(1))),
]


@pytest.mark.parametrize("data", MISFITS, ids=lambda data: str(data)[:50])
def test_values_that_do_not_fit_their_type(data: Data) -> None:
    with pytest.raises(CodecError) as caught:
        encode(data)
    assert caught.value.offset is None
