"""gurux-dlms and short names and general blocks: its APDUs and ours.

No meter and no socket: what it makes is decoded here, what is made here it shows or parses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

import pytest
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSNotify, GXDLMSTranslator, GXReplyData
from gurux_dlms.enums import Authentication, Conformance
from gurux_dlms.enums import DataType as TheirType
from gurux_dlms.enums import InterfaceType as Interface
from gurux_dlms.objects import GXDLMSData

from dlms.axdr.data import NULL, long_unsigned, octet_string, unsigned
from dlms.errors import RemoteProtocolError
from dlms.framing import Wpdu, WrapperReceiver
from dlms.transfer.general import GeneralTransfer
from dlms.xdlms import registry
from dlms.xdlms.codes import DataAccessResult
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.general_block import GeneralBlock
from dlms.xdlms.get import GetResponse
from dlms.xdlms.read import BlockTaken, ReadRequest, ReadResponse
from dlms.xdlms.variable_access import (
    BlockNumberAccess,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ShortBlock,
    VariableName,
    WriteDataBlockAccess,
)
from dlms.xdlms.write import UnconfirmedWriteRequest, WriteRequest, WriteResponse

NAME = "0.0.128.0.0.255"
SHORT = 0x2BC0
ROOM = 40
LONG = bytes(range(100))


def shown(apdu: bytes) -> ElementTree.Element:
    """What their translator makes of ``apdu``."""
    return ElementTree.fromstring(GXDLMSTranslator().pduToXml(apdu))


def values(element: ElementTree.Element, tag: str | None = None) -> list[str]:
    return [leaf.attrib["Value"] for leaf in element.iter(tag) if "Value" in leaf.attrib]


def apdus(frames: Iterable[Any]) -> list[bytes]:
    found = []
    for frame in frames:
        receiver = WrapperReceiver()
        receiver.receive(bytes(frame))
        wpdu = receiver.next_wpdu()
        assert wpdu is not None
        found.append(wpdu.apdu)
    return found


def client(logical: bool = True) -> GXDLMSClient:
    return GXDLMSClient(logical, 16, 1, Authentication.NONE, None, Interface.WRAPPER)


def value(short: int = 0) -> GXDLMSData:
    made = GXDLMSData(NAME, short)
    made.value = 5
    made.setDataType(2, TheirType.UINT16)
    return made


def pushed(octets: bytes) -> list[bytes]:
    """A DataNotification in general blocks."""
    theirs = GXDLMSNotify(True, 16, 1, Interface.WRAPPER)
    theirs.conformance = Conformance.GENERAL_BLOCK_TRANSFER
    theirs.maxReceivePDUSize = ROOM
    body = GXByteBuffer()
    body.set(octets)
    return apdus(theirs.generateDataNotificationMessages(None, body))


def refuses(theirs: Any, *arguments: Any) -> None:
    """Their own errors are of any class."""
    with pytest.raises((ValueError, AttributeError, IndexError, TypeError)):
        theirs(*arguments)


# Short names --------------------------------------------------------------------------------------


def test_gurux_reads_by_short_name() -> None:
    (octets,) = apdus(client(False).read(value(SHORT), 2))
    assert registry.decode(octets) == ReadRequest((VariableName(name=SHORT + 8),))
    theirs, reply = client(False), GXReplyData()
    response = ReadResponse((octet_string(b"ab"),))
    theirs.getData(bytearray(Wpdu(1, 16, response.encode()).encode()), reply)
    assert bytes(reply.value) == b"ab"


def test_gurux_writes_by_short_name() -> None:
    (octets,) = apdus(client(False).write(value(SHORT), 2))
    assert registry.decode(octets) == WriteRequest(
        (VariableName(name=SHORT + 8),), (long_unsigned(5),)
    )
    for result in (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED):
        theirs, reply = client(False), GXReplyData()
        frame = Wpdu(1, 16, WriteResponse((result,)).encode()).encode()
        theirs.getData(bytearray(frame), reply)
        assert int(reply.error) == result


def test_gurux_shows_short_names() -> None:
    name, part = (
        VariableName(name=SHORT),
        ParameterizedAccess(name=SHORT + 8, selector=2, parameter=unsigned(9)),
    )
    assert values(shown(ReadRequest((name, part)).encode())) == ["2BC0", "2BC8", "02", "09"]
    results = (unsigned(7), DataAccessResult.OBJECT_UNDEFINED, octet_string(b"ab"))
    assert values(shown(ReadResponse(results).encode())) == ["07", "UndefinedObject", "6162"]
    assert values(shown(WriteRequest((name, name), (NULL, unsigned(8))).encode())) == [
        "2BC0",
        "2BC0",
        "08",
    ]


def test_gurux_refuses_parameterized_writing() -> None:
    item = ParameterizedAccess(name=SHORT, selector=1, parameter=unsigned(9))
    refuses(shown, WriteRequest((item,), (unsigned(1),)).encode())


def test_gurux_shows_nothing_of_unconfirmed_writing() -> None:
    ours = UnconfirmedWriteRequest((VariableName(name=SHORT),), (unsigned(1),))
    assert GXDLMSTranslator().pduToXml(ours.encode()).startswith("<Data=")


def test_gurux_shows_blocks_of_requests_with_short_names() -> None:
    asked = ReadRequest((BlockNumberAccess(number=2),))
    assert values(shown(asked.encode())) == ["0002"]
    reading = ReadRequest((ReadDataBlockAccess(block=ShortBlock(True, 3, b"ab")),))
    assert values(shown(reading.encode())) == ["01", "0003"]
    writing = WriteRequest((WriteDataBlockAccess(last=False, number=1),), (octet_string(b"ab"),))
    assert values(shown(writing.encode())) == ["00", "0001", "6162"]


def test_gurux_refuses_blocks_of_responses_with_short_names() -> None:
    refuses(shown, ReadResponse((ShortBlock(False, 2, b"ab"),)).encode())
    refuses(shown, ReadResponse((BlockTaken(number=7),)).encode())


# General block transfer ---------------------------------------------------------------------------


def test_gurux_shows_general_blocks() -> None:
    xml = shown(GeneralBlock(True, False, 5, 0x1234, 0x5678, b"ab").encode())
    assert values(xml) == ["85", "1234", "5678", "6162"]


def test_gurux_reads_in_one_stream() -> None:
    """Its window is known in advance, so that it has nothing to acknowledge."""
    theirs, reply = client(), GXReplyData()
    theirs.settings.negotiatedConformance = Conformance.GET | Conformance.GENERAL_BLOCK_TRANSFER
    (request,) = apdus(theirs.read(value(), 2))
    server = GeneralTransfer(max_block=20, peer_window=63)
    stream = server.send(GetResponse(request[2], octet_string(LONG)).encode())
    assert len(stream) == 6
    for block in stream:
        assert theirs.getData(bytearray(Wpdu(1, 16, block).encode()), reply)
    assert not reply.isMoreData()
    assert bytes(reply.value) == LONG


def test_gurux_cannot_acknowledge_a_general_block() -> None:
    theirs, reply = client(), GXReplyData()
    theirs.settings.negotiatedConformance = Conformance.GET | Conformance.GENERAL_BLOCK_TRANSFER
    theirs.read(value(), 2)
    block = GeneralTransfer(max_block=20).send(GetResponse(1, octet_string(LONG)).encode())[0]
    theirs.getData(bytearray(Wpdu(1, 16, block).encode()), reply)
    assert reply.isMoreData()
    refuses(theirs.receiverReady, reply)


def test_gurux_pushes_two_general_blocks() -> None:
    body = bytes((9, 40)) + LONG[:40]
    ours = GeneralTransfer(max_block=20)
    first, last = [ours.receive(apdu) for apdu in pushed(body)]
    assert first.apdu is None
    assert last.apdu is not None
    whole = registry.decode(last.apdu)
    assert isinstance(whole, DataNotification)
    assert whole.body == octet_string(LONG[:40])


def test_gurux_cannot_push_three_general_blocks() -> None:
    sent = pushed(bytes((9, 100)) + LONG)
    ours = GeneralTransfer(max_block=20)
    for apdu in sent[:2]:
        assert ours.receive(apdu).apdu is None
    with pytest.raises(RemoteProtocolError) as caught:
        ours.receive(sent[2])
    assert caught.value.reason == "block-number-ack"
