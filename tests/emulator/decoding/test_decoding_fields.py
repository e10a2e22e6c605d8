"""Every form of every APDU is cut to its last field, with the names of its class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlms.xdlms.descriptors import AttributeDescriptor
from emulator.decoding.fields import NOT_UNDERSTOOD, Field, cut_apdu

FOLDER = Path(__file__).parents[3] / "fixtures" / "vectors"
APDUS = [
    pytest.param(one, id=one["name"])
    for name in ("xdlms", "blocks", "services", "gbt", "acse")
    for one in json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
]


def _fields(octets: str, *about: AttributeDescriptor) -> dict[str, Field]:
    return {one.name: one for one in cut_apdu(bytes.fromhex(octets), about).fields}


@pytest.mark.parametrize("vector", APDUS)
def test_all_forms(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["hex"])
    fields = cut_apdu(octets).fields
    assert [one.start for one in fields] == [0, *(one.stop for one in fields[:-1])]
    assert fields[-1].stop == len(octets)
    names = {one.name for one in fields}
    # Two have user-information that only looks like a ciphered APDU.
    if "AARQ SN with ciphering" not in vector["name"] and "certificate" not in vector["name"]:
        assert not names & {NOT_UNDERSTOOD, "left over", "content"}
    assert fields[0].depth == 0
    assert all(one.depth >= 1 for one in fields[1:])


def test_the_names_of_a_class() -> None:
    found = _fields(
        "C401C1000202 0FFF 161E".replace(" ", ""),
        AttributeDescriptor(3, bytes.fromhex("0100010800FF"), 3),
    )
    assert found["data[0] scaler"].value == "integer -1"
    assert found["data[1] unit"].value == "enum 30 (Wh)"
    assert found["data[1] unit"].depth == found["data"].depth + 1


def test_a_clock() -> None:
    clock = AttributeDescriptor(8, bytes.fromhex("0000010000FF"), 2)
    found = _fields("C401C100090C07E80B150408 1E0000003C00".replace(" ", ""), clock)
    assert found["data"].value.endswith("(2024-11-21 08:30:00-01:00)")


def test_a_list_of_what_is_written_hides_the_secret_alone() -> None:
    octets = bytes.fromhex(
        "C104C102" "000F0000280000FF0700" "00080000010000FF0200" "02" "0904DEADBEEF" "1101"
    )  # fmt: skip
    hidden = [one for one in cut_apdu(octets).fields if one.secret]
    assert [octets[one.start : one.stop].hex() for one in hidden] == ["0904deadbeef"]


def test_what_breaks_off_says_where_and_what_was_expected() -> None:
    fields = cut_apdu(bytes.fromhex("C001C1000800000100")).fields
    assert fields[-1].name == NOT_UNDERSTOOD
    assert fields[-1].value == "logical name: 6 octets needed, 4 left at octet 5"


def test_long_arrays_end_in_one_field() -> None:
    octets = bytes.fromhex("C401C1000164") + b"\x11\x07" * 100
    few = cut_apdu(octets, (), 10).fields
    assert few[-1].name == "data[10] and on"
    assert few[-1].value == "90 elements"
    assert len(cut_apdu(octets, (), 1000).fields) == len(few) + 89


def test_where_ciphered_apdus_are() -> None:
    glo = bytes.fromhex("C8122001234567411312FF935A47566827C467BC")
    assert cut_apdu(glo).closed == ((0, len(glo)),)
    aarq = bytes.fromhex("601DA109060760857405080103BE10040E") + bytes.fromhex(
        "210C2000000001AABBCCDDEEFF11"
    )
    assert cut_apdu(aarq).closed == ((17, len(aarq)),)
