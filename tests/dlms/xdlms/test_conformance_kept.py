"""A peer that proposes ever new combinations of services costs bounded memory."""

from __future__ import annotations

from dlms.octets import Reader
from dlms.xdlms.conformance import (
    MAX_KEPT,
    Conformance,
    encode_conformance,
    read_conformance,
)


def test_combinations_are_not_kept_for_ever() -> None:
    members = set(Conformance)
    for number in range(3 * MAX_KEPT):
        value = number << 3 | 1
        octets = b"\x5f\x1f\x04\x00" + value.to_bytes(3, "big")
        conformance = read_conformance(Reader(octets))
        assert int(conformance) == value
        assert encode_conformance(conformance) == octets
        assert len(Conformance._value2member_map_) <= MAX_KEPT
    assert set(Conformance) == members
    assert all(Conformance(int(member)) is member for member in members)
    both = Conformance.GET | Conformance.SET
    assert both == Conformance(0x18)
    assert Conformance.GET in both
