"""What the layers are made of besides scapy's own fields: lengths, presence flags, codes, names.

All of it keeps to A-XDR (IEC 61334-6): a length in one octet or several, an OPTIONAL behind a flag.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from scapy.fields import (
    ByteEnumField,
    ConditionalField,
    Field,
    PacketListField,
    StrFixedLenField,
    StrLenField,
)
from scapy.packet import Packet

from dlms.cosem import obis
from dlms.octets import Reader, encode_length
from dlms.xdlms import registry

MOST = 0x10000
"""Elements of a list that are taken apart; scapy's own bound is 100."""


class Layer(Packet):
    """What all layers are. The parts that it has by default are drawn anew by ``fuzz``: scapy takes
    them for given, for they are packets that have been made already.
    """

    def copy(self) -> Layer:
        clone: Layer = super().copy()
        if clone.raw_packet_cache is None:
            for field in clone.packetfields:
                value, default = clone.fields.get(field.name), field.default
                if isinstance(value, Packet) and type(value) is type(default) and value == default:
                    clone.default_fields[field.name] = clone.fields.pop(field.name)
        return clone


class Part(Layer):
    """A packet inside another: what is behind it belongs to that one."""

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s


def labels(codes: type[IntEnum]) -> dict[int, str]:
    """The names of codes as the standard writes them."""
    return {int(code): code.name.lower().replace("_", "-") for code in codes}


class TagField(ByteEnumField):
    """An octet that says what follows. Fuzzing leaves it alone: else another layer would follow."""

    def __init__(self, name: str, value: int, label: str) -> None:
        super().__init__(name, value, {value: label})

    def randval(self) -> Any:
        return None


def tag_of(tag: int) -> TagField:
    """That of an APDU of xDLMS, by its name there."""
    return TagField("tag", tag, registry.BY_TAG[tag].name)


class CodeField(ByteEnumField):
    """An octet of which only some values mean something. Fuzzing draws mostly one of these."""

    def __init__(
        self, name: str, default: int | None, codes: type[IntEnum] | dict[int, str]
    ) -> None:
        super().__init__(name, default, codes if isinstance(codes, dict) else labels(codes))

    def randval(self) -> Any:
        from scapy.volatile import RandChoice

        return RandChoice(*self.i2s)


class LengthField(Field):
    """A length or a count. ``None`` is that of the field ``of``; any other number stays as it is,
    right or wrong, and is written in its shortest form.
    """

    __slots__ = ["adjust", "count", "of"]

    def __init__(
        self, name: str, of: str, *, count: bool = False, adjust: Callable[[int], int] = int
    ) -> None:
        super().__init__(name, None, "B")
        self.of, self.count, self.adjust = of, count, adjust

    def _right(self, pkt: Packet) -> int:
        field, value = pkt.getfield_and_val(self.of)
        if value is None:
            return 0
        size = field.i2count(pkt, value) if self.count else field.i2len(pkt, value)
        return self.adjust(size)

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        return s + encode_length(self._right(pkt) if val is None else int(val))

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, int]:
        reader = Reader(s)
        length = reader.length(self.name)
        return s[reader.position :], length


class PresenceField(ByteEnumField):
    """The flag in front of an OPTIONAL. ``None`` is set if there is the field ``of``."""

    __slots__ = ["of"]

    def __init__(self, name: str, of: str) -> None:
        super().__init__(name, None, {0: "absent", 1: "present"})
        self.of = of

    def i2m(self, pkt: Packet | None, x: Any) -> Any:
        if x is None:
            return int(pkt is not None and pkt.getfieldval(self.of) not in (None, []))
        return super().i2m(pkt, x)


def optional(name: str, *fields: Any) -> list[Any]:
    """An OPTIONAL: its flag ``has_NAME``, and the fields it is for; ``name`` is one of them."""
    flag = f"has_{name}"

    def there(pkt: Packet) -> bool:
        said = pkt.getfieldval(flag)
        return pkt.getfieldval(name) not in (None, []) if said is None else bool(said)

    return [PresenceField(flag, name), *(ConditionalField(field, there) for field in fields)]


def string(name: str, default: bytes | None = b"") -> list[Any]:
    """An OCTET STRING: its length ``NAME_length``, and its octets."""
    length = f"{name}_length"
    return [
        LengthField(length, name),
        OctetsField(name, default, length_from=lambda pkt: pkt.getfieldval(length)),
    ]


class OctetsField(StrLenField):
    """Octets, shown in hexadecimal."""

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        return x.hex() if isinstance(x, bytes) else repr(x)

    def randval(self) -> Any:
        from scapy.volatile import RandBin, RandNum

        return RandBin(RandNum(0, 32))


class FixedOctetsField(StrFixedLenField):
    """As many octets as it says, shown in hexadecimal."""

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        return x.hex() if isinstance(x, bytes) else repr(x)


def several(name: str, kind: type[Packet]) -> list[Any]:
    """A SEQUENCE OF: its count ``NAME_count``, and its elements."""
    count = f"{name}_count"
    return [
        LengthField(count, name, count=True),
        PacketListField(
            name, [], kind, count_from=lambda pkt: pkt.getfieldval(count), max_count=MOST
        ),
    ]


def chosen(by: str, cases: dict[Any, Any]) -> list[Any]:
    """The CHOICE that field ``by`` makes: for each of its values (one, or a tuple) a field."""

    def condition(values: Any) -> Callable[[Packet], bool]:
        wanted = values if isinstance(values, tuple) else (values,)
        return lambda pkt: pkt.getfieldval(by) in wanted

    return [
        ConditionalField(field, condition(values))
        for values, found in cases.items()
        for field in (found if isinstance(found, list) else [found])
    ]


class ObisField(StrFixedLenField):
    """A logical name. It may be given as text, for example ``0-0:1.0.0.255``."""

    def __init__(self, name: str, default: bytes = bytes.fromhex("0000010000FF")) -> None:
        super().__init__(name, default, 6)

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        return obis.parse(x) if isinstance(x, str) else x

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        return obis.text(x) if isinstance(x, bytes) and len(x) == 6 else repr(x)
