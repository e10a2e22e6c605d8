"""Mutations of BER and DER: elements are left out, doubled, swapped, and given other tags or
contents, with the lengths around them right again, or wrong on purpose.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from dlms.errors import CodecError
from dlms.octets import Reader, encode_length

MAX_DEPTH = 24
_CONSTRUCTED = 0x20
_OCTET_STRING, _BIT_STRING = 0x04, 0x03
_TAGS = (
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81,
    0x82, 0x8A, 0x8B, 0xA0, 0xA1, 0xA2, 0xA3, 0xA6, 0xAC, 0xBE,
)  # fmt: skip


@dataclass(slots=True)
class Element:
    """``before`` are octets in front of elements that a primitive one holds (unused bits)."""

    tag: int
    content: bytes
    before: bytes = b""
    children: list[Element] = field(default_factory=list)

    def encode(self, lot: random.Random | None = None) -> bytes:
        """``lot`` makes some lengths wrong, or longer than they need be."""
        inner = b"".join(one.encode(lot) for one in self.children)
        content = self.before + inner if self.children else self.content
        return bytes((self.tag,)) + _length(len(content), lot) + content


def _length(length: int, lot: random.Random | None) -> bytes:
    if lot is None or lot.random() < 0.9:
        return encode_length(length)
    match lot.randrange(4):
        case 0:
            return encode_length(max(0, length + lot.choice((-1, 1, 127, 65536))))
        case 1:
            return b"\x80"
        case 2:
            return b"\x84" + length.to_bytes(4, "big")
    return b"\x82" + (length & 0xFFFF).to_bytes(2, "big")


def elements(octets: bytes, depth: int = 0) -> list[Element]:
    """The elements that fill ``octets``. :class:`CodecError` if they are none."""
    reader = Reader(octets)
    found: list[Element] = []
    while reader.remaining:
        tag = reader.u8("tag")
        if tag & 0x1F == 0x1F:
            raise CodecError("a tag of more octets", offset=reader.position, field="tag")
        found.append(_element(tag, reader.octet_string("content"), depth))
    return found


def _element(tag: int, content: bytes, depth: int) -> Element:
    holds = tag & _CONSTRUCTED or tag in (_OCTET_STRING, _BIT_STRING)
    if content and holds and depth < MAX_DEPTH:
        start = 1 if tag == _BIT_STRING else 0
        try:
            children = elements(content[start:], depth + 1)
        except CodecError:
            return Element(tag, content)
        return Element(tag, content, content[:start], children)
    return Element(tag, content)


def mutated(octets: bytes, lot: random.Random) -> bytes:
    """``octets`` with an element changed. :class:`CodecError` if they are no elements."""
    roots = elements(octets)
    if not roots:
        raise CodecError("no element", offset=0, field="tag")
    rows = [roots, *(one.children for one in _all(roots) if one.children)]
    row = lot.choice(rows)
    _change(row, lot.randrange(len(row)), lot)
    wrong = lot if lot.random() < 0.3 else None
    return b"".join(one.encode(wrong) for one in roots)


def _all(row: list[Element]) -> list[Element]:
    return [found for one in row for found in (one, *_all(one.children))]


def _change(row: list[Element], at: int, lot: random.Random) -> None:
    one = row[at]
    match lot.randrange(7):
        case 0:
            del row[at]
        case 1:
            row.insert(at, one)
        case 2:
            other = lot.randrange(len(row))
            row[at], row[other] = row[other], row[at]
        case 3:
            one.tag = lot.choice((lot.choice(_TAGS), one.tag ^ 1 << lot.randrange(8)))
        case 4:
            row[at] = Element(one.tag, b"", children=[one])
        case 5:
            row[at] = Element(one.tag, lot.randbytes(lot.choice((0, 1, 2, 5, 8, 20, 127, 128))))
        case _:
            content = bytearray(one.content or b"\0")
            content[lot.randrange(len(content))] ^= 1 << lot.randrange(8)
            row[at] = Element(one.tag, bytes(content))
