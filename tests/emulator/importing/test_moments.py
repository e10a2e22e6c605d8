"""Times as dumps have them."""

from __future__ import annotations

import pytest

from dlms.axdr.datetimes import CosemDateTime
from emulator.importing.moments import moment, octets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "03/26/2019 12:34:56Z",
            CosemDateTime(year=2019, month=3, day=26, hour=12, minute=34, second=56, deviation=0),
        ),
        ("*/*/* *:*:*", CosemDateTime()),
        (
            "03/LASTDAY/* 01:00:00+01:00",
            CosemDateTime(month=3, day=0xFE, hour=1, minute=0, second=0, deviation=-60),
        ),
        (
            "BEGIN/LASTDAY2/* 01:*:*-0530",
            CosemDateTime(month=0xFE, day=0xFD, hour=1, deviation=330),
        ),
        ("END/01/* *:*:*", CosemDateTime(month=0xFD, day=1)),
        ("01/02/2020", CosemDateTime(year=2020, month=1, day=2)),
        (
            "01/02/2020 03:04 UTC+02:00",
            CosemDateTime(year=2020, month=1, day=2, hour=3, minute=4, deviation=-120),
        ),
    ],
)
def test_a_text(text: str, expected: CosemDateTime) -> None:
    assert moment(text) == expected


def test_a_date_and_a_time() -> None:
    assert octets("03/26/2019 12:34:56", 5) == bytes.fromhex("07E3031AFF")
    assert octets("*/*/* 12:34:56", 4) == bytes.fromhex("0C2238FF")
    assert octets("09:00:00", 4) == bytes.fromhex("090000FF")
    assert octets("*/*/* *:*:*", 12) == CosemDateTime().to_octets()


@pytest.mark.parametrize(
    "text", ["", "soon", "2019-03-26", "13/01/2019", "01/32/2019", "1/1/1 25:0:0"]
)
def test_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time|is not in"):
        octets(text, 12)
