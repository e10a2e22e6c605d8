"""Logical names as text and as six octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms.cosem import obis


@given(st.binary(min_size=6, max_size=6))
def test_text_and_parse_are_inverse(instance: bytes) -> None:
    assert obis.parse(obis.text(instance)) == instance
    assert obis.parse(".".join(map(str, instance))) == instance


@given(st.text("0123456789-:.* ", max_size=24))
def test_anything_is_read_or_refused(written: str) -> None:
    """What is read has six octets, and its text is read again as the same."""
    try:
        instance = obis.parse(written)
    except ValueError:
        return
    assert len(instance) == 6
    assert obis.parse(obis.text(instance)) == instance


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        ("1-0:1.8.0.255", "0100010800FF"),
        ("0-0:40.0.0.255", "0000280000FF"),
        ("1.8.0", "0000010800FF"),
        ("1:1.8.0", "0001010800FF"),
        ("7-1:3.0.0", "0701030000FF"),
        ("7-3.0.0", "0700030000FF"),
        ("1-0:1.8.0*126", "01000108007E"),
        ("1.0.1.8.0.255", "0100010800FF"),
        ("0.0.0.0.0.0", "000000000000"),
        ("255-255:255.255.255.255", "FFFFFFFFFFFF"),
        ("001-000:001.008.000.255", "0100010800FF"),
    ],
)
def test_written_forms(written: str, octets: str) -> None:
    """Left out: A and B are 0, F is 255."""
    assert obis.parse(written) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "1",
        "1.8",
        "1.8.0.255.7",
        "1.0.1.8.0.255.0",
        "1-0:1.8",
        "1-0:1.8.0.",
        "-0:1.8.0",
        "1-:1.8.0",
        "1-0:1.8.0.255 ",
        " 1-0:1.8.0.255",
        "1-0:1.8.0.255\n",
        "a-0:1.8.0.255",
        "1-0:1.8.-1.255",
        "1_0:1.8.0",
        "١-٠:١.٨.٠",
        "0100010800FF",
    ],
)
def test_what_is_none(written: str) -> None:
    with pytest.raises(ValueError, match=r"is no OBIS code like 1-0:1\.8\.0\.255$"):
        obis.parse(written)


@pytest.mark.parametrize("place", range(6))
def test_numbers_above_255(place: int) -> None:
    numbers = ["0"] * 6
    numbers[place] = "256"
    a, b, c, d, e, f = numbers
    for written in (".".join(numbers), f"{a}-{b}:{c}.{d}.{e}.{f}"):
        with pytest.raises(ValueError, match=f"'{written}' has a number above 255"):
            obis.parse(written)


@pytest.mark.parametrize("octets", [b"", bytes(5), bytes(7)])
def test_only_six_octets_have_a_text(octets: bytes) -> None:
    with pytest.raises(ValueError, match="unpack"):
        obis.text(octets)
