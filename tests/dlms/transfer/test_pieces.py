"""Cutting: no octet lost, none too many, numbers from 1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.octets import encode_length, encode_octet_string
from dlms.transfer.pieces import capacity, cut
from dlms.xdlms.block import Block


@pytest.mark.parametrize(
    ("room", "count"),
    [
        (-7, 0),
        (0, 0),
        (1, 0),
        (2, 1),
        (128, 127),
        # 128 octets need two of length, so 129 octets of room hold no more than 128 do.
        (129, 127),
        (130, 128),
        (257, 255),
        (258, 255),
        (259, 256),
        (65538, 65535),
        (65539, 65535),
        (65540, 65536),
    ],
)
def test_capacity(room: int, count: int) -> None:
    assert capacity(room) == count


@given(st.integers(1, 70000))
def test_capacity_is_the_most_that_fits(room: int) -> None:
    count = capacity(room)
    assert len(encode_octet_string(bytes(count))) <= room or count == 0
    assert len(encode_length(count + 1)) + count + 1 > room


def test_cut_by_hand() -> None:
    assert list(cut(b"abcdef", 1, 3)) == [
        Block(False, 1, b"a"),
        Block(False, 2, b"bcd"),
        Block(True, 3, b"ef"),
    ]
    assert list(cut(b"abcdef", 3, 3)) == [Block(False, 1, b"abc"), Block(True, 2, b"def")]
    assert list(cut(b"abc", 3, 1)) == [Block(True, 1, b"abc")]
    assert list(cut(b"", 3, 1)) == [Block(True, 1, b"")]


@given(st.binary(max_size=200), st.integers(1, 50), st.integers(1, 50))
def test_cut(raw: bytes, first: int, later: int) -> None:
    blocks = list(cut(raw, first, later))
    assert b"".join(block.raw for block in blocks) == raw
    assert [block.number for block in blocks] == list(range(1, len(blocks) + 1))
    assert [block.last for block in blocks] == [False] * (len(blocks) - 1) + [True]
    assert all(len(block.raw) == (later if block.number > 1 else first) for block in blocks[:-1])
    assert len(blocks) == 1 or blocks[-1].raw
