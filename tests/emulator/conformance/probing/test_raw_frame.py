"""Frames in their parts: right unless they are to be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from dlms.errors import CodecError
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.frame import Frame, decode_frame
from emulator.conformance.probing.raw_frame import raw, wide_address

FRAMES = [
    Frame(Address(1, 17, 4), Address(16), Control(Kind.SNRM)),
    Frame(Address(1, 17, 2), Address(16), Control(Kind.I, True, 3, 5), b"\xe6\xe6\x00" * 40, True),
    Frame(Address(1), Address(1), Control(Kind.RR, True, 7)),
]


@pytest.mark.parametrize("frame", FRAMES)
def test_unharmed_it_is_the_frame(frame: Frame) -> None:
    assert raw(frame).encode() == frame.encode()


@pytest.mark.parametrize(
    ("harm", "field"),
    [({"fcs": 1}, "FCS"), ({"hcs": 1}, "HCS"), ({"type": 9}, "format"), ({"longer": 1}, "format")],
)
def test_harmed_it_is_wrong_in_that_field_alone(harm: dict[str, Any], field: str) -> None:
    with pytest.raises(CodecError, match=field):
        decode_frame(raw(FRAMES[1])._replace(**harm).body())


def test_addresses_of_any_length() -> None:
    assert wide_address(1) == Address(1).encode()
    assert wide_address(1, 17) == Address(1, 17, 2).encode()
    assert wide_address(0, 1, 17) == bytes((0, 2, 35))
