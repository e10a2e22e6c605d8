"""Mutations of fields: a decoded value is changed in one place, and encoded again.

So lengths, counts and checks are right around what is wrong. What cannot be encoded that way is
left to the mutations of octets.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum, IntFlag
from typing import Any, TypeAlias

from dlms.axdr import data as axdr
from dlms.axdr.data import CompactArray, Data, DataType, TypeDescription

Path: TypeAlias = tuple[Any, ...]

MAX_PLACES = 2000
"""Of a value that are looked at for one to change."""
MAX_REPEATS = 300
"""Of an element that is put in several times: more than any list may have."""
_DEEP = 24

_NUMBERS = (
    0, 1, 2, 5, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 129, 254, 255, 256, 2030, 32767, 32768,
    65534, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1,
    -1, -2, -128, -129, -32768, -(2**31), -(2**63),
)  # fmt: skip
_SIZES = (0, 1, 2, 7, 8, 9, 11, 12, 13, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 2049)


def changed(value: Any, lot: random.Random) -> Any:
    """``value`` with one or a few of its places changed; each place is as likely."""
    for _ in range(1 if lot.random() < 0.7 else lot.randrange(2, 5)):
        places = [path for path, _ in zip(_places(value, ()), range(MAX_PLACES), strict=False)]
        path = lot.choice(places)
        value = _put(value, path, lot)
    return value


def _parts(value: Any) -> Sequence[tuple[Any, Any]]:
    """What a value has, each with its key."""
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, tuple | list):
        return list(enumerate(value))
    if is_dataclass(value) and not isinstance(value, type):
        return [(one.name, getattr(value, one.name)) for one in fields(value)]
    return ()


def _places(value: Any, path: Path) -> Iterator[Path]:
    yield path
    if len(path) < _DEEP:
        for key, part in _parts(value):
            yield from _places(part, (*path, key))


def _put(value: Any, path: Path, lot: random.Random) -> Any:
    if not path:
        return _other(value, lot)
    key, rest = path[0], path[1:]
    new = _put(_part(value, key), rest, lot)
    if isinstance(value, dict):
        return {**value, key: new}
    if isinstance(value, list):
        return [*value[:key], new, *value[key + 1 :]]
    if isinstance(value, tuple):
        return _made(value, (*value[:key], new, *value[key + 1 :]))
    return replace(value, **{key: new})


def _part(value: Any, key: Any) -> Any:
    return value[key] if isinstance(value, dict | tuple | list) else getattr(value, key)


def _made(like: tuple[Any, ...], parts: tuple[Any, ...]) -> Any:
    make = getattr(type(like), "_make", None)
    return parts if make is None else make(parts)


def _other(value: Any, lot: random.Random) -> Any:
    """Another value in the place of one, mostly of the same kind."""
    match value:
        case Data():
            return _other_data(value, lot)
        case bool():
            return not value
        case IntFlag():
            return type(value)(int(value) ^ 1 << lot.randrange(24))
        case Enum():
            return lot.choice(list(type(value)))
        case int():
            near = value + lot.choice((-1, 1, 2, -2, 16, -16))
            return lot.choice((near, value ^ 1 << lot.randrange(16), lot.choice(_NUMBERS)))
        case float():
            return lot.choice((0.0, -0.0, float("nan"), float("inf"), -value, 5e-324))
        case bytes():
            return _other_octets(value, lot)
        case str():
            return _other_text(value, lot)
        case CompactArray() | TypeDescription():
            return value
        case tuple() if hasattr(type(value), "_fields"):
            return value
        case tuple() | list():
            return type(value)(_other_row(list(value), lot))
        case dict():
            return _other_table(value, lot)
        case None:
            return lot.choice((b"", bytes(8), bytes(12), 0, 1, axdr.NULL, True, "", b"\x01"))
    return value


def _other_octets(value: bytes, lot: random.Random) -> bytes:
    match lot.randrange(6):
        case 0:
            return lot.randbytes(lot.choice(_SIZES))
        case 1:
            return value[: lot.randrange(len(value) + 1)]
        case 2:
            return value + lot.randbytes(lot.randrange(1, 9))
        case 3:
            return b""
        case 4:
            return value * lot.randrange(2, 5)
    at = lot.randrange(len(value) + 1)
    return value[:at] + lot.randbytes(1) + value[at + 1 :]


def _other_text(value: str, lot: random.Random) -> str:
    odd = ("", "\0", "é", "😀", "\ud800", "'", '"', "\n", "255", "-1", "0" * 300, "1-0:1.8.0.255")
    at = lot.randrange(len(value) + 1)
    match lot.randrange(4):
        case 0:
            return lot.choice(odd)
        case 1:
            return value[:at] + lot.choice(odd) + value[at:]
        case 2:
            return value[:at]
    return value[:at] + chr(lot.randrange(32, 127)) + value[at + 1 :]


def _other_row(value: list[Any], lot: random.Random) -> list[Any]:
    if not value:
        return [axdr.NULL]
    at = lot.randrange(len(value))
    match lot.randrange(5):
        case 0:
            return value[:at] + value[at + 1 :]
        case 1:
            return value[: at + 1] + value[at:]
        case 2:
            other = lot.randrange(len(value))
            value[at], value[other] = value[other], value[at]
            return value
        case 3:
            return value[:at] + [value[at]] * lot.choice((3, 16, MAX_REPEATS)) + value[at:]
    return []


def _other_table(value: dict[Any, Any], lot: random.Random) -> dict[Any, Any]:
    keys = list(value)
    if not keys or lot.random() < 0.2:
        return {**value, _other_text("name", lot): lot.choice((None, 1, [], {}, "x"))}
    gone = lot.choice(keys)
    rest = {key: one for key, one in value.items() if key != gone}
    return rest if lot.random() < 0.6 else {**rest, _other_text(str(gone), lot): value[gone]}


def _other_data(value: Data, lot: random.Random) -> Data:
    match lot.randrange(4):
        case 0:
            return lot.choice(samples())
        case 1:
            return axdr.structure(*[value] * lot.randrange(4))
        case 2:
            return axdr.array(*[value] * lot.choice((1, 2, 5, 40)))
    if isinstance(value.value, tuple) and not isinstance(value.value, CompactArray):
        return Data(value.type, tuple(_other_row(list(value.value), lot)))
    return value._replace(value=_other(value.value, lot))


def samples() -> tuple[Data, ...]:
    """One of each type, and some that are nested or long."""
    deep = axdr.octet_string(b"deep")
    for _ in range(14):
        deep = axdr.structure(deep)
    described = TypeDescription(DataType.STRUCTURE, 2, (
        TypeDescription(DataType.UNSIGNED), TypeDescription(DataType.OCTET_STRING),
    ))  # fmt: skip
    row = axdr.structure(axdr.unsigned(1), axdr.octet_string(b"12"))
    simple = (
        axdr.NULL, axdr.boolean(True), axdr.bit_string("10110"), axdr.bit_string("1" * 24),
        axdr.double_long(-5), axdr.double_long_unsigned(2**32 - 1), axdr.octet_string(b""),
        axdr.octet_string(bytes.fromhex("0000010000FF")), axdr.octet_string(bytes(200)),
        axdr.visible_string("LAB"), axdr.utf8_string("kWh é"), axdr.integer(-128), axdr.long(-1),
        axdr.unsigned(255), axdr.long_unsigned(65535), axdr.enum(27), axdr.array(),
        axdr.structure(), Data(DataType.LONG64, -(2**63)),
        Data(DataType.LONG64_UNSIGNED, 2**64 - 1),
        Data(DataType.FLOAT32, 1.5), Data(DataType.FLOAT64, -2.25),
        Data(DataType.DATE_TIME, bytes.fromhex("07E80B15040C1E00FFFFC400")),
        Data(DataType.DATE, bytes.fromhex("07E80B1504")), Data(DataType.TIME, bytes(4)),
        Data(DataType.BCD, 12), Data(DataType.DONT_CARE, None),
        Data(DataType.COMPACT_ARRAY, CompactArray(described, (row,) * 3)),
    )  # fmt: skip
    rows = axdr.array(*[axdr.structure(axdr.octet_string(bytes(12)), axdr.unsigned(1))] * 9)
    return (*simple, deep, rows, axdr.structure(*simple[:12]), axdr.array(*[simple[3]] * 30))
