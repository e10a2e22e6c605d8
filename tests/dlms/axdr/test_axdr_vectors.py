"""Vectors of compact-arrays, and octets to be refused where they are wrong. Those of the other data
and of date-times are run by ``tests/dlms/test_vectors.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlms.axdr import CompactArray, Data, DataType, TypeDescription, decode, encode
from dlms.errors import CodecError

PATH = Path(__file__).parents[3] / "fixtures" / "vectors" / "axdr.json"
ENTRIES: list[dict[str, Any]] = json.loads(PATH.read_text("utf-8"))
OCTETS = (DataType.OCTET_STRING, DataType.DATE, DataType.TIME, DataType.DATE_TIME)


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(e, id=e["name"]) for e in ENTRIES if e["kind"] == kind]


def data(form: list[Any]) -> Data:
    kind, value = DataType[form[0]], form[1]
    if kind in (DataType.ARRAY, DataType.STRUCTURE):
        return Data(kind, tuple(map(data, value)))
    return Data(kind, bytes.fromhex(value) if kind in OCTETS else value)


def description(form: list[Any]) -> TypeDescription:
    """``[type]``, ``["ARRAY", size, of what]`` or ``["STRUCTURE", [of what, ...]]``."""
    kind = DataType[form[0]]
    if kind is DataType.ARRAY:
        return TypeDescription(kind, form[1], (description(form[2]),))
    if kind is DataType.STRUCTURE:
        return TypeDescription(kind, len(form[1]), tuple(map(description, form[1])))
    return TypeDescription(kind)


def test_there_are_enough_and_of_every_type() -> None:
    assert len(ENTRIES) >= 40
    scalars = {entry["expected"][0] for entry in ENTRIES if entry["kind"] == "data"}
    assert scalars | {"COMPACT_ARRAY"} == {kind.name for kind in DataType}


@pytest.mark.parametrize("entry", of_kind("compact-array"))
def test_compact_arrays_both_ways(entry: dict[str, Any]) -> None:
    octets = bytes.fromhex(entry["hex"])
    want = entry["expected"]
    value = CompactArray(description(want["description"]), tuple(map(data, want["elements"])))
    assert decode(octets) == Data(DataType.COMPACT_ARRAY, value)
    assert encode(Data(DataType.COMPACT_ARRAY, value)) == octets
    for cut in range(len(octets)):
        with pytest.raises(CodecError):
            decode(octets[:cut])


@pytest.mark.parametrize("entry", of_kind("refused"))
def test_refused_at_the_octet_that_is_wrong(entry: dict[str, Any]) -> None:
    with pytest.raises(CodecError) as caught:
        decode(bytes.fromhex(entry["hex"]))
    assert caught.value.offset == entry["expected"]["offset"]
    assert caught.value.field == entry["expected"]["field"]


@pytest.mark.parametrize("kind", ["data", "compact-array"])
def test_every_octet_changed_and_every_octet_left_over(kind: str) -> None:
    """Nothing but CodecError, and what is taken is encoded to what decodes to the same."""
    for entry in ENTRIES:
        if entry["kind"] != kind:
            continue
        octets = bytes.fromhex(entry["hex"])[:160]
        for at in range(len(octets)):
            for octet in (octets[at] ^ 1, octets[at] ^ 0x80, 0, 0xFF):
                changed = octets[:at] + bytes((octet,)) + octets[at + 1 :]
                try:
                    value = decode(changed)
                except CodecError:
                    continue
                again = encode(value)
                assert repr(decode(again)) == repr(value)
        with pytest.raises(CodecError):
            decode(bytes.fromhex(entry["hex"]) + b"\0")
