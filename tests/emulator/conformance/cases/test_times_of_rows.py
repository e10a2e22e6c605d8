"""The first and the last time of the rows of a profile, between which all are asked for."""

from __future__ import annotations

from itertools import permutations

from dlms.axdr.datetimes import CosemDateTime
from emulator.conformance.cases.cosem_profiles import max_of, min_of

SECOND = "07EA0B1C06123733"
WITHIN = [CosemDateTime.from_octets(bytes.fromhex(f"{SECOND}{each}000000")) for each in
          ("0C", "22", "48")]  # fmt: skip


def test_rows_of_one_second_go_by_their_hundredths() -> None:
    for order in permutations(WITHIN):
        assert (min_of(order), max_of(order)) == (WITHIN[0], WITHIN[-1])


def test_a_later_second_is_later_whatever_its_hundredths() -> None:
    later = CosemDateTime.from_octets(bytes.fromhex("07EA0B1C0612373400000000"))
    assert max_of([later, *WITHIN]) == later
