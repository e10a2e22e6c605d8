"""A-XDR Data as a packet that may hold others of its kind (GB Ed. 8, 9.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scapy.config import conf
from scapy.error import Scapy_Exception
from scapy.fields import (
    ConditionalField,
    Field,
    MultipleTypeField,
    PacketField,
    PacketListField,
    ShortField,
    StrFixedLenField,
    StrLenField,
)
from scapy.packet import Packet

from dlms.axdr.data import DataType
from dlms.axdr.layout import FIXED, MAX_DEPTH, MAX_ELEMENTS, OCTETS, VALUES_PER_OCTET
from emulator.scapy_layers.parts import MOST, CodeField, LengthField, OctetsField, Part

T = DataType
_SEQUENCES = (T.ARRAY, T.STRUCTURE)
_TEXTS = (T.VISIBLE_STRING, T.UTF8_STRING)
_LONG = (T.OCTET_STRING, T.BIT_STRING, *_TEXTS)
_NOTHING = (T.NULL_DATA, T.DONT_CARE)
_DESCRIBED = tuple(kind for kind in T if kind is not T.COMPACT_ARRAY)


class BitsField(StrLenField):
    """Bits as text of 0 and 1, the first bit first; its length is counted in bits."""

    def __init__(self, name: str) -> None:
        super().__init__(name, b"", length_from=lambda pkt: (pkt.length + 7) // 8)

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        return x.encode() if isinstance(x, str) else x

    def i2m(self, pkt: Packet | None, x: Any) -> bytes:
        bits = str(self.any2i(pkt, x or b""), "ascii")
        return bytes(int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8))

    def m2i(self, pkt: Packet | None, x: bytes) -> bytes:
        bits = "".join(f"{octet:08b}" for octet in x)
        return bits[: pkt.length if pkt is not None else None].encode()

    def i2len(self, pkt: Packet | None, x: Any) -> int:
        return len(x or b"")

    def randval(self) -> Any:
        from scapy.volatile import RandNum, RandString

        return RandString(RandNum(0, 40), "01")


def _depth(pkt: Packet) -> int:
    depth = 0
    while pkt.parent is not None:
        depth += 1
        pkt = pkt.parent
    return depth


class _Nested(Part):
    def pre_dissect(self, s: bytes) -> bytes:
        if _depth(self) > 2 * MAX_DEPTH:
            raise Scapy_Exception(f"nested deeper than {MAX_DEPTH}")
        return s


class TypeDescription(_Nested):
    """What a compact-array says of its elements once for all."""

    name = "A-XDR type-description"
    fields_desc = [
        CodeField("type", T.NULL_DATA, {int(kind): kind.label for kind in _DESCRIBED}),
        ConditionalField(ShortField("size", 0), lambda pkt: pkt.type == T.ARRAY),
        ConditionalField(
            LengthField("count", "elements", count=True), lambda pkt: pkt.type == T.STRUCTURE
        ),
    ]


TypeDescription.fields_desc.append(
    ConditionalField(
        PacketListField(
            "elements",
            [],
            TypeDescription,
            count_from=lambda pkt: 1 if pkt.type == T.ARRAY else pkt.count,
            max_count=MOST,
        ),
        lambda pkt: pkt.type in _SEQUENCES,
    )
)


class CompactField(PacketListField):
    """The elements of a compact-array: Data whose tags, and whose counts, the description has."""

    def __init__(self, name: str) -> None:
        super().__init__(name, [], CosemData)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, list[Any]]:
        size = pkt.getfieldval("contents_length")
        rest, behind = s[:size], s[size:]
        elements: list[Any] = []
        # Nulls and empty arrays cost no octets, so elements are counted, as in the core.
        budget = [min(MAX_ELEMENTS, VALUES_PER_OCTET * len(rest))]
        while rest:
            element, left = _untagged(pkt.description, rest, budget)
            if len(left) == len(rest):
                raise Scapy_Exception("element of no octets")
            elements.append(element)
            rest = left
        return behind, elements

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        return s + b"".join(_without_tags(element) for element in val)

    def i2len(self, pkt: Packet | None, x: Any) -> int:
        return sum(len(_without_tags(element)) for element in x)


class CosemData(_Nested):
    """A value with its type. Arrays and structures have ``elements``, all others a ``value``."""

    name = "A-XDR Data"
    fields_desc = [CodeField("type", T.NULL_DATA, {int(kind): kind.label for kind in T})]

    def mysummary(self) -> str:
        return f"{self.sprintf('%type%')}"


class NumberField(Field):
    """A number of any of the fixed layouts."""

    def randval(self) -> Any:
        from scapy.volatile import RandFloat

        return RandFloat(-1e6, 1e6) if self.fmt[-1] in "fd" else super().randval()


def _values() -> Iterator[tuple[Any, Any]]:
    def of(*kinds: int) -> Any:
        return lambda pkt: pkt.type in kinds

    for kind, layout in FIXED.items():
        yield NumberField("value", 0, layout.format), of(kind)
    yield NumberField("value", 0, ">B"), of(T.BOOLEAN)
    for kind, size in OCTETS.items():
        yield StrFixedLenField("value", b"\xff" * size, size), of(kind)
    yield OctetsField("value", b"", length_from=lambda pkt: pkt.length), of(T.OCTET_STRING)
    yield StrLenField("value", b"", length_from=lambda pkt: pkt.length), of(*_TEXTS)
    yield BitsField("value"), of(T.BIT_STRING)


CosemData.fields_desc += [
    ConditionalField(
        PacketField("description", TypeDescription(), TypeDescription),
        lambda pkt: pkt.type == T.COMPACT_ARRAY,
    ),
    ConditionalField(
        LengthField("count", "elements", count=True), lambda pkt: pkt.type in _SEQUENCES
    ),
    ConditionalField(LengthField("length", "value"), lambda pkt: pkt.type in _LONG),
    # The type decides; of null-data and of what has elements there is no value.
    MultipleTypeField(list(_values()), StrFixedLenField("value", b"", 0)),
    ConditionalField(
        PacketListField(
            "elements", [], CosemData, count_from=lambda pkt: pkt.count, max_count=MOST
        ),
        lambda pkt: pkt.type in _SEQUENCES,
    ),
    ConditionalField(
        LengthField("contents_length", "contents"), lambda pkt: pkt.type == T.COMPACT_ARRAY
    ),
    ConditionalField(CompactField("contents"), lambda pkt: pkt.type == T.COMPACT_ARRAY),
]


def _untagged(description: Packet, s: bytes, budget: list[int]) -> tuple[CosemData, bytes]:
    """The first element in ``s``, and what is behind it."""
    budget[0] -= 1
    if budget[0] < 0:
        raise Scapy_Exception("more values than its octets allow")
    kind = description.type
    if kind in _SEQUENCES:
        inner = description.elements
        kinds = inner * description.size if kind == T.ARRAY else inner
        elements = []
        for one in kinds:
            element, s = _untagged(one, s, budget)
            elements.append(element)
        return CosemData(type=kind, elements=elements), s
    found = CosemData(bytes((kind,)) + s)
    rest = found.getlayer(conf.padding_layer)
    if rest is None:
        return found, b""
    del rest.underlayer.payload
    return found, rest.load


def _without_tags(element: Packet) -> bytes:
    if not isinstance(element, CosemData):
        return bytes(element)
    if element.type in _SEQUENCES:
        return b"".join(map(_without_tags, element.elements))
    return bytes(element)[1:]
