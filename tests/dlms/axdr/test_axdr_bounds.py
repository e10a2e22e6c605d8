"""A-XDR of ``Data``: nesting, lengths and counts are bounded, in both directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlms.axdr import CompactArray, Data, DataType, TypeDescription, decode, encode
from dlms.axdr.data import (
    NULL,
    array,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.layout import MAX_DEPTH, MAX_ELEMENTS, VALUES_PER_OCTET
from dlms.errors import CodecError

T = DataType


def nested(depth: int) -> bytes:
    return b"\x02\x01" * depth + b"\x00"


def test_depth_is_bounded() -> None:
    assert encode(decode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 1000, 30_000):
        with pytest.raises(CodecError, match="deeper"):
            decode(nested(depth))


@pytest.mark.parametrize("sequence", [array, structure])
def test_depth_is_bounded_while_encoding(sequence: Callable[..., Data]) -> None:
    data = NULL
    for _ in range(MAX_DEPTH):
        data = sequence(data)
    assert decode(encode(data)) == data
    for _ in range(2000):
        data = sequence(data)
        with pytest.raises(CodecError, match="deeper"):
            encode(data)


def test_depth_of_a_description_is_bounded_while_encoding() -> None:
    def compact(levels: int, kind: DataType) -> Data:
        description = TypeDescription(T.OCTET_STRING)
        element = octet_string(bytes(3))
        for _ in range(levels):
            description = TypeDescription(kind, 1, (description,))
            element = Data(kind, (element,))
        return Data(T.COMPACT_ARRAY, CompactArray(description, (element,)))

    for kind in (T.ARRAY, T.STRUCTURE):
        # The description of the simple type is a level as well, and so is what is around it all.
        deepest = compact(MAX_DEPTH - 1, kind)
        assert decode(encode(deepest)) == deepest
        for levels in (MAX_DEPTH, 5000):
            with pytest.raises(CodecError, match="deeper"):
                encode(compact(levels, kind))
        with pytest.raises(CodecError, match="deeper"):
            encode(structure(deepest))
        with pytest.raises(CodecError, match="deeper"):
            decode(b"\x02\x01" + encode(deepest))


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 5000])
def test_depth_of_a_description_is_bounded(levels: int) -> None:
    with pytest.raises(CodecError, match="deeper"):
        decode(b"\x13" + b"\x02\x01" * levels + b"\x11" + b"\x01\x00")
    with pytest.raises(CodecError, match="deeper"):
        decode(b"\x13" + b"\x01\x00\x01" * levels + b"\x11" + b"\x01\x00")


@pytest.mark.parametrize(
    "octets",
    [
        "01FF",
        "0105" + "00" * 4,
        "0184FFFFFFFF",
        "0284FFFFFFFF00",
        "0984FFFFFFFF00",
        "0A7F",
        "0C7F",
        "0484FFFFFFFF00",
        "13" + "0284FFFFFFFF11",
        "13" + "11" + "84FFFFFFFF00",
        "13" + "02" + "7F" + "11",
    ],
)
def test_counts_that_lie(octets: str) -> None:
    """Refused by comparing with what is there, before anything is allocated for it."""
    with pytest.raises(CodecError):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize("octets", ["010200", "020300FF", "0184FFFFFFFF00", "13020511"])
def test_sequences_that_lie_are_refused_before_they_are_read(octets: str) -> None:
    with pytest.raises(CodecError, match="announced"):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    [
        "13" + "00" + "0100",  # elements of no octets would never end
        "13" + "FF" + "0100",
        "13" + "01000000" + "0100",
        "13" + "0200" + "0100",
        "13" + "12" + "03000100",  # half an element
        "13" + "13" + "110100",  # a compact-array inside
        "13" + "07" + "0100",  # an unknown type
        "13" + "03" + "0102",  # a boolean that is none
        "13" + "0C" + "0301C300",  # no UTF-8
    ],
)
def test_compact_arrays_that_are_none(octets: str) -> None:
    with pytest.raises(CodecError):
        decode(bytes.fromhex(octets))


def test_values_that_cost_no_octets_are_bounded() -> None:
    """Arrays of nulls in a compact-array: few octets must not become many values."""
    bomb = bytes.fromhex("13" + "0202" + "11" + "01EA6000" + "0105")
    with pytest.raises(CodecError, match="more values"):
        decode(bomb)
    with pytest.raises(CodecError, match="more values"):
        decode(b"\x01\x50" + bomb * 0x50)
    with pytest.raises(CodecError, match="more values"):
        decode(bytes.fromhex("13" + "01FFFF" * 20 + "00" + "0105"))


def test_nulls_in_reason_are_taken() -> None:
    fields = 1 + VALUES_PER_OCTET - 2
    description = b"\x02" + bytes((fields,)) + b"\x11" + bytes(fields - 1)
    value = decode(b"\x13" + description + b"\x03\1\2\3").value
    assert isinstance(value, CompactArray)
    assert len(value.elements) == 3


def test_a_full_compact_array() -> None:
    """As many elements as the octets of an APDU allow are no excess."""
    count = MAX_ELEMENTS - 16
    data = Data(
        T.COMPACT_ARRAY,
        CompactArray(TypeDescription(T.UNSIGNED), tuple(unsigned(n & 0xFF) for n in range(count))),
    )
    assert decode(encode(data)) == data
