"""Runs of equal-shaped elements: whatever the octets or values, the way of the many gives what the
way of the one gives, errors included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms.axdr import (
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    decode,
    encode,
)
from dlms.axdr.data import (
    array,
    bit_string,
    boolean,
    double_long_unsigned,
    octet_string,
    structure,
    unsigned,
    visible_string,
)

Agree = Callable[[Callable[[Any], Any], Any], str]

T = DataType
ROWS = 12
"""More than are looked at one by one."""
CLOCK = "07E40601010000000000" + "0000"


def row_octets(number: int) -> str:
    return f"0204 090C{CLOCK} 11{number:02X} 06000F42{number:02X} 0600{number:02X}0000"


def row(number: int, clock: Data | None = None) -> Data:
    return structure(
        octet_string(bytes.fromhex(CLOCK)) if clock is None else clock,
        unsigned(number),
        double_long_unsigned(0x0F4200 + number),
        double_long_unsigned(number << 16),
    )


BUFFER = bytes.fromhex("010C" + "".join(map(row_octets, range(ROWS))))
ROW = 28
"""Octets of a row."""


def test_every_cut(agree: Agree) -> None:
    for cut in range(len(BUFFER)):
        assert "CodecError" in agree(decode, BUFFER[:cut])


def test_every_octet_changed(agree: Agree) -> None:
    """Tags, counts and lengths that lie, in the first row, in the last, and in between."""
    refused = 0
    for at in range(len(BUFFER)):
        for octet in (0x00, 0x01, 0x02, 0x03, 0x09, 0x0C, 0x11, 0x12, 0x7F, 0x81, 0xFF):
            changed = BUFFER[:at] + bytes((octet,)) + BUFFER[at + 1 :]
            refused += "CodecError" in agree(decode, changed)
    assert refused > ROWS * 7 * 5


SCALARS: dict[DataType, st.SearchStrategy[Any]] = {
    T.NULL_DATA: st.none(),
    T.BOOLEAN: st.booleans(),
    T.BIT_STRING: st.text("01", max_size=9),
    T.OCTET_STRING: st.binary(min_size=3, max_size=4),
    T.VISIBLE_STRING: st.text("abc", min_size=2, max_size=3),
    T.UNSIGNED: st.integers(0, 255),
    T.LONG: st.integers(-32768, 32767),
    T.DOUBLE_LONG_UNSIGNED: st.integers(0, 2**32 - 1),
    T.LONG64: st.integers(-(2**63), 2**63 - 1),
    T.FLOAT32: st.floats(width=32),
    T.ENUM: st.integers(0, 255),
    T.DATE: st.binary(min_size=5, max_size=5),
    T.DONT_CARE: st.none(),
}
Kinds = Any
"""A type, or a list of these for a structure, or a tuple of these for an array."""

shapes: st.SearchStrategy[Kinds] = st.recursive(
    st.sampled_from([*SCALARS, T.UNSIGNED, T.NULL_DATA, T.OCTET_STRING]),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


def filled(draw: st.DrawFn, shape: Kinds) -> Data:
    if isinstance(shape, DataType):
        return Data(shape, draw(SCALARS[shape]))
    kind = T.STRUCTURE if isinstance(shape, list) else T.ARRAY
    return Data(kind, tuple(filled(draw, inner) for inner in shape))


@st.composite
def arrays(draw: st.DrawFn) -> Data:
    """Rows of one shape, mostly, and some repeated so that runs are long."""
    usual, other = draw(shapes), draw(shapes)
    few = [filled(draw, usual) for _ in range(3)] + [filled(draw, other)]
    order = draw(st.lists(st.sampled_from([0, 0, 0, 1, 1, 2, 3]), min_size=9, max_size=40))
    if draw(st.booleans()):
        order = [number for number in order if number != 3]
    return array(*(few[number] for number in order))


@given(arrays())
def test_any_array_both_ways(agree: Agree, data: Data) -> None:
    octets = encode(data)
    agree(encode, data)
    assert "CodecError" not in agree(decode, octets)
    assert encode(decode(octets)) == octets
    agree(decode, b"\x02\x02" + octets + octets)


@given(st.data())
def test_any_damage(agree: Agree, data: st.DataObject) -> None:
    octets = bytearray(encode(data.draw(arrays())))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    agree(decode, bytes(octets[: data.draw(st.integers(1, len(octets)))]))


@given(st.binary(max_size=8), st.binary(min_size=1, max_size=12), st.integers(8, 40), st.binary())
def test_any_octets_repeated(
    agree: Agree, head: bytes, unit: bytes, count: int, tail: bytes
) -> None:
    agree(decode, head + unit * count + tail)
    agree(decode, bytes((1, count + 1)) + unit * count + tail)


WRONG: list[Any] = [
    256, -1, 2**64, 1.5, float("inf"), None, True, "ab", b"ab", bytearray(b"abc"), b"abc", b"abcd",
    b"", [], (), [unsigned(1)], (unsigned(1),), structure(unsigned(1)),
]  # fmt: skip


@settings(max_examples=300)
@given(st.data())
def test_any_value_in_any_place(agree: Agree, data: st.DataObject) -> None:
    """What does not fit its type is refused in the same words; what does gives the same octets."""
    kinds = [*SCALARS, T.STRUCTURE, T.ARRAY, T.COMPACT_ARRAY]
    rows = list(data.draw(arrays()).value)  # type: ignore
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(rows) - 1))
        wrong = Data(data.draw(st.sampled_from(kinds)), data.draw(st.sampled_from(WRONG)))
        cells = rows[at].value
        if cells and type(cells) is tuple and data.draw(st.booleans()):
            place = data.draw(st.integers(0, len(cells) - 1))
            cell = data.draw(st.sampled_from([wrong, Data(cells[place].type, wrong.value)]))
            rows[at] = Data(rows[at].type, (*cells[:place], cell, *cells[place + 1 :]))
        else:
            rows[at] = data.draw(st.sampled_from([wrong, Data(rows[at].type, wrong.value)]))
    agree(encode, array(*rows))


@pytest.mark.parametrize(
    "wrong",
    [unsigned(256), unsigned(-1), Data(T.UNSIGNED, None), Data(T.UNSIGNED, "1")],
    ids=str,
)
@pytest.mark.parametrize("at", [0, 1, ROWS - 1])
def test_a_value_that_does_not_fit(agree: Agree, wrong: Data, at: int) -> None:
    rows = [row(number) for number in range(ROWS)]
    rows[at] = structure(rows[at].value[0], wrong, *rows[at].value[2:])  # type: ignore
    assert "does not fit" in agree(encode, array(*rows))
    assert "unsigned" in agree(
        encode, array(*[wrong if n == at else unsigned(n) for n in range(12)])
    )


def test_what_is_no_row(agree: Agree) -> None:
    rows = tuple(map(row, range(ROWS)))
    for bad in (
        Data(T.STRUCTURE, list(rows[3].value)),  # type: ignore
        Data(T.STRUCTURE, "abcd"),
        Data(T.STRUCTURE, None),
        Data(T.OCTET_STRING, [1] * 12),
    ):
        for at in (0, 5, ROWS - 1):
            assert "CodecError" in agree(encode, array(*rows[:at], bad, *rows[at + 1 :]))
    moved = [structure(*rows[0].value[:3]), structure(*rows[1].value, unsigned(1))]  # type: ignore
    agree(encode, array(*rows, *moved))
    shifted = [
        structure(unsigned(1), unsigned(2)),
        structure(unsigned(1)),
        structure(*[unsigned(3)] * 3),
    ]
    agree(encode, array(*shifted * 4))


def test_what_differs_in_one_row_only(agree: Agree) -> None:
    """Its kind of sequence, a value that has no length, a date of four octets."""
    value = structure(octet_string(b"AB"), unsigned(1))
    other = array(octet_string(b"AB"), unsigned(1))
    octets = encode(array(*[value] * ROWS, other))
    assert octets[-8:] == bytes.fromhex("0102090241421101")
    nothing = structure(Data(T.OCTET_STRING, None), unsigned(1))
    assert "does not fit" in agree(encode, array(*[value] * ROWS, nothing))
    short = structure(Data(T.DATE, bytes(4)), unsigned(1))
    assert "does not fit" in agree(encode, array(*[short] * ROWS))


def test_types_that_are_not_for_runs(agree: Agree) -> None:
    compact = Data(T.COMPACT_ARRAY, CompactArray(TypeDescription(T.UNSIGNED), (unsigned(1),)))
    for value in (
        boolean(True),
        bit_string("101"),
        visible_string("é"),
        compact,
        structure(compact),
    ):
        octets = encode(array(*[value] * ROWS))
        assert octets == b"\x01\x0c" + encode(value) * ROWS
        assert decode(octets) == array(*[value] * ROWS)
    ill = b"\x01\x0c" + b"\x03\x01" * 11 + b"\x03\x02"
    assert "00, 01 or FF" in agree(decode, ill)
