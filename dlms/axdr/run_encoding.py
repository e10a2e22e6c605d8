"""Encoding many equal-shaped elements of an array at a time, as the rows of a profile's buffer are.

All values are packed by one ``struct``, and its gaps are filled with the tags, counts and lengths,
which repeat at a constant stride. Either all elements have one shape and fit it, or nothing is
written, and it is for the general encoder to write them or to say what is wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from dlms.axdr.data import Data, DataType
from dlms.axdr.layout import BATCH, FIXED, MAX_FIELDS, OCTETS, WORTHWHILE, T
from dlms.octets import encode_length

_STRUCTURE = T.STRUCTURE


class _Packer(NamedTuple):
    """How to encode a batch: the ``kinds`` of all its fields, and the ``layout`` of their values.

    ``constants`` are the octets that repeat, by their offset in the first element; ``strings`` the
    lengths that a field must have in all elements. ``valued`` tells which of all fields have a
    value, if some are null.
    """

    kinds: tuple[DataType, ...]
    layout: struct.Struct
    stride: int
    constants: list[tuple[int, bytes]]
    strings: list[tuple[int, list[int]]]
    valued: tuple[bool, ...] | None


def write_run(out: bytearray, elements: tuple[Data, ...]) -> bool:
    """Append ``elements``, at most :data:`BATCH`, if all have the shape of the first: one scalar,
    or a structure of scalars. False if nothing was appended.
    """
    count = len(elements)
    if not WORTHWHILE <= count <= BATCH:
        return False
    cells: Iterable[Data] = elements
    fields = 1
    if elements[0].type is _STRUCTURE:
        # To take tuples apart with zip is quicker by far than to loop over them. A Data has two
        # parts in any case, so that there is nothing for zip to be strict about.
        kinds, rows = zip(*elements, strict=False)
        fields = len(rows[0]) if type(rows[0]) is tuple else 0
        if not 0 < fields <= MAX_FIELDS or kinds != (_STRUCTURE,) * count:
            return False
        cells = []
        for row in rows:
            if type(row) is not tuple or len(row) != fields:
                return False
            cells += row
    kinds, values = zip(*cells, strict=False)
    lengths = tuple([len(value) if type(value) is bytes else 0 for value in values[:fields]])
    packer = _packer(cells is not elements, kinds[:fields], lengths, count)
    if packer is None or packer.kinds != kinds:
        return False
    packed = values if packer.valued is None else compress(values, packer.valued)
    try:
        for field, same in packer.strings:
            if list(map(len, values[field::fields])) != same:
                return False
        octets = packer.layout.pack(*packed)
    except (struct.error, OverflowError, TypeError):
        return False
    start, stride = len(out), packer.stride
    out += octets
    for offset, repeated in packer.constants:
        out[start + offset :: stride] = repeated
    return True


# For BATCH * MAX_FIELDS fields at the most, with some 50 octets for each: 6 MiB in all.
@lru_cache(maxsize=32)
def _packer(
    in_rows: bool, shape: tuple[DataType, ...], lengths: tuple[int, ...], count: int
) -> _Packer | None:
    """The packer for ``count`` structures, or scalars that are no ``in_rows``. ``None`` if a field
    has a type that is not for runs.
    """
    pieces = [(bytes((_STRUCTURE,)) + encode_length(len(shape)), "")] if in_rows else []
    strings = []
    for field, (kind, length) in enumerate(zip(shape, lengths, strict=True)):
        head, code = bytes((kind,)), ""
        if kind in FIXED:
            code = FIXED[kind].format[1:]
        elif kind == T.OCTET_STRING or OCTETS.get(kind) == length:
            if kind == T.OCTET_STRING:
                head += encode_length(length)
            code = f"{length}s"
            strings.append((field, [length] * count))
        elif kind != T.NULL_DATA:
            return None
        pieces.append((head, code))
    constants = []
    stride = 0
    for head, code in pieces:
        constants += [(stride + at, head[at : at + 1] * count) for at in range(len(head))]
        stride += len(head) + struct.calcsize(f">{code}")
    valued = tuple(kind != T.NULL_DATA for kind in shape) * count
    return _Packer(
        shape * count,
        struct.Struct(">" + "".join(f"{len(head)}x{code}" for head, code in pieces) * count),
        stride,
        constants,
        strings,
        None if all(valued) else valued,
    )
