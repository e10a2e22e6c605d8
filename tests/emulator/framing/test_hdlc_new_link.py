"""A link begins with nothing above it, whatever came in UI frames before."""

from __future__ import annotations

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import StationConfig
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.frame import Frame
from emulator.framing import Addressed, HdlcStation, LinkLost

METER, CLIENT = Address(1, 17, 4), Address(16)


def test_what_was_between_the_two_ends_with_a_new_link() -> None:
    station = HdlcStation(StationConfig(logical_devices=lambda upper: upper == 1, lower=17))
    frame = Frame(METER, CLIENT, Control(Kind.UI), b"\xe6\xe6\x00\x60")
    station.receive(frame.encode(), 0.0)
    assert station.next_indication() == Addressed(16, 1, b"\x60")
    station.receive(Frame(METER, CLIENT, Control(Kind.SNRM)).encode(), 0.0)
    lost = station.next_indication()
    assert isinstance(lost, LinkLost)
    assert lost[:2] == (16, 1)
    assert station.next_indication() is None
