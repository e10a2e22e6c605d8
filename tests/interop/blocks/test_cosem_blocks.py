"""dlms-cosem and lists and blocks: its codecs against ours, and its way of reading long values."""

from __future__ import annotations

from typing import Any

import pytest
from dlms_cosem import cosem, enumerations
from dlms_cosem.connection import XDlmsApduFactory
from dlms_cosem.protocol import xdlms

from dlms.axdr.data import NULL, octet_string, structure, unsigned
from dlms.axdr.decoding import decode
from dlms.transfer.server import Answer, ServerTransfers
from dlms.xdlms import registry
from dlms.xdlms.action import (
    ActionRequestBlock,
    ActionRequestFirstBlock,
    ActionRequestNextBlock,
    ActionRequestWithList,
    ActionRequestWithListFirstBlock,
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
    SetRequestBlock,
    SetRequestFirstBlock,
    SetRequestWithList,
    SetRequestWithListFirstBlock,
    SetResponseBlock,
    SetResponseLastBlock,
    SetResponseLastBlockWithList,
    SetResponseWithList,
)

ATTRIBUTE = AttributeDescriptor(1, bytes((0, 0, 128, 0, 0, 255)), 2)
METHOD = MethodDescriptor(1, bytes((0, 0, 128, 0, 0, 255)), 1)
THEIR_ATTRIBUTE = cosem.CosemAttribute(
    interface=enumerations.CosemInterface.DATA,
    instance=cosem.Obis(0, 0, 128, 0, 0),
    attribute=2,
)
BLOCK = Block(True, 2, b"\x12\x34")
LONG = bytes(range(200))


def test_cosem_reads_the_forms_of_get() -> None:
    for apdu, form in (
        (GetRequestNext(0xC1, 7), xdlms.GetRequestNext),
        (GetRequestWithList(0xC1, ((ATTRIBUTE, None),) * 3), xdlms.GetRequestWithList),
        (GetResponseBlock(0xC1, False, 7, LONG), xdlms.GetResponseWithBlock),
        (GetResponseBlock(0xC1, True, 7, b""), xdlms.GetResponseLastBlock),
        (
            GetResponseBlock(0xC1, True, 7, DataAccessResult.DATA_BLOCK_UNAVAILABLE),
            xdlms.GetResponseLastBlockWithError,
        ),
        (
            GetResponseWithList(0xC1, (unsigned(7), DataAccessResult.OTHER_REASON)),
            xdlms.GetResponseWithList,
        ),
    ):
        theirs = XDlmsApduFactory.apdu_from_bytes(apdu.encode())
        assert type(theirs) is form
        assert theirs.to_bytes() == apdu.encode()
        assert registry.decode(theirs.to_bytes()) == apdu


def test_cosem_reads_a_long_value() -> None:
    server = ServerTransfers()
    sent: Any = xdlms.GetRequestNormal(cosem_attribute=THEIR_ATTRIBUTE)
    request = server.receive(registry.decode(sent.to_bytes()))  # type: ignore[arg-type]
    value = structure(octet_string(LONG), NULL)
    invoke = request.request.invoke  # type: ignore[union-attr]
    assert request.request == GetRequest(invoke, ATTRIBUTE)  # type: ignore[union-attr]
    apdu = server.send(GetResponse(invoke, value), 40, Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)
    data = bytearray()
    while isinstance(theirs := XDlmsApduFactory.apdu_from_bytes(apdu), xdlms.GetResponseWithBlock):
        data.extend(theirs.data)
        sent = xdlms.GetRequestNext(
            invoke_id_and_priority=theirs.invoke_id_and_priority,
            block_number=theirs.block_number,
        )
        step = server.receive(registry.decode(sent.to_bytes()))  # type: ignore[arg-type]
        assert isinstance(step, Answer)
        apdu = step.response.encode()
    assert isinstance(theirs, xdlms.GetResponseLastBlock)
    assert theirs.block_number == 7
    assert decode(bytes(data + theirs.data)) == value


UNREAD: list[Any] = [
    SetRequestFirstBlock(0xC1, ATTRIBUTE, None, BLOCK),
    SetRequestBlock(0xC1, BLOCK),
    SetRequestWithList(0xC1, ((ATTRIBUTE, None),), (NULL,)),
    SetRequestWithListFirstBlock(0xC1, ((ATTRIBUTE, None),), BLOCK),
    SetResponseBlock(0xC1, 1),
    SetResponseLastBlock(0xC1, DataAccessResult.SUCCESS, 2),
    SetResponseLastBlockWithList(0xC1, (DataAccessResult.SUCCESS,), 2),
    SetResponseWithList(0xC1, (DataAccessResult.SUCCESS,)),
    ActionRequestNextBlock(0xC1, 1),
    ActionRequestWithList(0xC1, (METHOD,), (NULL,)),
    ActionRequestFirstBlock(0xC1, METHOD, BLOCK),
    ActionRequestWithListFirstBlock(0xC1, (METHOD,), BLOCK),
    ActionRequestBlock(0xC1, BLOCK),
    ActionResponseBlock(0xC1, BLOCK),
    ActionResponseWithList(0xC1, (MethodResult(ActionResult.SUCCESS),)),
    ActionResponseNextBlock(0xC1, 1),
]


def test_cosem_reads_the_forms_of_set_and_action() -> None:
    for apdu in UNREAD:
        with pytest.raises(NotImplementedError):
            XDlmsApduFactory.apdu_from_bytes(apdu.encode())
