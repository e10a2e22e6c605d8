"""gurux-dlms and lists and blocks: its client against our server's end, octet by octet.

No meter and no socket: a store of values behind ``ServerTransfers``, its client in front. Both ends
agree on APDUs of 40 octets.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSTranslator, GXReplyData
from gurux_dlms.enums import Authentication, DataType, InterfaceType
from gurux_dlms.enums import Conformance as TheirConformance
from gurux_dlms.GXWriteItem import GXWriteItem
from gurux_dlms.objects import GXDLMSData

from dlms.axdr.data import NULL, octet_string, unsigned, visible_string
from dlms.framing import Wpdu
from dlms.framing.wrapper import WrapperReceiver
from dlms.transfer.client import exchange
from dlms.transfer.contents import ActionContents
from dlms.transfer.server import Answer, ServerTransfers
from dlms.xdlms import registry
from dlms.xdlms.action import (
    ActionRequest,
    ActionRequestBlock,
    ActionRequestNextBlock,
    ActionRequestWithList,
    ActionRequestWithListFirstBlock,
    ActionResponse,
    ActionResponseBlock,
    ActionResponseNextBlock,
    ActionResponseWithList,
    MethodResult,
)
from dlms.xdlms.block import Block
from dlms.xdlms.codes import ActionResult, DataAccessResult
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.descriptors import AttributeDescriptor, MethodDescriptor
from dlms.xdlms.get import (
    GetRequest,
    GetRequestNext,
    GetRequestWithList,
    GetResponse,
    GetResponseBlock,
    GetResponseWithList,
)
from dlms.xdlms.set import (
    SetRequest,
    SetRequestBlock,
    SetRequestFirstBlock,
    SetRequestWithList,
    SetResponse,
    SetResponseBlock,
    SetResponseLastBlock,
    SetResponseWithList,
)

ROOM = 40
ALL = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
THEIRS = (
    TheirConformance.GET
    | TheirConformance.SET
    | TheirConformance.ACTION
    | TheirConformance.MULTIPLE_REFERENCES
    | TheirConformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | TheirConformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | TheirConformance.BLOCK_TRANSFER_WITH_ACTION
)
LONG = bytes(range(200))
NAME = "0.0.128.0.0.255"
ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 128, 0, 0, 255)), 2)
METHOD = MethodDescriptor(1, bytes((0, 0, 128, 0, 0, 255)), 1)


class Store:
    """A server: what is carried out, and the values that are read or returned."""

    def __init__(self, *values: Any, contents: ActionContents = ActionContents.RESPONSE) -> None:
        self.transfers = ServerTransfers(contents=contents)
        self.values = values
        self.carried_out: list[Any] = []
        self.steps = 0

    def reply(self, frame: bytes) -> bytes:
        receiver = WrapperReceiver()
        receiver.receive(frame)
        wpdu = receiver.next_wpdu()
        assert wpdu is not None
        self.steps += 1
        outcome = self.transfers.receive(registry.decode(wpdu.apdu))  # type: ignore[arg-type]
        if isinstance(outcome, Answer):
            apdu = outcome.response.encode()
        else:
            self.carried_out.append(outcome.request)
            apdu = self.transfers.send(self.carry_out(outcome.request), ROOM, ALL)
        assert len(apdu) <= ROOM
        return Wpdu(wpdu.destination, wpdu.source, apdu).encode()

    def carry_out(self, request: Any) -> Any:
        match request:
            case GetRequest(invoke):
                return GetResponse(invoke, self.values[0])
            case GetRequestWithList(invoke):
                return GetResponseWithList(invoke, self.values)
            case SetRequest(invoke):
                return SetResponse(invoke, DataAccessResult.SUCCESS)
            case SetRequestWithList(invoke, items):
                return SetResponseWithList(invoke, (DataAccessResult.SUCCESS,) * len(items))
            case ActionRequest(invoke):
                returned = self.values[0] if self.values else None
                return ActionResponse(invoke, ActionResult.SUCCESS, returned)
        raise AssertionError(request)


def client() -> GXDLMSClient:
    made = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)
    made.settings.negotiatedConformance = THEIRS
    made.maxReceivePDUSize = made.settings.maxPduSize = ROOM
    return made


def ask(theirs: GXDLMSClient, store: Store, frames: Any) -> GXReplyData:
    """The loop that the package leaves to its user."""
    reply = GXReplyData()
    for frame in frames:
        reply.clear()
        theirs.getData(bytearray(store.reply(bytes(frame))), reply)
        while reply.isMoreData():
            more = theirs.receiverReady(reply)
            theirs.getData(bytearray(store.reply(bytes(more))), reply)
        assert not reply.error
    return reply


def flat(frames: Any) -> list[bytes]:
    """The APDUs in the wrappers; of some calls the package gives lists of lists."""
    found = []
    for frame in frames:
        found += flat(frame) if isinstance(frame, list) else [bytes(frame)[8:]]
    return found


def made_by_us(request: Any, *answers: Any) -> list[bytes]:
    transfer = exchange(request, ROOM, ALL)
    sent = [next(transfer).encode()]
    sent += [transfer.send(answer).encode() for answer in answers]
    return sent


def test_gurux_reads_a_long_value() -> None:
    store = Store(octet_string(LONG))
    theirs, target = client(), GXDLMSData(NAME)
    reply = ask(theirs, store, theirs.read(target, 2))
    assert bytes(theirs.updateValue(target, 2, reply.value)) == LONG
    assert store.carried_out == [GetRequest(0xC1, ATTRIBUTE)]
    # 203 octets of Data, 30 in a block.
    assert store.steps == 7


def test_gurux_reads_a_list_in_blocks() -> None:
    store = Store(visible_string("short"), octet_string(LONG))
    theirs, one, two = client(), GXDLMSData(NAME), GXDLMSData(NAME)
    (frames,) = theirs.readList([(one, 2), (two, 2)])
    reply = ask(theirs, store, frames)
    theirs.updateValues([(one, 2), (two, 2)], reply.value)
    assert (one.value, bytes(two.value)) == ("short", LONG)
    assert store.carried_out == [GetRequestWithList(0xC1, ((ATTRIBUTE, None),) * 2)]
    assert store.steps == 8


def test_gurux_writes_a_long_value() -> None:
    store = Store()
    theirs, target = client(), GXDLMSData(NAME)
    target.value = bytearray(LONG)
    target.setDataType(2, DataType.OCTET_STRING)
    frames = theirs.write(target, 2)
    request = SetRequest(0xC1, ATTRIBUTE, octet_string(LONG))
    acknowledgements = [SetResponseBlock(0xC1, number) for number in range(1, 7)]
    assert flat(frames) == made_by_us(request, *acknowledgements)
    ask(theirs, store, frames)
    assert store.carried_out == [request]
    assert store.steps == 7


def test_gurux_writes_a_list() -> None:
    theirs, item, target = client(), GXWriteItem(), GXDLMSData(NAME)
    item.target, item.index = target, 2
    with pytest.raises(AttributeError):
        theirs.writeList([item, item])


def test_gurux_invokes_with_a_long_parameter() -> None:
    store = Store()
    theirs, target = client(), GXDLMSData(NAME)
    frames = theirs.method(target, 1, bytearray(LONG), DataType.OCTET_STRING)
    request = ActionRequest(0xC1, METHOD, octet_string(LONG))
    acknowledgements = [ActionResponseNextBlock(0xC1, number) for number in range(1, 7)]
    assert flat(frames) == made_by_us(request, *acknowledgements)
    ask(theirs, store, frames)
    assert store.carried_out == [request]


def test_gurux_gets_a_long_return_value() -> None:
    store = Store(octet_string(LONG), contents=ActionContents.DATA)
    theirs, target = client(), GXDLMSData(NAME)
    reply = ask(theirs, store, theirs.method(target, 1, 0, DataType.INT8))
    assert bytes(reply.value) == LONG


# What its translator shows

BLOCK = Block(True, 2, b"\x12\x34")
SHOWN: list[tuple[Any, str, dict[str, str]]] = [
    (
        GetRequestNext(0x81, 9),
        "GetRequestForNextDataBlock",
        {"BlockNumber": "00000009"},
    ),
    (
        GetRequestWithList(0x81, ((ATTRIBUTE, None),)),
        "GetRequestWithList",
        {"InstanceId": "0000800000FF"},
    ),
    (
        GetResponseBlock(0x81, True, 2, b"\x12\x34"),
        "GetResponsewithDataBlock",
        {"LastBlock": "01", "BlockNumber": "00000002", "RawData": "1234"},
    ),
    (GetResponseWithList(0x81, (unsigned(7),)), "GetResponseWithList", {"UInt8": "07"}),
    (
        SetRequestFirstBlock(0x81, ATTRIBUTE, None, Block(False, 1, b"\x12\x34")),
        "SetRequestFirstDataBlock",
        {"LastBlock": "00", "BlockNumber": "00000001", "RawData": "1234"},
    ),
    (
        SetRequestBlock(0x81, BLOCK),
        "SetRequestWithDataBlock",
        {"LastBlock": "01", "BlockNumber": "00000002", "RawData": "1234"},
    ),
    (
        SetRequestWithList(0x81, ((ATTRIBUTE, None),), (unsigned(7),)),
        "SetRequestWithList",
        {"InstanceId": "0000800000FF", "UInt8": "07"},
    ),
    (SetResponseBlock(0x81, 3), "SetResponseDataBlock", {"BlockNumber": "00000003"}),
    (
        SetResponseLastBlock(0x81, DataAccessResult.SUCCESS, 3),
        "SetResponseWithLastDataBlock",
        {"Result": "Success", "BlockNumber": "00000003"},
    ),
    (
        ActionResponseNextBlock(0x81, 3),
        "ActionResponseNextBlock",
        {"BlockNumber": "00000003"},
    ),
]


def test_gurux_shows_lists_and_blocks() -> None:
    for apdu, name, fields in SHOWN:
        xml = ElementTree.fromstring(GXDLMSTranslator().pduToXml(GXByteBuffer(apdu.encode())))
        (form,) = xml
        assert form.tag.lower() == name.lower()
        for tag, value in fields.items():
            found = form.find(f".//{tag}")
            assert found is not None, (name, tag)
            assert found.attrib["Value"] == value


UNSHOWN: list[Any] = [
    ActionRequestNextBlock(0x81, 1),
    ActionRequestWithList(0x81, (METHOD,), (NULL,)),
    ActionRequestWithListFirstBlock(0x81, (METHOD,), BLOCK),
    ActionRequestBlock(0x81, BLOCK),
    ActionResponseBlock(0x81, BLOCK),
    ActionResponseWithList(0x81, (MethodResult(ActionResult.SUCCESS),)),
]


def test_gurux_shows_lists_and_blocks_of_actions() -> None:
    for apdu in UNSHOWN:
        with pytest.raises((ValueError, TypeError)):
            GXDLMSTranslator().pduToXml(GXByteBuffer(apdu.encode()))
