"""Decoding many equal-shaped elements of an array at a time.

The rows of a profile's buffer differ in their values only; tags, counts and lengths repeat at a
constant stride. So from one decoded element its shape is learnt, and the elements behind it that
have the same octets in the same places are unpacked together. Nothing is refused here: a shape has
only types of which any octets are a value, and what differs from the shape in any way is left to
the general decoder, which says where and why.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from dlms.axdr.data import NULL, Data, DataType
from dlms.axdr.layout import BATCH, FIXED, MAX_FIELDS, OCTETS, WORTHWHILE, T
from dlms.octets import Reader

_new = tuple.__new__  # NamedTuple without its Python-level __new__: three times cheaper per value
_struct = lru_cache(maxsize=64)(struct.Struct)  # each of MAX_FIELDS fields at the most: 0.2 MiB

# Per tag: the type, its struct code, and how many octets it eats.
_CODES: dict[int, tuple[DataType, str, int]] = {
    **{int(t): (DataType(t), fixed.format[1:], fixed.size) for t, fixed in FIXED.items()},
    **{int(t): (DataType(t), f"{size}s", size) for t, size in OCTETS.items()},
}


class _Node(NamedTuple):
    """One ``Data`` of an element: a column of values, or a sequence of nodes."""

    type: DataType
    children: tuple[_Node, ...] | None


_NULL_NODE = _Node(T.NULL_DATA, ())


def read_run(reader: Reader, start: int, count: int) -> list[Data]:
    """Read on as many of ``count`` elements as have the shape of the one before them.

    That one begins at ``start`` and ends where ``reader`` stands. It has been decoded before, so
    its layout is known to be good, and so is the depth of its nesting.
    """
    data, position = reader.data, reader.position
    stride = position - start
    count = min(count, (reader.end - position) // stride)
    if count < WORTHWHILE:
        return []
    shape = _Shape(data, start)
    root = shape.learn()
    if root is None:
        return []
    layout = _struct(">" + "".join(shape.codes))
    values: list[Data] = []
    while found := _matching(shape.constants, data, position, stride, min(count, BATCH)):
        stop = position + found * stride
        columns = zip(*layout.iter_unpack(data[position:stop]), strict=True)
        values += _column(root, columns, found)
        position = stop
        count -= found
    reader.position = position
    return values


class _Shape:
    """The shape of an element: ``constants`` are the octets, each by its offset, that all elements
    of the shape share; ``codes`` are the struct codes of the octets between them.
    """

    __slots__ = ("_reader", "_start", "codes", "constants")

    def __init__(self, data: bytes, start: int) -> None:
        self.constants: list[tuple[int, bytes]] = []
        self.codes: list[str] = []
        self._start = start
        self._reader = Reader(data, start)

    def learn(self) -> _Node | None:
        """Learn one ``Data``. ``None`` if it has a type that is not for runs, or many fields."""
        reader = self._reader
        tag = reader.u8("data")
        code = _CODES.get(tag)
        if code is not None:
            kind, letters, size = code
            self._constant(1)
            self.codes.append("x" + letters)
            reader.position += size
            return _Node(kind, None)
        if tag == T.NULL_DATA:
            self._constant(1)
            self.codes.append("x")
            return _NULL_NODE
        if tag not in (T.OCTET_STRING, T.STRUCTURE, T.ARRAY):
            return None
        start = reader.position - 1
        length = reader.length("data")
        self._constant(reader.position - start)
        if tag == T.OCTET_STRING:
            self.codes.append(f"{reader.position - start}x{length}s")
            reader.position += length
            return _Node(T.OCTET_STRING, None)
        self.codes.append(f"{reader.position - start}x")
        children = []
        for _ in range(length):
            child = self.learn() if len(self.codes) < MAX_FIELDS else None
            if child is None:
                return None
            children.append(child)
        return _Node(DataType(tag), tuple(children))

    def _constant(self, count: int) -> None:
        """The ``count`` octets just read are tag, length or number of elements."""
        stop = self._reader.position
        for position in range(stop - count, stop):
            octet = self._reader.data[position : position + 1]
            self.constants.append((position - self._start, octet))


def _matching(
    constants: list[tuple[int, bytes]], data: bytes, start: int, stride: int, count: int
) -> int:
    """How many of ``count`` elements from ``start`` on have all the constant octets."""
    stop = start + count * stride
    for offset, octet in constants:
        found = data[start + offset : stop : stride]
        if found != octet * count:
            count -= len(found.lstrip(octet))
            stop = start + count * stride
    return count


def _column(node: _Node, columns: Iterator[tuple[object, ...]], count: int) -> Iterable[Data]:
    """The values of one node in ``count`` elements, made of the next ``columns``."""
    kind, children = node
    if children is None:
        values: Iterable[object] = next(columns)
    elif node is _NULL_NODE:
        return repeat(NULL, count)
    elif children:
        values = zip(*[_column(child, columns, count) for child in children], strict=True)
    else:
        values = repeat((), count)
    return map(_new, repeat(Data), zip(repeat(kind), values, strict=False))
