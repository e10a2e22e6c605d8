"""Runs of equal-shaped elements, by hand, and what bounds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlms.axdr import (
    Data,
    DataType,
    decode,
    decoding,
    encode,
    encoding,
    run_decoding,
    run_encoding,
)
from dlms.axdr.data import (
    NULL,
    array,
    double_long_unsigned,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from dlms.axdr.layout import BATCH, FIXED, MAX_DEPTH, MAX_FIELDS, WORTHWHILE
from dlms.axdr.run_decoding import read_run
from dlms.axdr.run_encoding import write_run
from dlms.octets import Reader

Agree = Callable[[Callable[[Any], Any], Any], str]
T = DataType
# By hand ----------------------------------------------------------------------------------------

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


def test_a_buffer_both_ways() -> None:
    data = array(*map(row, range(ROWS)))
    assert decode(BUFFER) == data
    assert encode(data) == BUFFER
    kinds = [cell.type for each in decode(BUFFER).value for cell in each.value]  # type: ignore
    assert all(type(kind) is DataType for kind in kinds)


def test_it_is_taken_many_at_a_time() -> None:
    reader = Reader(BUFFER, 2 + ROW)
    assert read_run(reader, 2, ROWS - 1) == [row(number) for number in range(1, ROWS)]
    assert reader.position == len(BUFFER)
    out = bytearray(b"before")
    assert write_run(out, tuple(map(row, range(ROWS))))
    assert out == b"before" + BUFFER[2:]


def test_null_for_a_clock_that_goes_on() -> None:
    """The first row has another shape than the rest."""
    octets = (
        "010C"
        + row_octets(0)
        + "".join(
            f"0204 00 11{number:02X} 06000F42{number:02X} 0600{number:02X}0000"
            for number in range(1, ROWS)
        )
    )
    data = array(row(0), *(row(number, NULL) for number in range(1, ROWS)))
    assert decode(bytes.fromhex(octets)) == data
    assert encode(data) == bytes.fromhex(octets)
    assert write_run(bytearray(), data.value[1:])  # type: ignore
    start = 2 + ROW
    reader = Reader(bytes.fromhex(octets), start + 15)
    assert len(read_run(reader, start, ROWS - 2)) == ROWS - 2


@pytest.mark.parametrize("at", range(1, ROWS))
def test_a_run_ends_where_a_row_differs(at: int) -> None:
    """Also by a length alone: the strings of one row are longer."""
    rows = [row(number) for number in range(ROWS)]
    rows[at] = row(at, octet_string(bytes(13)))
    octets = bytearray(BUFFER)
    octets[2 + at * ROW + 3] = 13
    octets[2 + at * ROW + 4 : 2 + at * ROW + 16] = bytes(13)
    assert decode(bytes(octets)) == array(*rows)
    assert encode(array(*rows)) == bytes(octets)


def test_scalars() -> None:
    octets = bytes.fromhex("010C" + "".join(f"12{number:04X}" for number in range(ROWS)))
    data = array(*map(long_unsigned, range(ROWS)))
    assert decode(octets) == data
    assert encode(data) == octets
    nulls = b"\x01\x0c" + bytes(12)
    assert decode(nulls) == array(*[NULL] * 12)
    assert encode(array(*[NULL] * 12)) == nulls
    empty = b"\x01\x0c" + b"\x02\x00" * 12
    assert decode(empty) == array(*[structure()] * 12)
    assert encode(array(*[structure()] * 12)) == empty


def test_nested_rows() -> None:
    one = "0203 0202 1101 00 0102 1205FF 1206FF 0902AABB"
    value = structure(
        structure(unsigned(1), NULL),
        array(long_unsigned(0x5FF), long_unsigned(0x6FF)),
        octet_string(b"\xaa\xbb"),
    )
    octets = bytes.fromhex("010C" + one * ROWS)
    assert decode(octets) == array(*[value] * ROWS)
    assert encode(array(*[value] * ROWS)) == octets
    size = len(bytes.fromhex(one))
    assert len(read_run(Reader(octets, 2 + size), 2, ROWS - 1)) == ROWS - 1


def test_every_fixed_type_and_long_strings() -> None:
    """Values at both ends of each type, and lengths in long form."""
    for kind, layout in FIXED.items():
        if kind in (T.FLOAT32, T.FLOAT64):
            continue
        for octet in (0x00, 0x7F, 0x80, 0xFF):
            signed = layout.format[1:] in "bhiq"
            value = int.from_bytes(bytes([octet]) * layout.size, "big", signed=signed)
            octets = b"\x01\x0c" + (bytes([kind]) + bytes([octet]) * layout.size) * ROWS
            assert decode(octets) == array(*[Data(DataType(kind), value)] * ROWS)
            assert encode(decode(octets)) == octets
    octets = b"\x01\x0c" + (b"\x09\x82\x01\x00" + bytes(range(256))) * ROWS
    assert decode(octets) == array(*[octet_string(bytes(range(256)))] * ROWS)
    assert encode(decode(octets)) == octets


def test_lengths_longer_than_needed_are_read_in_runs_as_well() -> None:
    octets = b"\x01\x0c" + b"\x02\x81\x01\x09\x81\x01\xaa" * ROWS
    assert decode(octets) == array(*[structure(octet_string(b"\xaa"))] * ROWS)


# Bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [WORTHWHILE, BATCH, BATCH + 1, 3 * BATCH + 7, 2000])
def test_any_number_of_rows(count: int) -> None:
    value = structure(unsigned(1), octet_string(b"AB"))
    head = {WORTHWHILE: b"\x01\x08", 128: b"\x01\x81\x80", 129: b"\x01\x81\x81"}.get(
        count, b"\x01\x82" + count.to_bytes(2, "big")
    )
    octets = head + bytes.fromhex("0202110109024142") * count
    assert decode(octets) == array(*[value] * count)
    assert encode(array(*[value] * count)) == octets
    assert not write_run(bytearray(), (value,) * (BATCH + 1))


@pytest.mark.parametrize("fields", [MAX_FIELDS - 1, MAX_FIELDS, MAX_FIELDS + 1, 200])
def test_any_number_of_fields(fields: int) -> None:
    length = bytes((fields,)) if fields < 128 else bytes((0x81, fields))
    octets = b"\x01\x0c" + (b"\x02" + length + b"\x11\x07" * fields) * ROWS
    value = structure(*[unsigned(7)] * fields)
    assert decode(octets) == array(*[value] * ROWS)
    assert encode(array(*[value] * ROWS)) == octets
    assert write_run(bytearray(), (value,) * ROWS) is (fields <= MAX_FIELDS)


def test_rows_at_the_greatest_depth(agree: Agree) -> None:
    def nested(depth: int) -> tuple[bytes, Data]:
        octets, data = (
            b"\x01\x0c" + b"\x02\x01\x11\x05" * ROWS,
            array(*[structure(unsigned(5))] * ROWS),
        )
        for _ in range(depth):
            octets, data = b"\x02\x01" + octets, structure(data)
        return octets, data

    octets, data = nested(MAX_DEPTH - 2)
    assert decode(octets) == data
    assert encode(data) == octets
    octets, data = nested(MAX_DEPTH - 1)
    assert "deeper" in agree(decode, octets)
    assert "deeper" in agree(encode, data)


def test_rows_that_alternate_are_soon_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work stays in proportion to the octets, however an array is made."""
    looked = []

    def read(reader: Reader, start: int, count: int) -> list[Data]:
        looked.append(count)
        return read_run(reader, start, count)

    monkeypatch.setattr(decoding, "read_run", read)
    octets = b"\x01\x82\x27\x10" + b"\x11\x01\x12\x00\x01" * 5000
    assert len(decode(octets).value) == 10_000  # type: ignore
    assert len(looked) == 2


def test_what_is_one_by_one_is_as_deep(agree: Agree) -> None:
    for alternating in (b"\x11\x01\x12\x00\x01" * 5, b"\x11\x01" * 10):
        octets = b"\x02\x01" * (MAX_DEPTH - 1) + b"\x01\x0b" + alternating
        assert "deeper" in agree(decode, octets + b"\x02\x00")
        assert "CodecError" not in agree(decode, octets + b"\x00")


def test_a_run_is_as_long_as_it_can_be() -> None:
    """Up to the row that differs, and on behind it, as often as it is worth it."""
    runs = b"".join(bytes((tag,)) + bytes(1) for tag in (0x11, 0x0F, 0x16, 0x0D) for _ in range(20))
    reader = Reader(runs, 2)
    assert len(read_run(reader, 0, 79)) == 19
    assert reader.position == 40
    looked = []

    def read(reader: Reader, start: int, count: int) -> list[Data]:
        run = read_run(reader, start, count)
        looked.append(len(run))
        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "read_run", read)
        decode(b"\x01\x50" + runs)
    assert looked == [19] * 4


def test_the_first_row_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def write(out: bytearray, elements: tuple[Data, ...]) -> bool:
        written.append((len(elements), write_run(out, elements)))
        return written[-1][1]

    monkeypatch.setattr(encoding, "write_run", write)
    encode(array(row(0), *(row(number, NULL) for number in range(1, ROWS))))
    assert written == [(ROWS, False), (ROWS - 1, True)]


def test_wide_rows_are_not_for_runs() -> None:
    for fields, found in ((MAX_FIELDS - 1, ROWS), (MAX_FIELDS, 0)):
        one = bytes((2, fields)) + b"\x11\x07" * fields
        assert len(read_run(Reader(one * (ROWS + 1), len(one)), 0, ROWS)) == found


def test_what_is_kept_is_bounded() -> None:
    assert run_encoding._packer.cache_info().maxsize == 32
    assert run_decoding._struct.cache_info().maxsize == 64
