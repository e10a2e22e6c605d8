"""gurux-dlms and HDLC: its client against our station, its frames against ours."""

from __future__ import annotations

from typing import Any

import pytest
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, DataType, InterfaceType
from gurux_dlms.enums import Conformance as TheirConformance
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.objects import GXDLMSData

from dlms.axdr.data import octet_string
from dlms.framing.hdlc.address import Address
from dlms.framing.hdlc.config import PrimaryConfig
from dlms.framing.hdlc.control import Control, Kind
from dlms.framing.hdlc.events import LinkDown, LinkUp
from dlms.framing.hdlc.frame import Frame, decode_frame
from dlms.framing.hdlc.parameters import DEFAULTS, Parameters, decode_parameters
from dlms.framing.hdlc.primary import PrimaryLink
from dlms.framing.hdlc.receiver import FrameReceiver
from dlms.xdlms import registry
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.get import GetResponse
from dlms.xdlms.set import SetRequest, SetResponse

LONG = bytes(range(256)) * 2
NAME = "0.0.128.0.0.255"
# In how many octets, as gurux-dlms has it in one number, and as the line has it.
ADDRESSES = [
    (1, 1, Address(1)),
    (2, GXDLMSClient.getServerAddress(1, 17), Address(1, 17, 2)),
    (4, GXDLMSClient.getServerAddress(1, 17, 4), Address(1, 17, 4)),
]


def client(octets: int = 1, server: int = 1, **parameters: int) -> GXDLMSClient:
    made = GXDLMSClient(True, 16, server, Authentication.NONE, None, InterfaceType.HDLC)
    made.serverAddressSize = octets
    made.settings.negotiatedConformance = TheirConformance.GET | TheirConformance.SET
    made.maxReceivePDUSize = made.settings.maxPduSize = 0xFFFF
    for name, value in parameters.items():
        setattr(made.hdlcSettings, name, value)
    return made


def connected(theirs: GXDLMSClient, meter: Any) -> None:
    ua = decode_frame(meter.reply(bytes(theirs.snrmRequest()))[1:-1])
    assert isinstance(ua, Frame)
    # The package takes the information field for itself; where there is none, nothing has changed.
    if ua.information:
        theirs.parseUAResponse(GXByteBuffer(ua.information))


def ask(theirs: GXDLMSClient, meter: Any, frames: Any) -> GXReplyData:
    """The loop that the package leaves to its user."""
    reply = GXReplyData()
    for frame in frames:
        reply.clear()
        theirs.getData(bytearray(meter.reply(bytes(frame))), reply)
        while reply.isMoreData():
            more = theirs.receiverReady(reply)
            theirs.getData(bytearray(meter.reply(bytes(more))), reply)
        assert not reply.error
    return reply


@pytest.mark.parametrize(("octets", "number", "address"), ADDRESSES)
def test_gurux_connects(new_meter: Any, octets: int, number: int, address: Address) -> None:
    meter = new_meter(limits=DEFAULTS)
    theirs = client(octets, number)
    connected(theirs, meter)
    assert meter.events == [LinkUp(16, 1, DEFAULTS)]
    (frame,) = [decode_frame(bytes(theirs.disconnectRequest(True))[1:-1])]
    assert frame == Frame(address, Address(16), Control(Kind.DISC))
    assert b"\x7e" in meter.reply(frame.encode())
    assert meter.events[1:] == [LinkDown(16, 1, "DISC")]


def test_gurux_negotiates(new_meter: Any) -> None:
    meter = new_meter(limits=Parameters(512, 300, 3, 2))
    theirs = client(maxInfoTX=1024, maxInfoRX=256, windowSizeTX=7, windowSizeRX=2)
    connected(theirs, meter)
    assert meter.events == [LinkUp(16, 1, Parameters(256, 300, 2, 2))]
    # As the package has it after UA, which tells it what the server sends and receives.
    settings = theirs.hdlcSettings
    assert {settings.maxInfoTX, settings.maxInfoRX} == {300, 256}
    assert (settings.windowSizeTX, settings.windowSizeRX) == (2, 2)


@pytest.mark.parametrize(("octets", "number", "address"), ADDRESSES)
def test_gurux_reads_segments(new_meter: Any, octets: int, number: int, address: Address) -> None:
    answer = GetResponse(0xC1, octet_string(LONG)).encode()
    meter = new_meter(answer, limits=Parameters(64, 128, 1, 1))
    theirs, target = client(octets, number, maxInfoRX=64), GXDLMSData(NAME)
    connected(theirs, meter)
    reply = ask(theirs, meter, theirs.read(target, 2))
    assert bytes(theirs.updateValue(target, 2, reply.value)) == LONG
    # SNRM, and 3 + 520 octets in frames of 64.
    assert meter.exchanges == 1 + -(-(3 + len(answer)) // 64)


def test_gurux_refuses_windows(new_meter: Any) -> None:
    answer = GetResponse(0xC1, octet_string(LONG)).encode()
    meter = new_meter(answer, limits=Parameters(64, 128, 2, 1))
    theirs, target = client(maxInfoRX=64, windowSizeRX=2), GXDLMSData(NAME)
    connected(theirs, meter)
    assert meter.events == [LinkUp(16, 1, Parameters(64, 128, 2, 1))]
    (request,) = theirs.read(target, 2)
    with pytest.raises(UnboundLocalError):
        ask_by_frames(theirs, meter, request)
    assert meter.exchanges < 6, "it has not seen the whole of the answer"


def ask_by_frames(theirs: GXDLMSClient, meter: Any, request: Any) -> None:
    reply = GXReplyData()
    for _ in range(5):
        for frame in FrameReceiver().receive(meter.reply(bytes(request)), 0.0):
            theirs.getData(bytearray(frame.encode()), reply)
        request = theirs.receiverReady(reply)


def test_gurux_writes_segments(new_meter: Any) -> None:
    meter = new_meter(SetResponse(0xC1, DataAccessResult.SUCCESS).encode(), limits=DEFAULTS)
    theirs, target = client(maxInfoTX=64), GXDLMSData(NAME)
    connected(theirs, meter)
    target.value = LONG
    target.setDataType(2, DataType.OCTET_STRING)
    ask(theirs, meter, theirs.write(target, 2))
    (apdu,) = meter.asked
    request = registry.decode(apdu)
    assert isinstance(request, SetRequest)
    assert request.value == octet_string(LONG)


@pytest.mark.parametrize(("octets", "number", "address"), ADDRESSES)
@pytest.mark.parametrize("length", [1, 100, 122])
def test_gurux_makes_the_same_frames(
    octets: int, number: int, address: Address, length: int
) -> None:
    """What goes from client to server, octet by octet."""
    theirs = client(octets, number)
    client_address = Address(16)
    for kind in (Kind.SNRM, Kind.DISC, Kind.UI):
        data = GXByteBuffer(bytes(length)) if kind is Kind.UI else None
        made = bytes(GXDLMS.getHdlcFrame(theirs.settings, kind | 0x10, data))
        information = bytes(length) if kind is Kind.UI else b""
        assert made == Frame(address, client_address, Control(kind), information).encode()
    link = PrimaryLink(PrimaryConfig(client=16, server=address))
    link.connect(0.0)
    assert link.octets_to_send() == bytes(theirs.snrmRequest())
    ua = Frame(client_address, address, Control(Kind.UA))
    link.receive(ua.encode(), 0.0)
    for number_sent in range(10):
        link.send(bytes(length), 0.0)
        data = GXByteBuffer(bytes.fromhex("E6E600") + bytes(length))
        made = bytes(GXDLMS.getHdlcFrame(theirs.settings, 0x10 | number_sent % 8 * 0x22, data))
        assert made == link.octets_to_send()
        sent, received = number_sent % 8, (number_sent + 1) % 8
        answer = Control(Kind.I, True, received, sent)
        reply = Frame(client_address, address, answer, bytes.fromhex("E6E700C4"))
        link.receive(reply.encode(), 0.0)


def test_gurux_reads_our_parameters() -> None:
    """The other way round: SNRM of ours as the package reads it."""
    theirs = client()
    ours = Parameters(2030, 500, 7, 3)
    GXDLMS.parseSnrmUaResponse(GXByteBuffer(ours.encode()), theirs.hdlcSettings)
    settings = theirs.hdlcSettings
    assert {settings.maxInfoTX, settings.maxInfoRX} == {2030, 500}
    assert {settings.windowSizeTX, settings.windowSizeRX} == {7, 3}
    assert decode_parameters(ours.encode()) == ours
