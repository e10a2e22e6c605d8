"""Frames of a session of HDLC, and streams of frames: seeds, and what mutations change in them."""

from __future__ import annotations

from collections.abc import Iterable

from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.frame import Frame
from dlms.framing.hdlc.parameters import Parameters
from dlms.framing.hdlc.receiver import FrameReceiver

CLIENT, SERVER = Address(16), Address(1, 17, 2)
AARQ = bytes.fromhex("E6E600601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0")


def between_flags(frame: Frame) -> bytes:
    """What is checked, and no more."""
    return frame.encode()[1:-1]


def frames() -> Iterable[Frame]:
    """What a client says in a session, and what it is answered."""
    window = Parameters(128, 128, 7, 7).encode()
    yield Frame(SERVER, CLIENT, Control(Kind.SNRM))
    yield Frame(SERVER, CLIENT, Control(Kind.SNRM), window)
    yield Frame(SERVER, CLIENT, Control(Kind.I), AARQ)
    yield Frame(SERVER, CLIENT, Control(Kind.I, False), AARQ[:20], True)
    yield Frame(SERVER, CLIENT, Control(Kind.I, True, 0, 1), AARQ[20:])
    yield Frame(SERVER, CLIENT, Control(Kind.RR, True, 1))
    yield Frame(SERVER, CLIENT, Control(Kind.RNR, True, 1))
    yield Frame(SERVER, CLIENT, Control(Kind.REJ, True, 0))
    yield Frame(SERVER, CLIENT, Control(Kind.UI, False), AARQ)
    yield Frame(Address(0x7F, 0x7F, 2), CLIENT, Control(Kind.UI, False), AARQ)
    yield Frame(Address(1, 16383, 4), CLIENT, Control(Kind.DISC))
    yield Frame(CLIENT, SERVER, Control(Kind.UA), window)
    yield Frame(CLIENT, SERVER, Control(Kind.FRMR), bytes((0x10, 0x20, 1)))
    yield Frame(CLIENT, SERVER, Control(Kind.DM))
    yield Frame(CLIENT, SERVER, Control(Kind.I), b"\xe6\xe7\x00" + AARQ[3:])


def read_frames(octets: bytes) -> list[Frame]:
    """Those of a stream, for mutations of their fields."""
    found = FrameReceiver(inter_octet_timeout=1e9).receive(octets, 0.0)
    return [one for one in found if isinstance(one, Frame)]


def write_frames(found: list[Frame]) -> bytes:
    return b"".join(one.encode() for one in found)
