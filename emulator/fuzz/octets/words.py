"""Dictionaries: what a mutation puts in has a better chance if it means something. All of it is
made from the tables of the code, so that it has what the code has.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import DataType
from dlms.cosem import classes
from dlms.octets import encode_length
from dlms.security.ciphered import GENERAL_TAGS, TAGS
from dlms.security.control import COMPRESSION, KEY_SET_BROADCAST, Protection
from dlms.security.general_ciphering import GENERAL_CIPHERING
from dlms.security.general_signing import GENERAL_SIGNING
from dlms.security.suites import SUITES
from dlms.xdlms import registry

MAX_WORD = 60
"""Octets of a word; libFuzzer takes no more than 64."""

_EDGES = (0, 1, 0x7F, 0x80, 0x81, 0xFE, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x10000)


def codes(*kinds: type[Enum]) -> Iterable[bytes]:
    """Each member of an enum of codes, as one octet."""
    for kind in kinds:
        for member in kind:
            if isinstance(member.value, int) and 0 <= member.value <= 0xFF:
                yield bytes((member.value,))


def lengths() -> Iterable[bytes]:
    """Lengths at the edges, and in more octets than needed."""
    for length in _EDGES:
        yield encode_length(length)
    for size in (1, 2, 3, 4):
        yield bytes((0x80 | size,)) + (5).to_bytes(size, "big")
    yield b"\x80"
    yield b"\x84\xff\xff\xff\xff"
    yield b"\x85\x00\x00\x00\x00\x01"


def numbers() -> Iterable[bytes]:
    """Numbers at the edges, in one, two and four octets."""
    for size in (1, 2, 4):
        top = (1 << 8 * size) - 1
        for number in {0, 1, top >> 1, (top >> 1) + 1, top - 1, top}:
            yield number.to_bytes(size, "big")


def acse() -> Iterable[bytes]:
    """Names of contexts and mechanisms, and the tags of elements."""
    for name in (*ApplicationContext, *Mechanism):
        yield name.oid
    for tag in (*range(0x80, 0x90), *range(0xA0, 0xB0), 0x9D, 0xBD, 0xBE, 0x60, 0x61, 0x62, 0x63):
        yield bytes((tag,))
    yield from lengths()


def data() -> Iterable[bytes]:
    yield from codes(DataType)
    yield from lengths()
    yield from numbers()


def apdus() -> Iterable[bytes]:
    """Tags with their choices, classes with their most used names."""
    for tag in registry.BY_TAG:
        yield bytes((tag,))
        for choice in (1, 2, 3, 4, 5):
            yield bytes((tag, choice, 0xC1))
    for row in classes.ALL:
        yield row.class_id.to_bytes(2, "big")
    yield from data()


def security() -> Iterable[bytes]:
    """Tags of layers, and security control octets, those that are refused too."""
    for tag in (*TAGS, *GENERAL_TAGS, GENERAL_CIPHERING, GENERAL_SIGNING):
        yield bytes((tag,))
    for suite in (*SUITES, 15):
        for protection in (0, *(int(one) & 0x30 for one in Protection)):
            for more in (0, KEY_SET_BROADCAST, COMPRESSION):
                yield bytes((protection | suite | more,))
    yield from lengths()
    yield from numbers()


def texts(*kinds: Any, others: Iterable[str] = ()) -> Iterable[bytes]:
    """Names of members and of keys, as they stand in files; ``kinds`` are enums, or any names."""
    for kind in kinds:
        for one in kind:
            yield (one.name if isinstance(one, Enum) else str(one)).encode("utf-8")
    for other in others:
        yield other.encode("utf-8")


DEPTH = 3000
"""Of nesting that no reader's stack has room for."""


def deep_toml() -> Iterable[bytes]:
    """What is nested too deep, too long, or no number or date."""
    yield b"a = " + b"[" * DEPTH
    yield b"a = " + b"{a=" * DEPTH
    yield b"a" + b".a" * (DEPTH // 16) + b" = 1"
    yield b"a = " + b"9" * DEPTH * 2
    yield b"a = 1979-13-45"
    yield b"a = 1979-05-27T99:00:00Z"


def deep_json() -> Iterable[bytes]:
    """The same of JSON."""
    yield b"[" * DEPTH
    yield b'{"a":' * DEPTH
    yield b"9" * DEPTH * 2
    yield b"[" * 900 + b"]" * 900


def toml() -> Iterable[bytes]:
    return (
        b"= true", b"= []", b"= {}", b"= -1", b'= ""', b"= 1e999", b"= nan", b"= 1979-05-27",
        b"= 1979-13-45",
        b"= 9223372036854775808", b'"""', b"'''", b"[[", b"]]", b"[a.b]", b"\\u0000", b"\n[",
        b'"\\ud800"', b"= 0x", b"= [[[[", b"= {a = {a = {", b"#", b".",
    )  # fmt: skip


def json() -> Iterable[bytes]:
    return (
        b"null", b"true", b"[]", b"{}", b"-1", b'""', b"1e999", b"NaN", b"Infinity", b'"\\ud800"',
        b"9223372036854775808", b"[[[[[[[[", b'{"":{"":', b'"\\u0000"', b"0.1",
    )  # fmt: skip


def lines_of(words: Iterable[bytes]) -> list[str]:
    """A dictionary file of libFuzzer's."""
    chosen = sorted({word for word in words if 0 < len(word) <= MAX_WORD})
    return ['"' + "".join(f"\\x{octet:02X}" for octet in word) + '"' for word in chosen]
