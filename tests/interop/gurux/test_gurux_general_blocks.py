"""The stock gurux-dlms client and general block transfer, over a socket: the laboratory's meter."""

from __future__ import annotations

from typing import Any

import pytest
from gurux_dlms.enums import Conformance as TheirConformance
from gurux_dlms.enums import DataType
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.objects import GXDLMSData

from dlms.axdr.data import octet_string
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.general_block import decode

PAD = "0.0.96.1.9.255"
SERVICES = (
    Conformance.GET
    | Conformance.SET
    | Conformance.GENERAL_PROTECTION
    | Conformance.GENERAL_BLOCK_TRANSFER
)
"""No blocks of the services themselves."""

_HEADER = 8


@pytest.fixture(params=[1, 8, 63])
def window(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture(params=[True, False], ids=["general", "specific"])
def opened(request: pytest.FixtureRequest, window: int, fresh: Any, gurux: Any) -> Any:
    """The meter and a session with APDUs of 128 octets both ways; each ciphered, either way."""
    meter = fresh("laboratory", "dco", conformance=SERVICES, max_pdu_size=128, block_window=window)
    session = gurux(meter, "dco", associate=False, general=request.param)
    session.client.proposedConformance |= TheirConformance.GENERAL_BLOCK_TRANSFER
    session.client.maxReceivePDUSize = 128
    session.client.gbtWndowSize = window
    session.associate()
    assert session.client.negotiatedConformance & TheirConformance.GENERAL_BLOCK_TRANSFER
    return meter, session


def writing(session: Any, length: int) -> list[bytes]:
    pad = GXDLMSData(PAD)
    pad.value = bytes(length)
    pad.setDataType(2, DataType.OCTET_STRING)
    return [bytes(frame) for frame in session.client.write(pad, 2)]


def taken(session: Any, frames: list[bytes], window: int) -> None:
    """The meter acknowledges each of these blocks."""
    for number, frame in enumerate(frames, 1):
        reply = decode(session.raw(frame)[_HEADER:])
        assert (reply.window, reply.acknowledged, reply.data) == (window, number, b"")


def test_gurux_writes_in_two_general_blocks(opened: Any, window: int) -> None:
    """They are put together, deciphered and carried out."""
    meter, session = opened
    first, last = writing(session, 160)
    taken(session, [first], window)
    assert decode(said(session, last)[-1][_HEADER:])[3:5] == (2, 2)
    assert meter.stored(PAD, 2) == octet_string(bytes(160))


def test_gurux_drops_the_response_to_general_blocks(opened: Any, window: int) -> None:
    meter, session = opened
    first, last = writing(session, 160)
    taken(session, [first], window)
    reply = GXReplyData()
    for octets in said(session, last):
        session.client.getData(bytearray(octets), reply)
    assert reply.isMoreData()
    assert meter.stored(PAD, 2) == octet_string(bytes(160))


def said(session: Any, frame: bytes) -> list[bytes]:
    """Send ``frame``; the frames up to the last block of the response."""
    session.socket.sendall(frame)
    frames: list[bytes] = []
    while not frames or not decode(frames[-1][_HEADER:]).last:
        header = session._receive(_HEADER)
        frames.append(header + session._receive(int.from_bytes(header[6:], "big")))
    assert decode(frames[-1][_HEADER:]).data
    return frames


def test_gurux_cannot_write_in_three_general_blocks(opened: Any, window: int) -> None:
    """A block that acknowledges what was never sent is as if it were lost. Nothing is carried out;
    other requests are served.
    """
    meter, session = opened
    before = meter.stored(PAD, 2)
    frames = writing(session, 300)
    taken(session, frames[:2], window)
    assert [decode(frame[_HEADER:]).acknowledged for frame in frames] == [0, 0, 0xFFFF]
    session.socket.sendall(frames[2])
    assert bytes(session.read(GXDLMSData(PAD), 2)) == before.value
    assert meter.said("block-number-ack")


def test_gurux_cannot_ask_for_the_second_stream(opened: Any) -> None:
    """Its window is not known before its first acknowledgement, which it cannot make."""
    meter, session = opened
    meter.device.state.values[bytes((0, 0, 96, 1, 9, 255)), 2] = octet_string(bytes(300))
    frame = session.client.read(GXDLMSData(PAD), 2)[0]
    octets = session.raw(bytes(frame))
    block = decode(octets[_HEADER:])
    assert (block.number, block.last, block.streaming) == (1, False, False)
    reply = GXReplyData()
    session.client.getData(bytearray(octets), reply)
    assert reply.isMoreData()
    with pytest.raises((ValueError, AttributeError, IndexError, TypeError)):
        session.client.receiverReady(reply)
